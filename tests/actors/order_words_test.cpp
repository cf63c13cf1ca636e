// What an operator says about a revocation order.
#include "tests/actors/order_book_support.hpp"

using namespace pfx;
using namespace pfx::test;

TEST_CASE("one that was stored before rests as it was stored, and a late answer changes nothing",
          "[actors][orders]") {
  desk d;
  const request_key a{"tenant", flow::revocation, "a"};
  request_key who;
  d.download({desk::offer("a")});
  d.sync();
  CHECK(d.ready(action::choose) == 1);
  d.answer("a", {.kind = event_kind::chosen, .authority = "ca", .serial = "a"});
  d.sync();
  CHECK(d.ready(action::revoke) == 1);
  d.download({desk::offer("a", "t2")}); // during the call
  REQUIRE(d.book.take_batch());
  REQUIRE(d.book.refused(who));
  CHECK(who == a);
  CHECK(d.book.resting(a));
  CHECK_FALSE(d.book.quiet()); // the call is under way
  const auto kept = d.book.list(1).front();
  CHECK(kept.state == order_state::revoking);
  CHECK(kept.transaction_id == "t1");
  d.download({desk::offer("a", "t3")});
  d.answer("a", {.kind = event_kind::ca_done});
  d.book.tick(d.now);
  CHECK(d.book.quiet());
  CHECK_FALSE(d.book.take_batch());
  d.now.boot += 3'600'000;
  CHECK(d.ready(action::revoke) == 0);
  CHECK(d.ready(action::choose) == 0);
  CHECK(d.book.list(1).front().state == order_state::revoking);
  CHECK(d.book.operator_word(a, event_kind::rejected, d.now).code == errc::conflict);
  desk next; // the next start
  next.book.load(kept, true, next.now);
  next.sync();
  CHECK(next.ready(action::revoke) == 1);
}

TEST_CASE("more than an hour allows is held until an operator lets it pass", "[actors][orders]") {
  desk d(2);
  for (const auto* context : {"a", "b", "c"}) {
    d.download({desk::offer(context)});
    d.sync();
    CHECK(d.ready(action::choose) == 1);
    d.answer(context, {.kind = event_kind::chosen, .authority = "ca", .serial = "a"});
    d.sync();
  }
  CHECK(d.ready(action::revoke) == 2);
  CHECK(d.book.count_by_state()[order_state::held] == 1);
  const request_key held{"tenant", flow::revocation, "c"};
  CHECK(d.book.operator_word({"tenant", flow::revocation, "a"}, event_kind::approved, d.now).code
        == errc::conflict);
  CHECK(d.book.operator_word({"tenant", flow::revocation, "x"}, event_kind::approved, d.now).code
        == errc::not_found);
  CHECK(d.book.operator_word(held, event_kind::approved, d.now).code == errc::none);
  d.sync();
  CHECK(d.ready(action::choose) == 1);
  d.answer("c", {.kind = event_kind::chosen, .authority = "ca", .serial = "a"});
  d.sync();
  CHECK(d.ready(action::revoke) == 1);
}

TEST_CASE(
  "an order that is rejected while its CA is looked for again is reported once, and a stop ends",
  "[actors][orders]") {
  desk d(1);
  const auto a = desk::offer("a").key;
  d.download({desk::offer("a")});
  d.sync();
  CHECK(d.ready(action::choose) == 1);
  d.answer("a", {.kind = event_kind::ca_missing, .authority = "gone"});
  d.sync();
  d.now.boot += 3'600'000;
  CHECK(d.ready(action::choose) == 1); // under way
  CHECK(d.book.operator_word(a, event_kind::rejected, d.now).code == errc::none);
  d.sync();
  CHECK(d.book.take_report(100, d.now).empty()); // until the call is back
  SECTION("the answer comes late") {
    d.answer("a", {.kind = event_kind::ca_missing, .authority = "gone"});
  }
  SECTION("the answer is a CA after all, and takes no place in the hour") {
    d.answer("a", {.kind = event_kind::chosen, .authority = "ca", .serial = "a"});
    CHECK(d.book.list(1).front().state == order_state::answered);
    d.download({desk::offer("b")});
    d.sync();
    CHECK(d.ready(action::choose) == 1);
    d.answer("b", {.kind = event_kind::chosen, .authority = "ca", .serial = "b"});
    CHECK(d.book.count_by_state()[order_state::held] == 0); // one an hour
    d.sync();
    CHECK(d.ready(action::revoke) == 1);
    d.answer("b", {.kind = event_kind::ca_done});
    d.sync();
    CHECK(d.book.list(2).size() == 2);
    return;
  }
  SECTION("the call was not made") { d.book.give_back(a, d.now); }
  d.sync();
  CHECK(d.book.quiet());
  d.now.boot += 3'600'000;
  CHECK(d.book.take_report(100, d.now).size() == 1);
  CHECK(d.book.take_report(100, d.now).empty());
  CHECK_FALSE(d.book.quiet());
  d.answer("a", {.kind = event_kind::report_recorded});
  d.sync();
  CHECK(d.book.quiet());
}
