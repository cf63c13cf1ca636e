// An update that goes on for days, and two processes at it: what is staged is kept fresh, a wish is
// repeated, a lock is kept to.
#include "release/updater.hpp"

#include <functional>
#include <sys/stat.h>

#include "release/files.hpp"
#include "tests/catch.hpp"
#include "tests/release/machine.hpp"

using namespace pfx;
using namespace pfx::test;

TEST_CASE("a switch is asked for once, in the window, and only if that is wished", "[release]") {
  const machine at;
  at.room.offer(sample_manifest(v2, "two"), "two");
  auto settings = at.settings();
  auto by = at.open(settings);
  auto found = by.look(*at.room.feed(), release_now);
  REQUIRE(fetch_all(by, *at.room.feed(), *found));
  CHECK_FALSE(by.wish_is_due(*found, release_now)); // by hand only
  settings.automatic = true;
  settings.when = *release::window::from("13:00-14:00");
  auto automatic = at.open(settings);
  CHECK_FALSE(automatic.wish_is_due(*found, release_now));
  CHECK(automatic.wish_is_due(*found, release_now + 3'600'000));
  CHECK(*automatic.want(v2, release_now + 3'600'000));
  CHECK_FALSE(automatic.wish_is_due(*found, release_now + 3'600'000));
  CHECK(text_at(release::wish_path(settings.directory)) == "0.2.0\n");
}

TEST_CASE("a wish is repeated later and later while it is not fulfilled", "[release]") {
  const machine at;
  at.room.offer(sample_manifest(v2, "two"), "two");
  auto settings = at.settings();
  settings.automatic = true;
  auto by = at.open(settings);
  auto found = by.look(*at.room.feed(), release_now);
  REQUIRE(fetch_all(by, *at.room.feed(), *found));
  constexpr auto hour = release::wish_again_ms;
  auto now = release_now;
  for (const int hours : {1, 2, 4, 8, 16, 24, 24}) {
    REQUIRE(by.wish_is_due(*found, now));
    REQUIRE(by.want(v2, now));
    CHECK_FALSE(by.wish_is_due(*found, now));
    CHECK_FALSE(at.open(settings).wish_is_due(*found, now + hours * hour - 1)); // a restart, too
    now += hours * hour;
  }
  CHECK(by.wish_is_due(*found, now));
  CHECK(by.wish_is_due(*found, release_now - 1)); // a clock that was ahead
  CHECK(by.history().find("asked for 0.2.0 again") != std::string::npos);
  for (const auto* odd : {"", "x", "0.2.0", "0.2.0 1", "0.2.0 x 1", "0.2.0 1 x", "0.3.0 1 1"}) {
    CAPTURE(odd);
    at.room.put("updates/asked", odd);
    CHECK(by.wish_is_due(*found, now));
  }
}

TEST_CASE("an operator's wish is written anew each time, so that the unit sees it", "[release]") {
  const machine at;
  auto by = at.open(at.settings());
  const auto path = release::wish_path(at.settings().directory);
  const auto file = [&path] {
    struct stat facts {};
    REQUIRE(::stat(path.c_str(), &facts) == 0);
    return std::pair(facts.st_ino, facts.st_ctim.tv_nsec);
  };
  CHECK(*by.want(v2, release_now));
  const auto first = file();
  CHECK_FALSE(*by.want(v2, release_now));
  CHECK(file() != first);
  CHECK(text_at(path) == "0.2.0\n");
}

TEST_CASE("a manifest that was signed anew takes the place of the staged one", "[release]") {
  const machine at;
  auto what = at.room.offer(sample_manifest(v2, "two"), "two");
  auto by = at.open(at.settings());
  auto found = by.look(*at.room.feed(), release_now);
  REQUIRE(fetch_all(by, *at.room.feed(), *found));
  const auto old = at.room.manifest_text();
  what.expires += 30 * a_day;
  what.share = 50;
  at.room.offer(what, "two");
  REQUIRE(at.room.manifest_text() != old);
  REQUIRE(by.look(*at.room.feed(), release_now, true)->staged);
  const auto path = at.room.path("updates/staging/staged.manifest");
  CHECK(text_at(path) == at.room.manifest_text());

  // One that nobody may sign changes nothing.
  const auto good = text_at(path);
  what.expires += a_day;
  at.room.offer(what, "two", {13});
  CHECK_FALSE(by.look(*at.room.feed(), release_now, true));
  CHECK(text_at(path) == good);
}

