// What is waited for before the engine says that it halted, and what it waits for instead of
// halting.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "actors/tasks/ledger.hpp"
#include "storage/anchor_file.hpp"
#include "tests/actors/harness.hpp"
#include "tests/catch.hpp"

using namespace pfx;
using test::bench;

namespace {

/// A disk thread that waits until somebody lets it run.
class held_disk final : public actors::tasks::executor {
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

/// Calls wait as soon as a CA was asked, until somebody lets them run.
class calls_after_submit final : public actors::tasks::executor {
public:
  bool post(actors::tasks::job work) override {
    if (of->ca->submits == 0) {
      work();
    } else {
      held.push_back(std::move(work));
    }
    return true;
  }
  const bench* of = nullptr;
  std::vector<actors::tasks::job> held;
};

/// Does something as soon as anybody looks at it.
class hooked_clock final : public pfx::clock {
public:
  [[nodiscard]] unix_ms wall() const override { return real->wall(); }
  [[nodiscard]] boot_ms boot() const override {
    if (auto now = std::exchange(hook, {})) {
      now();
    }
    return real->boot();
  }
  const pfx::clock* real = nullptr;
  mutable std::function<void()> hook;
};

bool marked(const bench& b) {
  const auto mark = b.plant.store->meta(std::string(actors::tasks::halted_mark)).value();
  return mark.has_value() && !mark->empty();
}

} // namespace

TEST_CASE("a halt for good is told when its mark is durable, and not before", "[actors][halt]") {
  bench b;
  b.start();
  b.advance(1'000);
  held_disk disk;
  b.plant.disk = &disk;
  b.service.stale = true;
  b.advance(5'000);
  CHECK(b.plant.halted); // nothing is sent any more
  CHECK_FALSE(b.halted());
  CHECK_FALSE(marked(b));
  SECTION("the disk answers") {
    disk.run();
    b.run();
    CHECK(b.halted());
    CHECK(b.halted_by() == errc::stale_epoch);
    CHECK(marked(b));
  }
  SECTION("the disk never answers: there is a limit") {
    b.advance(15'000);
    CHECK(b.halted());
    CHECK(b.halted_by() == errc::stale_epoch);
  }
}

TEST_CASE("another process under our name ends a run for good as soon as that was accepted",
          "[actors][halt]") {
  bench b;
  b.service.anchor
    = connect::service::anchor{7, crypto::certificate(b.device.certificate).thumbprint()};
  b.service.fail_pages = 1;
  b.start();
  const auto asked = [&b](const char* what) {
    return std::count(b.service.calls.begin(), b.service.calls.end(), what);
  };
  REQUIRE(b.advance_until([&] { return asked("handed_to_me") == 1; }, 20'000));
  CHECK_FALSE(b.halted());
  const auto epoch = b.plant.caller.current().epoch;
  SECTION("while it asks about everything") { b.service.stale = true; }
  SECTION("at the check-in behind that") { b.service.epoch_seen = 99; }
  REQUIRE(b.advance_until([&] { return b.halted(); }, 20'000));
  CHECK(b.halted_by() == errc::stale_epoch);
  CHECK(marked(b));
  CHECK(b.plant.caller.current().epoch == epoch);
  CHECK(asked("download") == 0);
}

TEST_CASE("another process under our name ends a run for good also while it stops",
          "[actors][halt]") {
  calls_after_submit calls; // outlive the bench
  hooked_clock time;
  bench b;
  calls.of = &b;
  time.real = &b.time;
  b.plant.io = &calls;
  b.plant.time = &time;
  b.service.offer(b.request("one"));
  b.start();
  REQUIRE(b.advance_until([&] {
    const auto one = b.open_record("one");
    return one && one->state == record_state::prepared && !calls.held.empty();
  }));
  b.service.stale = true;
  time.hook = [&calls] {
    for (auto& one : std::exchange(calls.held, {})) {
      one();
    }
  };
  CHECK_FALSE(b.stop());
  CHECK(std::count(b.service.calls.begin(), b.service.calls.end(), "upload") == 1);
  b.start(1);
  CHECK(marked(b));
}

TEST_CASE("a reconcile waits for disk space instead of halting", "[actors][halt]") {
  bench b;
  b.service.anchor
    = connect::service::anchor{7, crypto::certificate(b.device.certificate).thumbprint()};
  b.start(1); // the first check-in was sent
  b.free_bytes = 0;
  b.run();
  b.advance(10'000);
  CHECK_FALSE(b.halted());
  CHECK(b.plant.attention.current().size() == 1);
  const auto& calls = b.service.calls;
  CHECK(std::count(calls.begin(), calls.end(), "handed_to_me") == 0);
  b.free_bytes = 1ull << 40;
  REQUIRE(b.advance_until(
    [&] { return std::count(calls.begin(), calls.end(), "handed_to_me") > 0; }, 20'000));
  CHECK(b.plant.attention.current().empty());
  CHECK_FALSE(b.halted());
}

TEST_CASE("an anchor that cannot be written is shown, and written as soon as it can be",
          "[actors][halt]") {
  bench b;
  const auto folder = std::filesystem::path(b.anchor_path()).parent_path() / "a";
  b.plant.settings.anchor_file = (folder / "b" / "anchor").string();
  int told = 0;
  b.plant.tell = [&told](const actors::tasks::report& what) {
    told += what.text.find("anchor") != std::string::npos ? 1 : 0;
  };
  b.start();
  b.advance(10'000);
  REQUIRE(b.plant.attention.current().size() == 1);
  CHECK(b.plant.attention.current()[0].find("set anchorFile") != std::string::npos);
  CHECK(told == 1);
  std::filesystem::create_directory(folder); // the last folder is made by whoever writes
  b.advance(3'000);
  CHECK(b.plant.attention.current().empty());
  const auto outside = storage::read_anchor(b.plant.settings.anchor_file).value();
  REQUIRE(outside.has_value());
  CHECK(outside->sequence == b.plant.store->last_audit().value()->sequence);
}
