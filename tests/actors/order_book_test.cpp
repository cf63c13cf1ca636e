// The book of revocation orders: nothing leaves it before it is durable, and nothing leaves it
// twice.
#include "tests/actors/order_book_support.hpp"

using namespace pfx;
using namespace pfx::test;

TEST_CASE("an order moves on only when its last step is on the disk", "[actors][orders]") {
  desk d;
  d.download({desk::offer("a")});
  CHECK(d.ready(action::choose) == 0);
  REQUIRE(d.book.take_batch());
  CHECK(d.ready(action::choose) == 0);
  CHECK_FALSE(d.book.take_batch()); // one write at a time
  d.book.committed();
  CHECK(d.ready(action::choose) == 1);
  CHECK(d.ready(action::choose) == 0); // it is in flight
  d.answer("a", {.kind = event_kind::chosen, .authority = "ca", .serial = "a"});
  CHECK(d.ready(action::revoke) == 0);
  d.sync();
  CHECK(d.ready(action::revoke) == 1);
}

TEST_CASE("a write that did not happen is offered again as it was", "[actors][orders]") {
  desk d;
  d.download({desk::offer("a"), desk::offer("b")});
  const auto first = d.book.take_batch();
  REQUIRE(first);
  d.book.not_committed();
  const auto again = d.book.take_batch();
  REQUIRE(again);
  CHECK(again->operations.size() == first->operations.size());
  CHECK(again->audit.size() == first->audit.size());
}

