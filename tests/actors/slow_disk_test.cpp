// A disk and workers that take their time: what follows from a fact waits for its write, and a stop
// for what runs.
#include <deque>

#include "tests/actors/harness.hpp"
#include "tests/catch.hpp"

using namespace pfx;
using test::bench;

namespace {

/// Runs what it was given only when it is told to.
class slow_executor final : public actors::tasks::executor {
public:
  bool post(actors::tasks::job work) override {
    waiting_.push_back(std::move(work));
    return true;
  }
  void run_one() {
    if (!waiting_.empty()) {
      auto next = std::move(waiting_.front());
      waiting_.pop_front();
      next();
    }
  }

private:
  std::deque<actors::tasks::job> waiting_;
};

} // namespace

TEST_CASE("on a slow disk nothing is said before it is written", "[actors]") {
  bench b;
  slow_executor disk;
  b.plant.disk = &disk;
  b.service.offer(b.request("one"));
  std::size_t looked = 0;
  b.ca->on_submit = [&](const connect::ca::submission&) {
    CHECK(b.has_blob("one", blob_kind::intent));
    ++looked;
  };
  b.service.on_upload = [&](const connect::service::upload_entry&) {
    CHECK(b.has_blob("one", blob_kind::result));
    ++looked;
  };
  b.start();
  for (int turn = 0; turn < 2'000 && !b.settled("one"); ++turn) {
    if (turn % 8 == 0) {
      disk.run_one();
    }
    b.advance(bench::step_ms);
  }
  CHECK(b.settled("one").has_value());
  CHECK(looked == 2);
}

TEST_CASE("a stop waits for the work that runs, and its outcome is durable", "[actors]") {
  bench b;
  slow_executor cpu;
  b.plant.cpu = &cpu;
  b.service.offer(b.request("one"));
  b.start();
  b.advance(1'000);
  REQUIRE(b.open_record("one")->state == record_state::working);
  REQUIRE(b.stop([&] { cpu.run_one(); }));
  b.start(1);
  CHECK(b.open_record("one")->has_intent);
}
