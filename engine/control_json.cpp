// Summaries, timelines and errors as JSON and back; refuses what lacks a field.
#include "engine/control_json.hpp"

#include <nlohmann/json.hpp>

namespace pfx::engine {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr auto replace = ordered_json::error_handler_t::replace;

ordered_json moment(unix_ms at) {
  return at == 0 ? ordered_json(nullptr) : ordered_json(to_rfc3339(at));
}

unix_ms moment_of(const json& value) {
  if (!value.is_string())
    return 0;
  const auto at = from_rfc3339(value.get_ref<const std::string&>());
  return at ? *at : 0;
}

ordered_json object_of(const request_summary& value) {
  return {{"context", value.context},
          {"state", value.state},
          {"kind", value.kind},
          {"reason", printable(value.reason, 1'000)},
          {"attempts", value.attempts},
          {"leaseNumber", value.lease_number},
          {"receivedAt", moment(value.received_at)},
          {"expiresAt", moment(value.expires_at)},
          {"settledAt", moment(value.settled_at)},
          {"outcome", value.outcome}};
}

request_summary summary_of(const json& in) {
  request_summary out;
  out.context = in.at("context").get<std::string>();
  out.state = in.at("state").get<std::string>();
  out.kind = in.at("kind").get<std::string>();
  out.reason = in.at("reason").get<std::string>();
  out.attempts = in.at("attempts").get<std::uint32_t>();
  out.lease_number = in.at("leaseNumber").get<std::uint64_t>();
  out.received_at = moment_of(in.at("receivedAt"));
  out.expires_at = moment_of(in.at("expiresAt"));
  out.settled_at = moment_of(in.at("settledAt"));
  out.outcome = in.at("outcome").get<std::string>();
  return out;
}

ordered_json object_of(const request_timeline::line& value) {
  return {{"at", moment(value.at)},
          {"event", value.event},
          {"state", value.state},
          {"call", value.call_id},
          {"text", printable(value.text, 1'000)},
          {"durationMs", value.duration_ms}};
}

request_timeline::line line_of(const json& in) {
  return {moment_of(in.at("at")),
          in.at("event").get<std::uint16_t>(),
          in.at("state").get<std::string>(),
          in.at("call").get<std::string>(),
          in.at("text").get<std::string>(),
          in.at("durationMs").get<std::int64_t>()};
}

ordered_json object_of(const order_summary& value) {
  return {{"context", value.context},
          {"state", value.state},
          {"serialNumber", value.serial_number},
          {"issuer", value.issuer},
          {"authority", value.authority},
          {"certificate", value.certificate},
          {"outcome", value.outcome},
          {"reason", printable(value.reason, 1'000)},
          {"crlNumber", value.crl_number},
          {"attempts", value.attempts},
          {"handOuts", value.hand_outs},
          {"receivedAt", moment(value.received_at)},
          {"answeredAt", moment(value.answered_at)}};
}

order_summary order_of(const json& in) {
  order_summary out;
  for (const auto& [name, member] :
       {std::pair{"context", &order_summary::context}, std::pair{"state", &order_summary::state},
        std::pair{"serialNumber", &order_summary::serial_number},
        std::pair{"issuer", &order_summary::issuer},
        std::pair{"authority", &order_summary::authority},
        std::pair{"certificate", &order_summary::certificate},
        std::pair{"outcome", &order_summary::outcome}, std::pair{"reason", &order_summary::reason},
        std::pair{"crlNumber", &order_summary::crl_number}})
    out.*member = in.at(name).get<std::string>();
  out.attempts = in.at("attempts").get<std::uint32_t>();
  out.hand_outs = in.at("handOuts").get<std::uint32_t>();
  out.received_at = moment_of(in.at("receivedAt"));
  out.answered_at = moment_of(in.at("answeredAt"));
  return out;
}

ordered_json object_of(const audit_entry& value) {
  return {{"sequence", value.sequence},
          {"at", moment(value.at)},
          {"event", value.event},
          {"context", value.context},
          {"thumbprint", value.thumbprint},
          {"serialNumber", value.serial_number},
          {"text", value.text},
          {"epoch", value.epoch},
          {"head", value.head}};
}

audit_entry entry_of(const json& in) {
  audit_entry out;
  out.sequence = in.at("sequence").get<std::uint64_t>();
  out.at = moment_of(in.at("at"));
  out.event = in.at("event").get<std::uint16_t>();
  out.context = in.at("context").get<std::string>();
  out.thumbprint = in.at("thumbprint").get<std::string>();
  out.serial_number = in.at("serialNumber").get<std::string>();
  out.text = in.at("text").get<std::string>();
  out.epoch = in.at("epoch").get<std::uint64_t>();
  out.head = in.at("head").get<std::string>();
  return out;
}

errc code_of(std::string_view word) noexcept {
  for (int i = 0; i <= static_cast<int>(errc::internal); ++i)
    if (name_of(static_cast<errc>(i)) == word)
      return static_cast<errc>(i);
  return errc::internal;
}

template <class Summary>
std::string page_of(const std::vector<Summary>& values, bool more) {
  auto list = ordered_json::array();
  for (const auto& value : values)
    list.push_back(object_of(value));
  return ordered_json{{"value", std::move(list)}, {"more", more}}.dump(-1, ' ', false, replace);
}

} // namespace

std::string to_json(const request_page& values) { return page_of(values.requests, values.more); }

std::string to_json(const request_timeline& value) {
  auto lines = ordered_json::array();
  for (const auto& line : value.lines)
    lines.push_back(object_of(line));
  return ordered_json{{"summary", object_of(value.summary)}, {"lines", std::move(lines)}}.dump(
    -1, ' ', false, replace);
}

std::string to_json(const order_page& values) { return page_of(values.orders, values.more); }

std::string to_json(const audit_excerpt& value) {
  auto list = ordered_json::array();
  for (const auto& entry : value.entries)
    list.push_back(object_of(entry));
  return ordered_json{
    {"value", std::move(list)}, {"checked", value.checked}, {"fault", value.fault}}
    .dump(-1, ' ', false, replace);
}

namespace detail {

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    const bool plain = (octet >= '0' && octet <= '9') || (octet >= 'a' && octet <= 'z')
      || (octet >= 'A' && octet <= 'Z') || octet == '-' || octet == '.' || octet == '_'
      || octet == '~';
    if (plain)
      out += c;
    else
      out.append({'%', digits[octet >> 4], digits[octet & 15]});
  }
  return out;
}

result<std::string> percent_decoded(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.front() != '%') {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    const auto octet = from_hex(text.substr(1, 2));
    if (!octet || octet->size() != 1)
      return failure(errc::bad_input, "context", "holds a broken percent escape");
    out += static_cast<char>(octet->front());
    text.remove_prefix(3);
  }
  return out;
}

result<request_page> requests_from_json(std::string_view text) {
  try {
    request_page out;
    const auto whole = json::parse(text);
    for (const auto& each : whole.at("value"))
      out.requests.push_back(summary_of(each));
    out.more = whole.value("more", false);
    return out;
  } catch (const std::exception& fault) {
    return failure(errc::bad_input, "requests", printable(fault.what(), 200));
  }
}

result<order_page> orders_from_json(std::string_view text) {
  try {
    order_page out;
    const auto whole = json::parse(text);
    for (const auto& each : whole.at("value"))
      out.orders.push_back(order_of(each));
    out.more = whole.value("more", false);
    return out;
  } catch (const std::exception& fault) {
    return failure(errc::bad_input, "revocations", printable(fault.what(), 200));
  }
}

result<request_timeline> timeline_from_json(std::string_view text) {
  try {
    const auto in = json::parse(text);
    request_timeline out{summary_of(in.at("summary")), {}};
    for (const auto& each : in.at("lines"))
      out.lines.push_back(line_of(each));
    return out;
  } catch (const std::exception& fault) {
    return failure(errc::bad_input, "request", printable(fault.what(), 200));
  }
}

result<audit_excerpt> excerpt_from_json(std::string_view text) {
  try {
    const auto in = json::parse(text);
    audit_excerpt out;
    for (const auto& each : in.at("value"))
      out.entries.push_back(entry_of(each));
    out.checked = in.at("checked").get<std::uint64_t>();
    out.fault = in.at("fault").get<std::string>();
    return out;
  } catch (const std::exception& fault) {
    return failure(errc::bad_input, "audit", printable(fault.what(), 200));
  }
}

std::string note_to_json(std::uint16_t event, const std::string& text) {
  return ordered_json{{"event", event}, {"text", text}}.dump(-1, ' ', false, replace);
}

result<audit_note> note_from_json(std::string_view text) {
  try {
    const auto in = json::parse(text);
    const auto event = in.at("event").get<std::uint64_t>();
    audit_note out{0, in.at("text").get<std::string>()};
    if (!in.at("event").is_number_unsigned() || event < audit_events::commands_first
        || event > audit_events::commands_last)
      return failure(errc::bad_input, "event", "is not one that a command may note");
    if (out.text.empty() || out.text.size() > audit_text_bytes_max)
      return failure(errc::bad_input, "text", "must have 1 to 1000 octets");
    out.event = static_cast<std::uint16_t>(event);
    return out;
  } catch (const std::exception& fault) {
    return failure(errc::bad_input, "audit", printable(fault.what(), 200));
  }
}

std::string error_to_json(const error& what) {
  const ordered_json body{{"error",
                           {{"code", name_of(what.code)},
                            {"field", printable(what.field, 600)},
                            {"message", printable(what.message, 1'000)}}}};
  return body.dump(-1, ' ', false, replace);
}

error error_from_json(std::string_view text, int http_status) {
  try {
    const auto whole = json::parse(text);
    const auto& in = whole.at("error");
    return {code_of(in.at("code").get<std::string>()), in.at("field").get<std::string>(),
            in.at("message").get<std::string>()};
  } catch (const std::exception&) {
    return {errc::internal, "", "the engine answered with status " + std::to_string(http_status)};
  }
}

} // namespace detail
} // namespace pfx::engine
