// What is done to a request before anybody knows whether it is new, and what few results do while a
// call is under way.
#include <algorithm>
#include <deque>

#include "actors/tasks/service_calls.hpp"
#include "tests/actors/harness.hpp"
#include "tests/catch.hpp"

using namespace pfx;
using pfx::test::bench;

namespace {

/// Runs nothing by itself: calls are under way until the test says otherwise.
struct held_executor final : actors::tasks::executor {
  std::deque<actors::tasks::job> waiting;

  bool post(actors::tasks::job work) override {
    waiting.push_back(std::move(work));
    return true;
  }
  bool run_all() {
    const bool any = !waiting.empty();
    while (!waiting.empty()) {
      auto next = std::move(waiting.front());
      waiting.pop_front();
      next();
    }
    return any;
  }
};

std::size_t uploads(const bench& b) {
  return static_cast<std::size_t>(
    std::count(b.service.calls.begin(), b.service.calls.end(), "upload"));
}

} // namespace

TEST_CASE("a settled request is not sealed again, a new one is", "[actors]") {
  bench b;
  b.service.offer(b.request("old"));
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("old").has_value(); }));

  b.service.hand_out_again.insert("old");
  b.service.offer(b.request("new"));
  connect::service::offer wrong;
  wrong.context = "wrong";
  wrong.fingerprint.octets.fill(1);
  wrong.request = failure(errc::bad_input, "kind", "is missing");
  b.service.raw_offers = {wrong};
  auto got = actors::tasks::run_download(b.plant, {10, true});
  REQUIRE(got.list.size() == 3);
  for (const auto& one : got.list) {
    CHECK(one.plain.has_value() != one.fault.has_value());
    CHECK(one.sealed_request.empty());
  }
  const request_key old{"tenant", flow::pfx, "old"};
  actors::tasks::seal_arrivals(b.plant, got.list, {{old, *b.settled("old")}});
  REQUIRE(got.list.size() == 3);
  for (const auto& one : got.list) {
    INFO(one.key.context);
    CHECK_FALSE(one.plain.has_value());
    CHECK(one.sealed_request.empty() == (one.key.context != "new"));
  }
}

TEST_CASE("few results wait a moment for others instead of taking a second call", "[actors]") {
  bench b;
  held_executor io;
  b.plant.io = &io;
  const auto until_quiet = [&] {
    do {
      b.run();
    } while (io.run_all());
  };
  std::size_t under_way = 0, a_moment_later = 0;
  b.service.on_upload = [&](const connect::service::upload_entry&) {
    if (uploads(b) != 1 || under_way != 0) {
      return;
    }
    for (const char* name : {"a", "b", "c"}) { // they come while the call is under way
      b.service.offer(b.request(name));
    }
    b.advance(b.plant.settings.poll_interval_ms * 2);
    until_quiet();
    under_way = uploads(b);
    REQUIRE(b.open_record("c").has_value());
    CHECK(b.open_record("c")->state == record_state::prepared);
    b.advance(bench::step_ms);
    until_quiet();
    a_moment_later = uploads(b);
  };
  b.service.offer(b.request("first"));
  b.start();
  const bool all = b.advance_until([&] {
    until_quiet();
    return b.settled("first") && b.settled("a") && b.settled("b") && b.settled("c");
  });
  CHECK(all);
  CHECK(under_way == 1);
  CHECK(a_moment_later == 2); // one call with all three
}
