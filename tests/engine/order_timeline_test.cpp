// One revocation order as one timeline, from what the store keeps of it.
#include "tests/catch.hpp"

#include "engine/control.hpp"
#include "engine/engine_state.hpp"
#include "tests/engine/sealed_room.hpp"

namespace {

using namespace pfx;
using test::must;

revocation_order order_of(const std::string& tenant, order_state state) {
  revocation_order out;
  out.key = {tenant, flow::revocation, "order-1"};
  out.state = state;
  out.serial_number = "4660";
  out.transaction_id = "t-1";
  out.authority = "CA";
  out.serial = "1234";
  out.received_at = 1'790'000'000'000;
  out.answered_at = 1'790'000'002'000;
  out.crl_number = "7";
  return out;
}

struct kept {
  test::sealed_room room;
  engine::assembly parts;

  kept() {
    parts.store = room.store();
    parts.plant.settings.tenant = "service";
    parts.plant.settings.revocation_tenant = "contoso.example.test";
  }
  void keep(const revocation_order& one, const std::vector<std::uint16_t>& events) {
    storage::batch all{storage::put_order{one}};
    unix_ms at = one.received_at;
    for (const auto id : events)
      all.emplace_back(storage::put_trail{
        one.key, trail_entry{at++, id, record_state::received, one.transaction_id, 0, "text"}});
    must(parts.store->commit(all));
  }
};

} // namespace

TEST_CASE("an order's story has its states: order, intent, the CA's answer, upload",
          "[engine][orders]") {
  kept k;
  k.keep(order_of("contoso.example.test", order_state::reported),
         {3020, 3031, 3033, 3030, 3052, 3050, 3101, 3022, 3102});
  const auto found = must(engine::detail::show_order(k.parts, "order-1"));
  CHECK(found.summary.kind == "revocation");
  CHECK(found.summary.state == "reported");
  CHECK(found.summary.outcome == "revoked");
  std::vector<std::string> states;
  for (const auto& line : found.lines) {
    states.push_back(line.state);
    CHECK(line.call_id == "t-1");
  }
  CHECK(states
        == std::vector<std::string>{"received", "held", "received", "revoking", "revoking",
                                    "answered", "answered", "received", "reported"});
}

TEST_CASE("a failed order says with which code, one of another tenant is not found",
          "[engine][orders]") {
  kept k;
  auto failed = order_of("contoso.example.test", order_state::answered);
  failed.code = service_code::not_supported;
  failed.text = "serialNumber: this connector did not issue 4660";
  k.keep(failed, {3020, 3051});
  const auto found = must(engine::detail::show_order(k.parts, "order-1"));
  CHECK(found.summary.outcome == "failed 4006");
  CHECK(found.summary.reason == failed.text);
  CHECK(test::code_of(engine::detail::show_order(k.parts, "order-2")) == errc::not_found);
  k.parts.plant.settings.revocation_tenant = "another.example.test";
  CHECK(test::code_of(engine::detail::show_order(k.parts, "order-1")) == errc::not_found);
}

TEST_CASE(
  "a list of orders has whole contexts, fits the control client, and says that there is more",
  "[engine][orders]") {
  engine::detail::pager<engine::order_summary> all(1'000);
  auto one = order_of("contoso.example.test", order_state::held);
  one.key.context = std::string(8'192, '"');
  std::size_t taken = 0;
  while (all.add(engine::detail::summary_of(one))) {
    ++taken;
  }
  CHECK(all.more);
  CHECK(all.values.size() == taken);
  CHECK(taken > 300);
  CHECK(taken < 1'000);
  CHECK(all.values.back().context == one.key.context);
  CHECK(engine::to_json(engine::order_page{all.values, all.more}).size() < (7u << 20));
}

TEST_CASE("a list of requests says that there is more only if there is", "[engine]") {
  engine::detail::pager<engine::request_summary> few(2);
  engine::request_summary one;
  one.context = "short";
  CHECK(few.add(one));
  CHECK(few.add(one));
  CHECK_FALSE(few.more);
  CHECK_FALSE(few.add(one));
  CHECK(few.more);
  CHECK(few.values.size() == 2);
  one.context = std::string(4u << 20, 'x');
  engine::detail::pager<engine::request_summary> large(2);
  CHECK_FALSE(large.add(one));
  CHECK(large.more);
}
