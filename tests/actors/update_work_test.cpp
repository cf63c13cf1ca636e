// The updater's steps: found, downloaded, staged, asked for; what fails is tried again, later and
// later, and told once.
#include "actors/tasks/update_work.hpp"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>

#include "release/files.hpp"
#include "tests/catch.hpp"
#include "tests/release/scratch.hpp"

using namespace pfx;
using namespace pfx::test;
using actors::tasks::update_step;
namespace update_event = actors::tasks::update_event;

namespace {

constexpr release::version v2{{0, 2, 0}};

struct machine {
  machine() {
    plan.settings.directory = room.path("updates");
    plan.settings.first_root = room.path("first.root");
    plan.settings.platform = "linux-x86-64";
    plan.settings.installed = {{0, 1, 0}};
    plan.settings.connector_id = "connector-1";
    plan.check_interval_ms = 3'600'000;
    plan.open_feed = [this]() -> result<std::unique_ptr<release::feed>> {
      if (away)
        return failure(errc::unavailable, "feed", "is away");
      return room.feed();
    };
  }
  /// Steps until an event of this kind, with the clock that the steps ask for.
  update_step until(actors::tasks::update_work& work, std::uint16_t event) {
    for (int at = 0; at < 2'000; ++at) {
      const auto step = work.step(now);
      if (step.event == event)
        return step;
      now += step.wait_ms;
    }
    FAIL("no such event");
    return {};
  }
  maker_room room;
  actors::tasks::update_plan plan;
  bool away = false;
  unix_ms now = release_now;
};

} // namespace

TEST_CASE("an update is found, staged and, if that is wished, asked for in its window",
          "[actors][release]") {
  machine at;
  const std::string package(3 * release::part_bytes / 2, 'x');
  at.room.offer(sample_manifest(v2, package), package);
  at.plan.settings.automatic = true;
  at.plan.settings.when = *release::window::from("14:00-15:00"); // it is 12:00
  actors::tasks::update_work work(at.plan);
  CHECK(at.until(work, update_event::found).text == "0.2.0 is to be downloaded");
  CHECK(at.until(work, update_event::staged).text == "0.2.0 is staged");
  const auto asked = at.until(work, update_event::wanted);
  CHECK(asked.text == "asked for the switch to 0.2.0");
  CHECK(at.now >= release_now + 2 * 3'600'000);
  CHECK(at.now < release_now + 3 * 3'600'000);
  CHECK(text_at(release::wish_path(at.plan.settings.directory)) == "0.2.0\n");
  for (int step = 0; step < 100; ++step) { // once is enough for this window
    const auto next = work.step(at.now);
    CHECK(next.event != update_event::wanted);
    at.now += next.wait_ms;
  }
  static_cast<void>(at.until(work, update_event::wanted)); // it was not fulfilled
  CHECK(at.now >= release_now + 26 * 3'600'000);
  CHECK(at.now < release_now + 27 * 3'600'000);
}

TEST_CASE("without that wish an operator is told that something is staged", "[actors][release]") {
  machine at;
  at.room.offer(sample_manifest(v2, "two"), "two");
  actors::tasks::update_work work(at.plan);
  static_cast<void>(at.until(work, update_event::staged));
  const auto next = work.step(at.now);
  CHECK(next.notice.find("pfxengine update apply") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(release::wish_path(at.plan.settings.directory)));
}

TEST_CASE("a feed that is away is tried again, later and later, and told once",
          "[actors][release]") {
  machine at;
  at.away = true;
  at.room.offer(sample_manifest(v2, "two"), "two");
  actors::tasks::update_work work(at.plan);
  const auto first = work.step(at.now);
  CHECK(first.failed);
  CHECK(first.event == update_event::failed);
  CHECK(first.notice.empty());
  std::int64_t before = first.wait_ms;
  for (int step = 0; step < 20; ++step) {
    const auto next = work.step(at.now);
    CHECK(next.event == 0);
    CHECK(next.wait_ms >= before);
    CHECK(next.wait_ms <= 3'600'000);
    before = next.wait_ms;
  }
  CHECK_FALSE(work.step(at.now).notice.empty());
  at.away = false;
  static_cast<void>(at.until(work, update_event::staged));
}

