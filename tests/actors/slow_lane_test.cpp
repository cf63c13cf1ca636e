// The slow lane: files whose key derivations take long delay nobody, whatever happens meanwhile.
#include "tests/actors/import_support.hpp"

using namespace pfx;
using namespace pfx::test;

namespace {

/// Work that waits until somebody lets it run.
class held_executor final : public actors::tasks::executor {
public:
  bool post(actors::tasks::job work) override {
    held.push_back(std::move(work));
    return true;
  }
  void run() {
    for (auto& one : std::exchange(held, {})) {
      one();
    }
  }
  std::vector<actors::tasks::job> held;
};

/// Refuses so many jobs, then runs them.
class failing_executor final : public actors::tasks::executor {
public:
  bool post(actors::tasks::job work) override {
    if (refusals > 0) {
      --refusals;
      return false;
    }
    work();
    return true;
  }
  int refusals = 0;
};

/// Files that take long, to import under `name`0, `name`1, …
void offer_slow(bench& b, int count, const std::string& name = "slow") {
  const auto file = file_with(b, 150'000, "password");
  const auto thumbprint = to_hex(crypto::sha1(b.device.certificate.der()));
  for (int i = 0; i < count; ++i) {
    b.service.offer(b.import(name + std::to_string(i), file, "password", thumbprint));
  }
}

} // namespace

TEST_CASE("a file that takes long delays nobody", "[actors][import]") {
  bench b;
  make_key(b);
  held_executor slow;
  b.plant.background = &slow;
  offer_slow(b, 30); // more than the lanes have places
  b.service.offer(b.request("create"));
  b.service.offer(sample(b, "quick"));
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("create") && b.settled("quick"); }));
  CHECK(b.plant.totals.keys_used == 1); // none was used for a file that only waits
  CHECK_FALSE(slow.held.empty());
  CHECK(b.open_record("slow0")->attempts == 1);
  CHECK(b.open_record("slow29")->attempts == 0); // it waits, and is not at work
  REQUIRE(b.advance_until([&] {
    slow.run();
    return b.service.all_recorded();
  }));
  CHECK(b.settled("slow29")->outcome == settled_as::delivered);
  CHECK(b.plant.totals.keys_used == 31);
}

TEST_CASE("what waited for the slow lane at a crash delays nobody after it", "[actors][import]") {
  bench b;
  make_key(b);
  held_executor slow;
  b.plant.background = &slow;
  offer_slow(b, 12);
  b.start();
  b.advance(2'000);
  b.crash();
  slow.held.clear();
  b.service.offer(b.request("create"));
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("create").has_value(); }));
  int done = 0; // alone, as suspects: those that the lane had begun with
  for (int i = 0; i < 12; ++i) {
    done += b.settled("slow" + std::to_string(i)) ? 1 : 0;
  }
  CHECK(done <= 2);
  REQUIRE(b.advance_until([&] {
    slow.run();
    return b.service.all_recorded();
  }));
}

TEST_CASE("imports that wait leave room for creates", "[actors][import]") {
  bench b;
  make_key(b);
  held_executor slow;
  b.plant.background = &slow;
  b.plant.settings.open_requests_max = 8;
  offer_slow(b, 20, "an import ");
  for (int i = 0; i < 5; ++i) {
    b.service.offer(b.request("create" + std::to_string(i))); // behind them all
  }
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("create4").has_value(); }));
  CHECK_FALSE(slow.held.empty());
  REQUIRE(b.advance_until(
    [&] {
      slow.run();
      return b.service.all_recorded();
    },
    200'000));
}

TEST_CASE("slow work that fails once is done again and holds nobody's place", "[actors][import]") {
  bench b;
  make_key(b);
  failing_executor flaky;
  flaky.refusals = 20;
  b.plant.background = &flaky;
  offer_slow(b, 20);
  b.service.offer(b.request("create"));
  b.start();
  REQUIRE(b.advance_until([&] { return b.service.all_recorded(); }, 200'000));
  for (int i = 0; i < 20; ++i) {
    CHECK(b.settled("slow" + std::to_string(i))->outcome == settled_as::delivered);
  }
}
