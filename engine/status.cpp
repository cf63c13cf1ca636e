// An engine's state as JSON and back: what the control socket carries and `status --json` prints.
#include "engine/status.hpp"

#include <array>

#include <nlohmann/json.hpp>

namespace pfx::engine {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::array health_words{
  std::pair{health::starting, std::string_view("starting")},
  std::pair{health::running, std::string_view("running")},
  std::pair{health::paused, std::string_view("paused")},
  std::pair{health::halted, std::string_view("halted")},
  std::pair{health::stopping, std::string_view("stopping")},
  std::pair{health::stopped, std::string_view("stopped")},
};
constexpr std::array halt_words{
  std::pair{halt_reason::none, std::string_view("none")},
  std::pair{halt_reason::stale_epoch, std::string_view("staleEpoch")},
  std::pair{halt_reason::amnesia, std::string_view("amnesia")},
  std::pair{halt_reason::store_failed, std::string_view("storeFailed")},
  std::pair{halt_reason::internal, std::string_view("internal")},
  std::pair{halt_reason::unauthorized, std::string_view("unauthorized")},
};

template <class Table, class Value>
std::string_view word_of(const Table& table, Value value) noexcept {
  for (const auto& [known, word] : table)
    if (known == value)
      return word;
  return "unknown";
}

template <class Table, class Value>
bool value_of(const Table& table, std::string_view word, Value& into) noexcept {
  for (const auto& [known, name] : table)
    if (name == word) {
      into = known;
      return true;
    }
  return false;
}

struct counter_row {
  std::string_view name;
  std::uint64_t counters::*member;
};
constexpr std::array counter_rows{
  counter_row{"polls", &counters::polls},
  counter_row{"offers", &counters::offers},
  counter_row{"received", &counters::received},
  counter_row{"redelivered", &counters::redelivered},
  counter_row{"conflicts", &counters::conflicts},
  counter_row{"keysUsed", &counters::keys_used},
  counter_row{"keysMade", &counters::keys_made},
  counter_row{"submits", &counters::submits},
  counter_row{"issued", &counters::issued},
  counter_row{"prepared", &counters::prepared},
  counter_row{"uploads", &counters::uploads},
  counter_row{"delivered", &counters::delivered},
  counter_row{"failed", &counters::failed},
  counter_row{"superseded", &counters::superseded},
  counter_row{"quarantined", &counters::quarantined},
  counter_row{"abandoned", &counters::abandoned},
  counter_row{"surplusFound", &counters::surplus_found},
  counter_row{"surplusRevoked", &counters::surplus_revoked},
  counter_row{"commits", &counters::commits},
  counter_row{"ordersReceived", &counters::orders_received},
  counter_row{"ordersRedelivered", &counters::orders_redelivered},
  counter_row{"ordersRevoked", &counters::orders_revoked},
  counter_row{"ordersFailed", &counters::orders_failed},
  counter_row{"ordersReported", &counters::orders_reported},
};
// A counter that is added and forgotten here would silently be missing from every report.
static_assert(counter_rows.size() * sizeof(std::uint64_t) == sizeof(counters));

ordered_json moment(unix_ms at) {
  return at == 0 ? ordered_json(nullptr) : ordered_json(to_rfc3339(at));
}

unix_ms moment_of(const json& value) {
  if (!value.is_string())
    return 0;
  const auto at = from_rfc3339(value.get_ref<const std::string&>());
  return at ? *at : 0;
}

} // namespace

std::string_view name_of(health value) noexcept { return word_of(health_words, value); }
std::string_view name_of(halt_reason value) noexcept { return word_of(halt_words, value); }

std::string to_json(const status& value) {
  ordered_json out{{"state", name_of(value.state)},
                   {"haltedBy", name_of(value.halted_by)},
                   {"message", printable(value.message, 1'000)},
                   {"version", value.version},
                   {"connectorId", value.connector_id},
                   {"epoch", value.epoch},
                   {"lifecycle", printable(value.lifecycle)},
                   {"openRequests", value.open_requests},
                   {"openByState", ordered_json::object()},
                   {"takesOrders", value.takes_orders},
                   {"ordersByState", ordered_json::object()},
                   {"totals", ordered_json::object()},
                   {"startedAt", moment(value.started_at)},
                   {"lastPollAt", moment(value.last_poll_at)},
                   {"lastOrderPollAt", moment(value.last_order_poll_at)},
                   {"storePoisoned", value.store_poisoned},
                   {"belowFreeSpaceFloor", value.below_free_space_floor},
                   {"freeBytes", value.free_bytes},
                   {"secretsLocked", value.secrets_locked},
                   {"attention", ordered_json::array()},
                   {"masterKeyId", value.master_key_id}};
  for (const auto& sentence : value.attention)
    out["attention"].push_back(printable(sentence, 1'000));
  for (const auto& [state, count] : value.open_by_state)
    out["openByState"][state] = count;
  for (const auto& [state, count] : value.orders_by_state)
    out["ordersByState"][state] = count;
  for (const auto& row : counter_rows)
    out["totals"][std::string(row.name)] = value.totals.*row.member;
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

result<status> status_from_json(std::string_view text) {
  status out;
  try {
    const auto in = json::parse(text);
    if (!value_of(health_words, in.at("state").get<std::string>(), out.state)
        || !value_of(halt_words, in.at("haltedBy").get<std::string>(), out.halted_by))
      return failure(errc::bad_input, "state", "is not a state that this program knows");
    out.message = in.at("message").get<std::string>();
    out.version = in.at("version").get<std::string>();
    out.connector_id = in.at("connectorId").get<std::string>();
    out.epoch = in.at("epoch").get<std::uint64_t>();
    out.lifecycle = in.at("lifecycle").get<std::string>();
    out.open_requests = in.at("openRequests").get<std::uint64_t>();
    for (const auto& [state, count] : in.at("openByState").items())
      out.open_by_state.emplace_back(state, count.get<std::uint64_t>());
    out.takes_orders = in.at("takesOrders").get<bool>();
    for (const auto& [state, count] : in.at("ordersByState").items())
      out.orders_by_state.emplace_back(state, count.get<std::uint64_t>());
    for (const auto& row : counter_rows)
      out.totals.*row.member = in.at("totals").at(std::string(row.name)).get<std::uint64_t>();
    out.started_at = moment_of(in.at("startedAt"));
    out.last_poll_at = moment_of(in.at("lastPollAt"));
    out.last_order_poll_at = moment_of(in.at("lastOrderPollAt"));
    out.store_poisoned = in.at("storePoisoned").get<bool>();
    out.below_free_space_floor = in.at("belowFreeSpaceFloor").get<bool>();
    out.free_bytes = in.at("freeBytes").get<std::uint64_t>();
    out.secrets_locked = in.at("secretsLocked").get<bool>();
    for (const auto& sentence : in.at("attention"))
      out.attention.push_back(sentence.get<std::string>());
    out.master_key_id = in.at("masterKeyId").get<std::string>();
  } catch (const std::exception& fault) {
    return failure(errc::bad_input, "status", printable(fault.what(), 200));
  }
  return out;
}

} // namespace pfx::engine
