// Revocation orders: each is carried out once and reported as recorded, whatever is late, lost or
// said twice; serial numbers in everybody's notation.
#include "core/revocation.hpp"

#include <functional>

#include "tests/catch.hpp"

using namespace pfx;
using namespace pfx::revocation;

namespace {

/// An order told event by event.
struct teller {
  rules by;
  moment now{1'000'000, 5'000, 0};
  revocation_order at;
  step_result out;

  teller() {
    out = receive({.key = {"tenant", flow::revocation, "order"},
                   .serial_number = "0A:1b",
                   .transaction_id = "t1"},
                  now);
    at = out.next;
  }
  teller& on(event what) {
    out = step(at, what, by, now);
    at = out.next;
    return *this;
  }
  teller& on(event_kind kind) { return on(event{.kind = kind}); }
  teller& chosen() {
    return on({.kind = event_kind::chosen, .authority = "ca", .issuer = "CN=CA", .serial = "a1b"});
  }
  teller& revoked() { return chosen().on({.kind = event_kind::ca_done, .crl_number = "7"}); }
  [[nodiscard]] action next() const { return next_action(at, now); }
};

} // namespace

TEST_CASE("an order is looked up, carried out and reported, each behind a durable step",
          "[core][revocation]") {
  teller t;
  CHECK(t.out.changed);
  CHECK(t.next() == action::choose);
  t.chosen();
  CHECK(t.out.changed);
  CHECK(t.at.revoked_at == t.now.wall);
  CHECK(t.next() == action::revoke);
  t.on({.kind = event_kind::ca_done, .crl_number = "7"});
  CHECK(t.at.state == order_state::answered);
  CHECK(t.at.code == service_code::none);
  CHECK(t.out.note == "revoked, listed from CRL number 7 on");
  CHECK(t.next() == action::report);
  t.on(event_kind::report_recorded);
  CHECK(t.at.state == order_state::reported);
  CHECK(t.out.admin_event == trail_event::revoked);
  CHECK(t.next() == action::none);
}

TEST_CASE("no answer of the CA repeats the same call, and its repeat is no failure",
          "[core][revocation]") {
  teller t;
  t.chosen();
  const auto told = t.at.revoked_at;
  t.now.random = 500;
  t.on({.kind = event_kind::ca_unanswered, .text = "cut"});
  CHECK(t.next() == action::none);
  CHECK(t.at.live.retry_at == t.now.boot + 500);
  t.now.wall += 9'000;
  t.now.boot += 9'000;
  CHECK(t.next() == action::revoke);
  t.on(event_kind::ca_already);
  CHECK(t.at.code == service_code::none);
  CHECK(t.at.revoked_at == told);
  CHECK(t.at.attempts == 2);
}

TEST_CASE("what the CA says decides the code that is reported", "[core][revocation]") {
  teller unknown;
  unknown.chosen().on(event_kind::ca_not_found);
  CHECK(unknown.at.code == service_code::certificate_not_found);
  teller refused;
  refused.chosen().on({.kind = event_kind::ca_refused, .text = "it is ours"});
  CHECK(refused.at.code == service_code::non_retryable);
  CHECK(refused.at.text == "the CA refuses: it is ours");
  teller foreign;
  foreign.on({.kind = event_kind::not_ours, .code = service_code::not_supported, .text = "no"});
  CHECK(foreign.at.state == order_state::answered);
  CHECK(foreign.at.code == service_code::not_supported);
  foreign.on(event_kind::report_recorded);
  CHECK(foreign.out.admin_event == trail_event::failed);
}

TEST_CASE("a report that is not confirmed is repeated as it was", "[core][revocation]") {
  teller t;
  t.revoked();
  const auto before = t.at;
  t.on({.kind = event_kind::report_unanswered, .retry_after_ms = 60'000});
  CHECK_FALSE(t.out.changed);
  CHECK(t.next() == action::none);
  t.now.boot += 60'000;
  CHECK(t.next() == action::report);
  CHECK(t.at.transaction_id == before.transaction_id);
}

TEST_CASE("an order that was reported and comes again is reported again and nothing else",
          "[core][revocation]") {
  teller t;
  t.revoked().on(event_kind::report_recorded);
  t.on({.kind = event_kind::offered_same, .transaction_id = "t2"});
  CHECK(t.at.state == order_state::answered);
  CHECK(t.at.transaction_id == "t2");
  CHECK(t.next() == action::report);
  t.on(event_kind::report_recorded);
  CHECK(t.out.admin_event == 0);
}

TEST_CASE("an order whose CA never answered may be sent again, and is carried out then",
          "[core][revocation]") {
  teller t;
  t.chosen();
  t.now.wall += t.by.deadline_ms;
  CHECK_FALSE(due(t.at, t.by, t.now)); // nobody was asked yet: the process may have been down
  t.on(event_kind::ca_unanswered);
  t.at.live.in_flight = true;
  CHECK_FALSE(due(t.at, t.by, t.now));
  t.at.live.in_flight = false;
  REQUIRE(due(t.at, t.by, t.now));
  t.on(*due(t.at, t.by, t.now));
  CHECK(t.at.code == service_code::service_unavailable);
  t.on(event_kind::ca_done); // late
  CHECK(t.at.code == service_code::service_unavailable);
  t.on(event_kind::report_recorded).on(event_kind::offered_same);
  CHECK(t.at.state == order_state::received);
  CHECK(t.next() == action::choose);
  CHECK_FALSE(due(t.at, t.by, t.now));
}

TEST_CASE("the time that an order was held does not count for its CA", "[core][revocation]") {
  teller t;
  t.on(event_kind::guarded);
  t.now.wall += t.by.held_deadline_ms - 1;
  CHECK_FALSE(due(t.at, t.by, t.now));
  t.on(event_kind::approved);
  const auto approved = t.at;
  t.chosen().on(event_kind::ca_unanswered);
  CHECK_FALSE(due(t.at, t.by, t.now));
  t.at = approved;
  t.on({.kind = event_kind::ca_missing, .authority = "ca"});
  CHECK_FALSE(due(t.at, t.by, t.now));
}

TEST_CASE("an order that no operator decides on is reported as one to be sent again",
          "[core][revocation]") {
  teller t;
  t.on(event_kind::guarded);
  t.now.wall += t.by.held_deadline_ms;
  REQUIRE(due(t.at, t.by, t.now));
  t.on(*due(t.at, t.by, t.now));
  CHECK(t.at.code == service_code::service_unavailable);
  CHECK(t.next() == action::report);
}

TEST_CASE("the same context with another body changes nothing", "[core][revocation]") {
  for (const auto& prepare : std::vector<std::function<void(teller&)>>{
         [](teller&) {}, [](teller& t) { t.chosen(); }, [](teller& t) { t.revoked(); },
         [](teller& t) { t.revoked().on(event_kind::report_recorded); }}) {
    teller t;
    prepare(t);
    const auto before = t.at;
    t.on(event_kind::offered_other);
    CHECK(t.at == before);
    CHECK(t.out.event_id == trail_event::conflict);
  }
}

TEST_CASE("over the guard an order waits for an operator", "[core][revocation]") {
  teller t;
  t.on({.kind = event_kind::guarded, .text = "more than 100 in an hour"});
  CHECK(t.at.state == order_state::held);
  CHECK(t.next() == action::none);
  SECTION("who lets it pass") {
    t.on(event_kind::approved);
    CHECK(t.at.approved);
    CHECK(t.next() == action::choose);
  }
  SECTION("who rejects it") {
    t.on(event_kind::rejected);
    CHECK(t.at.code == service_code::non_retryable);
    CHECK(t.next() == action::report);
  }
  SECTION("and keeps waiting over a restart") {
    t.on(event_kind::restarted);
    CHECK(t.at.state == order_state::held);
  }
}

TEST_CASE("an operator is told when a word does not fit an order", "[core][revocation]") {
  teller t;
  CHECK(t.chosen().on(event_kind::approved).out.refused);
  CHECK(t.on(event_kind::rejected).out.refused);
  CHECK(t.at.state == order_state::revoking);
}

TEST_CASE("whatever comes late or twice, what was answered stays as it was answered",
          "[core][revocation]") {
  for (const auto& prepare : std::vector<std::function<void(teller&)>>{
         [](teller& t) { t.revoked(); },
         [](teller& t) { t.revoked().on(event_kind::report_recorded); },
         [](teller& t) { t.chosen().on(event_kind::ca_not_found); }}) {
    for (std::size_t kind = 0; kind < event_kind_count; ++kind) {
      teller t;
      prepare(t);
      const auto before = t.at;
      t.on(event{.kind = static_cast<event_kind>(kind), .code = service_code::conflict});
      CHECK(t.at.code == before.code);
      CHECK(t.at.serial == before.serial);
      CHECK(t.at.crl_number == before.crl_number);
      CHECK(t.next() != action::revoke);
    }
  }
}

TEST_CASE("a stored order is read back as it was, and damage is named", "[core][revocation]") {
  teller t;
  t.revoked().on(event_kind::report_recorded);
  const auto octets = encode(t.at);
  CHECK(decode_order(t.at.key, octets).value() == t.at);
  for (std::size_t size = 0; size < octets.size(); ++size) {
    CHECK_FALSE(decode_order(t.at.key, byte_view(octets).first(size)));
  }
  auto newer = octets;
  newer[0] = 2;
  CHECK(decode_order(t.at.key, newer).error().code == errc::store_newer);
  auto strange = octets;
  strange[1] = 9;
  CHECK(decode_order(t.at.key, strange).error().field == "state");
}

TEST_CASE("a report that nobody records is given up after a month, and the order is at its end",
          "[core][revocation]") {
  teller t;
  t.revoked();
  t.now.wall += t.by.report_deadline_ms;
  CHECK_FALSE(due(t.at, t.by, t.now)); // nobody was asked yet: the process may have been down
  t.on({.kind = event_kind::report_unanswered, .text = "HTTP 400"});
  t.on(event_kind::offered_same); // takes the back-off back, not the deadline
  REQUIRE(due(t.at, t.by, t.now));
  t.at.live.in_flight = true;
  CHECK_FALSE(due(t.at, t.by, t.now));
  t.at.live.in_flight = false;
  t.now.wall -= 1;
  CHECK_FALSE(due(t.at, t.by, t.now));
  t.now.wall += 1;
  t.on(*due(t.at, t.by, t.now));
  CHECK(t.at.state == order_state::unreported);
  CHECK(t.at.code == service_code::none); // it is revoked all the same
  CHECK(t.out.admin_event == trail_event::unreported);
  CHECK(t.next() == action::none);
  CHECK(decode_order(t.at.key, encode(t.at)).value() == t.at);
  t.on(event_kind::report_recorded); // late
  CHECK(t.at.state == order_state::unreported);
  t.on(event_kind::offered_same);
  CHECK(t.next() == action::report);
  t.on(event_kind::report_unanswered);
  CHECK_FALSE(due(t.at, t.by, t.now)); // a month of its own
  t.on(event_kind::report_recorded);
  CHECK(t.out.admin_event == trail_event::revoked);
}

TEST_CASE("a month of failed reports is a dozen lines of the trail", "[core][revocation]") {
  teller t;
  t.revoked();
  std::size_t lines = 0;
  for (int i = 0; i < 4'320; ++i) {
    lines += t.on({.kind = event_kind::report_unanswered, .text = "no"}).out.event_id != 0 ? 1 : 0;
    CHECK_FALSE(t.out.changed);
  }
  CHECK(lines == 13);
}

TEST_CASE("a day of a silent CA is a dozen lines of the trail", "[core][revocation]") {
  for (const auto kind : {event_kind::ca_unanswered, event_kind::ca_unavailable}) {
    teller t;
    t.chosen();
    std::size_t lines = 0;
    for (int i = 0; i < 4'320; ++i) {
      lines += t.on({.kind = kind, .text = "no"}).out.event_id != 0 ? 1 : 0;
      if (i % 100 == 0) {
        t.on(event_kind::offered_same); // a line of its own, which is not counted
      }
    }
    CHECK(lines == 13);
  }
}

TEST_CASE("an order whose CA is not configured waits without an intent", "[core][revocation]") {
  teller t;
  const event missing{.kind = event_kind::ca_missing,
                      .authority = "old CA",
                      .text = "not here",
                      .retry_after_ms = 60'000};
  t.on(missing);
  CHECK(t.at.state == order_state::received);
  CHECK_FALSE(t.out.changed);
  CHECK(t.out.event_id == trail_event::no_ca);
  CHECK(t.at.revoked_at == 0);
  CHECK(t.next() == action::none);
  t.now.boot += t.by.backoff_max_ms;
  CHECK(t.next() == action::choose);
  SECTION("and is chosen when it is there again") {
    t.chosen();
    CHECK(t.next() == action::revoke);
    CHECK(t.on(event_kind::rejected).out.refused);
  }
  SECTION("and is to be sent again after a day") {
    CHECK_FALSE(due(t.at, t.by, t.now));
    t.now.wall += t.by.deadline_ms;
    REQUIRE(due(t.at, t.by, t.now));
    t.on(*due(t.at, t.by, t.now));
    CHECK(t.at.code == service_code::service_unavailable);
    t.on(event_kind::report_recorded).on(event_kind::offered_same);
    CHECK_FALSE(due(t.at, t.by, t.now));           // a day of its own
    CHECK(t.on(event_kind::rejected).out.refused); // nobody knows yet whether it is still missing
    t.on(missing);
    CHECK_FALSE(due(t.at, t.by, t.now));
  }
  SECTION("and can be rejected, not approved") {
    CHECK(t.on(event_kind::approved).out.refused);
    t.on(event_kind::rejected);
    CHECK(t.at.code == service_code::non_retryable);
    t.on(event_kind::chosen); // late
    CHECK(t.next() == action::report);
  }
}

TEST_CASE("an order that a CA may have heard of is not rejected", "[core][revocation]") {
  const event missing{.kind = event_kind::ca_missing, .authority = "ca"};
  teller asked;
  asked.chosen().on(event_kind::ca_unanswered).on(missing);
  CHECK(asked.on(event_kind::rejected).out.refused);
  teller cut;
  cut.chosen().on(event_kind::restarted);
  CHECK(cut.out.changed);
  CHECK(cut.on(missing).on(event_kind::rejected).out.refused);
  teller never;
  never.chosen().on(event_kind::ca_unavailable).on(missing).on(event_kind::rejected);
  CHECK(never.at.code == service_code::non_retryable);
}

TEST_CASE("words about a failure are cut between two characters", "[core][revocation]") {
  teller t;
  std::string said;
  while (said.size() < 1'200) {
    said += "\xf0\x9f\x94\x91"; // four octets each
  }
  t.chosen().on({.kind = event_kind::ca_refused, .text = said});
  CHECK(t.at.text.size() <= 1'024);
  CHECK(t.at.text.size() > 1'020);
  CHECK((t.at.text.size() - std::string("the CA refuses: ").size()) % 4 == 0);
  CHECK(fitting(std::string(1'024, 'a')).size() == 1'024);
  CHECK(fitting(std::string(1'025, 'a')).size() == 1'024);
  CHECK(fitting("").empty());
}

TEST_CASE("serial numbers are read in every notation", "[core][revocation]") {
  CHECK(read_serial("0A:1b").as_hex == "a1b");
  CHECK(read_serial("0A:1b").as_decimal.empty());
  CHECK(read_serial("0x10").as_hex == "10");
  CHECK(read_serial("0x10").as_decimal.empty());
  CHECK(read_serial("10").as_hex == "10");
  CHECK(read_serial("10").as_decimal == "a");
  CHECK(read_serial("7").as_decimal.empty()); // the same both ways
  CHECK(read_serial("0000").as_hex == "0");
  CHECK(read_serial("1461501637330902918203684832716283019655932542975").as_decimal
        == std::string(40, 'f')); // 2^160 - 1
  CHECK(read_serial("1461501637330902918203684832716283019655932542976").as_decimal.empty());
  CHECK(read_serial("00" + std::string(40, 'f')).as_hex == std::string(40, 'f'));
  for (const auto& bad : {std::string(), std::string("xyz"), std::string("12 g"), std::string("-1"),
                          std::string(41, 'f'), std::string(1'000, '1'), std::string("0x")}) {
    CHECK(read_serial(bad).as_hex.empty());
    CHECK(read_serial(bad).as_decimal.empty());
  }
}