TEST_CASE("a write is never more than the keeper can take, however long the texts are",
          "[actors][orders]") {
  desk d;
  std::vector<revocation::offer> list;
  for (int i = 0; i < 500; ++i) {
    auto one = desk::offer(std::to_string(i) + std::string(8'188, 'c'));
    one.issuer_name = std::string(4'096, 'i');
    one.ca_configuration = std::string(4'096, 'a');
    list.push_back(std::move(one));
  }
  d.download(std::move(list));
  std::size_t writes = 0;
  std::size_t orders = 0;
  while (const auto batch = d.sync()) {
    ++writes;
    std::size_t octets = 0;
    for (const auto& one : batch->operations) {
      if (const auto* order = std::get_if<storage::put_order>(&one)) {
        ++orders;
        octets += encode(order->value).size() + 2 * order->value.key.context.size();
      }
    }
    CHECK(octets < (2u << 20));
  }
  CHECK(orders == 500);
  CHECK(writes > 5);
}

TEST_CASE("one that the store does not take is given up alone, and may come again",
          "[actors][orders]") {
  desk d;
  d.download({desk::offer("a"), desk::offer("bad"), desk::offer("c")});
  request_key who;
  REQUIRE(d.book.take_batch());
  CHECK_FALSE(d.book.refused(who)); // whose fault it is cannot be told yet
  std::size_t refusals = 0;
  while (const auto batch = d.book.take_batch()) {
    const auto& order = std::get<storage::put_order>(batch->operations.front()).value;
    if (order.key.context != "bad") {
      d.book.committed();
      continue;
    }
    CHECK(d.book.refused(who));
    CHECK(who.context == "bad");
    ++refusals;
  }
  CHECK(refusals == 1);
  CHECK(d.book.quiet());
  CHECK(d.ready(action::choose) == 2);
  CHECK(d.book.room() == order_book::open_max - 2);
  d.download({desk::offer("bad")});
  CHECK(d.sync());
  CHECK(d.ready(action::choose) == 1);
}

TEST_CASE("an order whose report is never recorded makes room after a month, with a word",
          "[actors][orders]") {
  desk d;
  d.until_answered("a");
  CHECK(d.book.take_report(100, d.now).size() == 1);
  d.answer("a", {.kind = event_kind::report_unanswered, .text = "HTTP 400"});
  while (d.sync()) {}
  d.now.wall += 31LL * 24 * 3'600'000;
  d.book.tick(d.now);
  const auto batch = d.sync();
  REQUIRE(batch);
  CHECK(std::get<storage::put_order>(batch->operations.front()).value.state
        == order_state::unreported);
  REQUIRE(batch->audit.size() == 1);
  CHECK(batch->audit.front().event == revocation::trail_event::unreported);
  REQUIRE(batch->reports.size() == 2);
  CHECK(batch->reports.back().on == actors::tasks::report::channel::admin);
  CHECK(batch->reports.back().text.find("revoked certificate a") != std::string::npos);
  CHECK(d.book.room() == order_book::open_max);
  CHECK(d.book.quiet());
}

TEST_CASE("an order that nothing could be done about is tried again after a while",
          "[actors][orders]") {
  desk d;
  d.download({desk::offer("a")});
  d.sync();
  CHECK(d.ready(action::choose) == 1);
  d.book.give_back({"tenant", flow::revocation, "a"}, d.now);
  CHECK(d.book.quiet());
  CHECK(d.ready(action::choose) == 0);
  d.now.boot += 1'000;
  CHECK(d.ready(action::choose) == 1);
}

TEST_CASE("the same order in one download and in the next is one order", "[actors][orders]") {
  desk d;
  d.download({desk::offer("a"), desk::offer("a")});
  d.download({desk::offer("a", "t2")});
  while (d.sync()) {}
  CHECK(d.ready(action::choose) == 1);
  CHECK(d.book.list(10).front().transaction_id == "t2");
  d.download({desk::offer("a", "t3", 2)}); // another body
  const auto batch = d.sync();
  REQUIRE(batch);
  CHECK(batch->reports.front().id == revocation::trail_event::conflict);
  CHECK(d.book.list(10).front().transaction_id == "t2");
}

TEST_CASE("a report goes with those of its own transaction, or alone after a bad answer",
          "[actors][orders]") {
  desk d;
  d.until_answered("a");
  d.until_answered("b");
  d.until_answered("c", "t2");
  auto first = d.book.take_report(100, d.now);
  REQUIRE(first.size() == 2);
  CHECK(first[0].key.context == "a");
  CHECK(first[1].key.context == "b");
  d.book.separate({first[0].key, first[1].key});
  for (const auto& one : first) {
    d.answer(one.key.context, {.kind = event_kind::report_unanswered});
  }
  d.now.boot += 60'000;
  while (d.sync()) {}
  for (const auto* wanted : {"a", "b", "c"}) {
    const auto next = d.book.take_report(100, d.now);
    REQUIRE(next.size() == 1);
    CHECK(next[0].key.context == wanted);
  }
}

TEST_CASE("what is reported leaves the book when that is durable, and is known when it comes again",
          "[actors][orders]") {
  desk d;
  d.until_answered("a");
  const auto reported = d.book.take_report(100, d.now);
  REQUIRE(reported.size() == 1);
  d.answer("a", {.kind = event_kind::report_recorded});
  CHECK(d.book.room() == order_book::open_max - 1);
  d.sync();
  CHECK(d.book.room() == order_book::open_max);
  CHECK(d.book.quiet());
  auto known = reported.front();
  known.state = order_state::reported;
  known.live = {};
  d.download({desk::offer("a", "t9")}, {{known.key, known}});
  d.sync();
  CHECK(d.ready(action::choose) == 0);
  CHECK(d.ready(action::revoke) == 0);
  CHECK(d.book.take_report(100, d.now).front().transaction_id == "t9");
}

TEST_CASE("an order that is reported during a look-up is not taken for a new one",
          "[actors][orders]") {
  desk d;
  d.until_answered("a");
  CHECK(d.book.take_report(100, d.now).size() == 1);
  const std::vector<revocation::offer> again{desk::offer("a", "t2")};
  d.book.expect();
  d.answer("a", {.kind = event_kind::report_recorded});
  d.sync();
  d.book.receive(again, {}, d.now);
  d.sync();
  CHECK(d.ready(action::choose) == 0);
  CHECK(d.book.take_report(100, d.now).size() == 1);
}

TEST_CASE("a list has the oldest ones, of one state if that is asked for", "[actors][orders]") {
  desk d;
  for (const auto* context : {"z", "y", "x", "w"}) { // the key's order is not the arrival's
    d.download({desk::offer(context)});
  }
  while (d.sync()) {}
  d.answer("y", {.kind = event_kind::guarded, .text = "held"});
  d.answer("w", {.kind = event_kind::guarded, .text = "held"});
  const auto contexts = [&d](std::size_t count, std::optional<order_state> wanted = {}) {
    std::string out;
    for (const auto& one : d.book.list(count, wanted)) {
      out += one.key.context;
    }
    return out;
  };
  CHECK(contexts(3) == "zyx");
  CHECK(contexts(9) == "zyxw");
  CHECK(contexts(9, order_state::held) == "yw");
  CHECK(contexts(1, order_state::held) == "y");
  CHECK(contexts(9, order_state::answered).empty());
}

TEST_CASE("the hour is counted over a restart, and ends", "[actors][orders]") {
  revocation_order before;
  before.key = {"tenant", flow::revocation, "before"};
  before.state = order_state::reported;
  desk d(1);
  before.revoked_at = d.now.wall - 1'000;
  d.book.remember(before, d.now);
  const auto choose = [&d](const std::string& context) {
    d.download({desk::offer(context)});
    d.sync();
    CHECK(d.ready(action::choose) == 1);
    d.answer(context, {.kind = event_kind::chosen, .authority = "ca", .serial = "a"});
    d.sync();
    return d.book.list(10).back().state;
  };
  CHECK(choose("a") == order_state::held);
  d.now.wall -= 86'400'000; // the clock was a day ahead, and is set right
  CHECK(choose("b") == order_state::held);
  d.now.boot += 3'600'000;
  CHECK(choose("c") == order_state::revoking);
}

TEST_CASE("what a former run left goes on where its last durable step was", "[actors][orders]") {
  desk d;
  revocation_order left;
  left.key = {"tenant", flow::revocation, "left"};
  left.state = order_state::revoking;
  left.serial = "a";
  left.authority = "ca";
  left.received_at = d.now.wall;
  d.book.load(left, false, d.now);
  CHECK(d.ready(action::revoke) == 1);
  d.answer("left", {.kind = event_kind::ca_already});
  d.sync();
  const auto report = d.book.take_report(100, d.now);
  REQUIRE(report.size() == 1);
  CHECK(report.front().code == service_code::none);
}

TEST_CASE("an order whose CA is silent for a day is reported as one to be sent again",
          "[actors][orders]") {
  desk d;
  d.download({desk::offer("a")});
  d.sync();
  CHECK(d.ready(action::choose) == 1);
  d.answer("a", {.kind = event_kind::chosen, .authority = "ca", .serial = "a"});
  d.sync();
  CHECK(d.ready(action::revoke) == 1);
  d.now.wall += 25LL * 3'600'000;
  d.book.tick(d.now); // its call is under way
  CHECK(d.book.list(1).front().state == order_state::revoking);
  d.answer("a", {.kind = event_kind::ca_unanswered, .text = "silence"});
  d.sync();
  d.book.tick(d.now);
  CHECK(d.book.list(1).front().code == service_code::service_unavailable);
  CHECK(d.book.list(1).front().text == "the CA did not answer in time");
}
