// Whose turn it is among look-ups, revocations and reports, when the CA or the service is slow: the
// service hands out again what it hears nothing of.
#include "actors/tasks/order_turns.hpp"
#include "tests/actors/held_calls.hpp"
#include "tests/actors/order_book_support.hpp"
#include "tests/actors/order_support.hpp"

using namespace pfx;
using namespace pfx::test;
using actors::tasks::order_turns;

namespace {

constexpr std::size_t threads = order_turns::calls_max + 2;

/// A bench whose CA or service takes its time, from its second start on.
struct slow_bench {
  order_bench t;
  held_calls calls{threads, t.b.time};

  explicit slow_bench(int certificates) : t(certificates) {
    t.b.crash();
    t.b.plant.orders_io = &calls;
    int n = 100; // the book goes by context: "o100" before "o101"
    for (const auto& serial : t.serials()) {
      t.order("o" + std::to_string(n++), serial);
    }
    t.b.time.now += 1'000;
  }
  ~slow_bench() {
    t.b.ca->on_revoke = {};
    t.queue.on_upload = {};
    calls.let_go(0);
    t.b.crash();
  }
  slow_bench(const slow_bench&) = delete;

  void hold_the_ca() {
    t.b.ca->on_revoke = [this](const auto&) {
      calls.hold();
      return std::nullopt;
    };
  }
  [[nodiscard]] std::size_t recorded() const {
    return static_cast<std::size_t>(
      std::count_if(t.queue.orders.begin(), t.queue.orders.end(),
                    [](const auto& one) { return one.second.recorded; }));
  }
  /// Each held call ends after `call_ms`.
  template <class Done>
  bool advance_until(Done done, std::int64_t call_ms, std::int64_t limit_ms) {
    for (std::int64_t gone = 0; gone < limit_ms && !done(); gone += bench::step_ms) {
      calls.let_go(call_ms);
      t.b.advance(bench::step_ms);
    }
    return done();
  }
};

constexpr std::int64_t for_ever = 1LL << 40;

} // namespace

TEST_CASE("a CA that holds its answers keeps no other order's report waiting", "[actors][orders]") {
  slow_bench s(8);
  s.hold_the_ca();
  s.t.order("not ours", "abcdef0123456789");
  s.t.b.start();
  CHECK(s.advance_until([&] { return s.t.queue.orders["not ours"].recorded; }, for_ever, 10'000));
  CHECK(s.t.b.ca->revocations == order_turns::alike_max);
  CHECK(s.t.revoked() == 0);
  // Nor one that comes with a later download.
  s.t.order("later", "no serial number");
  s.t.b.time.now += 3'790'000;
  CHECK(s.advance_until([&] { return s.t.queue.orders["later"].recorded; }, for_ever, 10'000));
  CHECK(s.t.b.ca->revocations == order_turns::alike_max);
}

TEST_CASE("reports leave while a slow CA has orders to carry out, in few calls",
          "[actors][orders]") {
  slow_bench s(40);
  s.hold_the_ca();
  s.t.b.start();
  std::size_t unreported_max = 0;
  const bool done = s.advance_until(
    [&] {
      unreported_max = std::max(unreported_max, s.t.revoked() - s.recorded());
      return s.t.queue.all_recorded();
    },
    1'000, 30'000);
  CHECK(done);
  CHECK(s.t.revoked() == 40);
  CHECK(s.t.b.ca->revocations == 40);
  // Four in a second, for as long as a report waits, and what the steps of this clock add.
  CHECK(unreported_max <= 4 * (order_turns::report_wait_ms / 1'000 + 1));
  CHECK(s.t.queue.batches.size() <= 8);
}

TEST_CASE("a full batch of reports does not wait", "[actors][orders]") {
  slow_bench s(20);
  s.t.b.plant.settings.revocations_max = 4;
  s.hold_the_ca();
  s.t.b.start();
  REQUIRE(s.advance_until([&] { return s.t.queue.all_recorded(); }, 100, 30'000));
  CHECK(std::count(s.t.queue.batches.begin(), s.t.queue.batches.end(), 4U) >= 3);
}

TEST_CASE("a service that holds its answers to reports keeps no order from its CA",
          "[actors][orders]") {
  slow_bench s(12);
  s.t.b.plant.settings.revocations_max = 2; // several transactions: many reports
  s.t.queue.on_upload = [&] { s.calls.hold(); };
  s.t.b.start();
  CHECK(s.advance_until([&] { return s.t.revoked() == 12; }, for_ever, 10'000));
  CHECK(s.recorded() == 0);
  CHECK(s.t.queue.batches.size() <= order_turns::alike_max);
  s.t.queue.on_upload = {};
  CHECK(s.advance_until([&] { return s.t.queue.all_recorded(); }, 0, 10'000));
}

TEST_CASE("one call of a kind is not made in the place of another's", "[actors][orders]") {
  desk d;
  order_turns turns(100);
  const auto next = [&] {
    auto call = turns.next(d.book, d.now);
    return call ? call->what : action::none;
  };
  for (const auto* context : {"a", "b", "c", "d", "e"}) {
    d.download({desk::offer(context)});
  }
  while (d.sync()) {}
  CHECK(next() == action::choose);
  CHECK(next() == action::none);
  turns.ended(action::choose);
  for (const auto* context : {"a", "b", "c", "d", "e"}) {
    d.answer(context, {.kind = event_kind::chosen, .authority = "ca", .serial = "a"});
  }
  while (d.sync()) {}
  for (std::size_t i = 0; i < order_turns::alike_max; ++i) {
    CHECK(next() == action::revoke);
  }
  CHECK(next() == action::none); // the fifth waits for its kind
  d.answer("a", {.kind = event_kind::ca_done});
  turns.ended(action::revoke);
  while (d.sync()) {}
  CHECK(next() == action::report); // the first leaves at once
  CHECK(next() == action::revoke);
  d.answer("b", {.kind = event_kind::ca_done});
  while (d.sync()) {}
  CHECK(next() == action::none);
  turns.ended(action::report);
  CHECK(next() == action::none); // the next one waits for company
  d.now.boot += order_turns::report_wait_ms;
  CHECK(next() == action::report);
  CHECK(turns.under_way() == 5);
}