TEST_CASE("a feed that lies is shown at once and nothing of it is staged", "[actors][release]") {
  machine at;
  at.room.offer(sample_manifest(v2, "two"), "two", {13});
  actors::tasks::update_work work(at.plan);
  const auto step = work.step(at.now);
  CHECK(step.failed);
  CHECK(step.notice.find("signature") != std::string::npos);
  at.room.offer(sample_manifest(v2, "two"), "owt", {11});
  for (int one = 0; one < 10; ++one)
    at.now += work.step(at.now).wait_ms;
  auto staging = release::staging_folder::open(release::staging_path(at.plan.settings.directory));
  CHECK_FALSE(*staging->current());
}

TEST_CASE("a restart in the middle of a download goes on with it", "[actors][release]") {
  machine at;
  const std::string package(5 * release::part_bytes, 'x');
  const auto of = at.room.offer(sample_manifest(v2, package), package);
  {
    actors::tasks::update_work work(at.plan);
    static_cast<void>(at.until(work, update_event::found));
    static_cast<void>(work.step(at.now));
    static_cast<void>(work.step(at.now));
  }
  auto staging = release::staging_folder::open(release::staging_path(at.plan.settings.directory));
  CHECK(staging->arrived(of) == 2 * release::part_bytes);
  actors::tasks::update_work work(at.plan);
  static_cast<void>(at.until(work, update_event::found));
  CHECK(staging->arrived(of) == 2 * release::part_bytes);
  static_cast<void>(at.until(work, update_event::staged));
}

namespace {

/// A server that answers nothing until it is cancelled.
class silent_feed final : public release::feed {
public:
  void cancel() noexcept override {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }
  result<std::string> document(const std::string& name, std::size_t) override {
    std::unique_lock lock(mutex_);
    asked_ = true;
    changed_.notify_all();
    if (changed_.wait_for(lock, std::chrono::seconds(20), [this] { return cancelled_; }))
      return failure(errc::stopping, name, "cancelled");
    return failure(errc::unavailable, name, "timed out");
  }
  result<std::string> part(const std::string& name, std::uint64_t, std::size_t) override {
    return document(name, 0);
  }
  [[nodiscard]] bool wait_asked() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [this] { return asked_; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = false, cancelled_ = false;
};

} // namespace

TEST_CASE("a step that waits for a feed ends when it is cancelled, and no other begins",
          "[actors][release]") {
  machine at;
  silent_feed* silent = nullptr;
  int opened = 0;
  std::mutex mutex;
  std::condition_variable made;
  at.plan.open_feed = [&]() -> result<std::unique_ptr<release::feed>> {
    auto out = std::make_unique<silent_feed>();
    const std::lock_guard lock(mutex);
    ++opened;
    silent = out.get();
    made.notify_all();
    return out;
  };
  actors::tasks::update_work work(at.plan);
  auto step = std::async(std::launch::async, [&] { return work.step(at.now); });
  {
    std::unique_lock lock(mutex);
    REQUIRE(made.wait_for(lock, std::chrono::seconds(20), [&] { return silent != nullptr; }));
  }
  REQUIRE(silent->wait_asked());
  const auto begun = std::chrono::steady_clock::now();
  work.cancel();
  const auto ended = step.get();
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(10));
  CHECK_FALSE(ended.failed); // a stop is no fault of the feed
  CHECK(ended.event == 0);
  CHECK(work.step(at.now).wait_ms > 0);
  CHECK(opened == 1);

  actors::tasks::update_work never(at.plan); // cancelled before its first step
  never.cancel();
  static_cast<void>(never.step(at.now));
  CHECK(opened == 1);
}

TEST_CASE("while a command works on the updates the engine waits, and says nothing of it",
          "[actors][release]") {
  machine at;
  at.room.offer(sample_manifest(v2, "two"), "two");
  actors::tasks::update_work work(at.plan);
  static_cast<void>(at.until(work, update_event::found));
  {
    std::filesystem::create_directories(at.plan.settings.directory);
    const auto other
      = release::detail::lock_file(release::lock_path(at.plan.settings.directory), 0);
    REQUIRE(other);
    for (int turn = 0; turn < 5; ++turn) {
      const auto step = work.step(at.now);
      CHECK_FALSE(step.failed);
      CHECK(step.event == 0);
      CHECK(step.notice.empty());
      CHECK(step.wait_ms >= 100);
      CHECK(step.wait_ms <= 10'000);
    }
  }
  static_cast<void>(at.until(work, update_event::staged));
}