TEST_CASE("roots that came after the package reach the switch", "[release]") {
  const machine at;
  at.room.offer(sample_manifest(v2, "two"), "two");
  auto by = at.open(at.settings());
  auto found = by.look(*at.room.feed(), release_now);
  REQUIRE(fetch_all(by, *at.room.feed(), *found));
  auto second = sample_root(2);
  second.releases = release_role(1, {14});
  const auto text = at.room.put("feed/2.root", signed_by(release::encode(second), {1, 2}));
  at.room.offer(sample_manifest(v2, "two"), "two", {14});
  REQUIRE(by.look(*at.room.feed(), release_now)->staged);
  CHECK(text_at(at.room.path("updates/staging/roots/2.root")) == text_at(text));
  CHECK(text_at(at.room.path("updates/staging/staged.manifest")) == at.room.manifest_text());
}

TEST_CASE("staged is only what lies there whole", "[release]") {
  const machine at;
  at.room.offer(sample_manifest(v2, "two"), "two");
  auto by = at.open(at.settings());
  auto found = by.look(*at.room.feed(), release_now);
  REQUIRE(fetch_all(by, *at.room.feed(), *found));
  const auto package = at.room.path("updates/staging/pfxengine_0.2.0_linux-x86-64.tar");
  const auto spoil = [&](const std::function<void()>& how) {
    how();
    auto again = by.look(*at.room.feed(), release_now);
    REQUIRE(again);
    CHECK_FALSE(again->staged);
    REQUIRE(fetch_all(by, *at.room.feed(), *again));
    CHECK(text_at(package) == "two");
    CHECK(by.look(*at.room.feed(), release_now)->staged);
  };
  spoil([&] { std::filesystem::remove(package); });
  spoil([&] { std::filesystem::resize_file(package, 2); });
  spoil([&] { std::filesystem::resize_file(package, 4); });
  spoil([&] {
    std::filesystem::remove(package);
    std::filesystem::create_symlink("/dev/zero", package);
  });
}

TEST_CASE("two processes never work on the updates at once", "[release]") {
  const machine at;
  at.room.offer(sample_manifest(v2, "two"), "two");
  auto by = at.open(at.settings());
  auto found = by.look(*at.room.feed(), release_now);
  REQUIRE(found);
  {
    const auto other = release::detail::lock_file(release::lock_path(at.settings().directory), 0);
    REQUIRE(other);
    CHECK(by.look(*at.room.feed(), release_now).error().code == errc::store_locked);
    CHECK(by.fetch(*at.room.feed(), *found, release_now).error().code == errc::store_locked);
    CHECK(by.want(v2, release_now).error().code == errc::store_locked);
    auto patient = at.settings();
    patient.lock_wait_ms = 100;
    CHECK(at.open(patient).look(*at.room.feed(), release_now).error().code == errc::store_locked);
  }
  CHECK_FALSE(std::filesystem::exists(release::wish_path(at.settings().directory)));
  REQUIRE(fetch_all(by, *at.room.feed(), *found));
}

TEST_CASE("what one process learned is not unlearned by another", "[release]") {
  const machine at;
  constexpr release::version v3{{0, 3, 0}};
  at.room.offer(sample_manifest(v2, "two"), "two");
  auto engine = at.open(at.settings());
  auto found = engine.look(*at.room.feed(), release_now);
  REQUIRE(found);
  // An operator's command sees a root and a release more.
  const auto old = at.room.manifest_text();
  at.room.put("feed/2.root", signed_by(release::encode(sample_root(2)), {1, 2}));
  at.room.offer(sample_manifest(v3, "three"), "three");
  auto command = at.open(at.settings());
  auto newer = command.look(*at.room.feed(), release_now);
  REQUIRE(newer);
  // The engine neither stages what is older now, nor writes its old memory over the new one.
  const auto stale = engine.fetch(*at.room.feed(), *found, release_now);
  REQUIRE_FALSE(stale);
  CHECK(stale.error().field == "version");
  at.room.put("feed/pfxengine_linux-x86-64.manifest", old);
  CHECK(engine.look(*at.room.feed(), release_now).error().field == "version");
  const auto trust = release::trust_store::open(at.room.path("updates/trusted"),
                                                at.room.path("first.root"), release_now);
  CHECK(trust->trusted_root().number == 2);
  CHECK(trust->highest()->what == v3);
  // What one has staged, the other need not fetch.
  at.room.offer(sample_manifest(v3, "three"), "three");
  auto mine = engine.look(*at.room.feed(), release_now);
  REQUIRE(fetch_all(command, *at.room.feed(), *newer));
  std::filesystem::remove(at.room.path("feed/pfxengine_0.3.0_linux-x86-64.tar"));
  CHECK(*engine.fetch(*at.room.feed(), *mine, release_now)
        == release::staging_folder::progress::done);
}
