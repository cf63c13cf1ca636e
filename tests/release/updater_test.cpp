// The engine's side of an update: what it takes, when, and what it asks for.
#include "release/updater.hpp"

#include "tests/catch.hpp"
#include "tests/release/machine.hpp"

using namespace pfx;
using namespace pfx::test;

TEST_CASE("a release of the feed is staged once, and a restart knows it", "[release]") {
  const machine at;
  at.room.offer(sample_manifest(v2, "two"), "two");
  auto by = at.open(at.settings());
  auto found = by.look(*at.room.feed(), release_now);
  REQUIRE(found);
  CHECK(found->taken);
  CHECK_FALSE(found->staged);
  REQUIRE(fetch_all(by, *at.room.feed(), *found));
  auto again = at.open(at.settings());
  CHECK(again.look(*at.room.feed(), release_now)->staged);
  CHECK(again.history().find("staged 0.2.0") != std::string::npos);
}

TEST_CASE("what is installed is not taken again, and an empty feed is said", "[release]") {
  const machine at;
  auto by = at.open(at.settings());
  CHECK(by.look(*at.room.feed(), release_now).error().code == errc::not_found);
  at.room.offer(sample_manifest(v1, "one"), "one");
  const auto found = by.look(*at.room.feed(), release_now);
  REQUIRE(found);
  CHECK_FALSE(found->taken);
  CHECK(found->sentence == "0.1.0 is installed");
}

TEST_CASE("a share keeps others out until their turn, an operator's word does not wait",
          "[release]") {
  const machine at;
  auto what = sample_manifest(v2, "two");
  what.share = 0;
  at.room.offer(what, "two");
  auto by = at.open(at.settings());
  CHECK_FALSE(by.look(*at.room.feed(), release_now)->taken);
  CHECK(by.look(*at.room.feed(), release_now, true)->taken);
  what.share = 100;
  at.room.offer(what, "two");
  CHECK(by.look(*at.room.feed(), release_now)->taken);
}

TEST_CASE("a pin lets through what begins with it", "[release]") {
  CHECK(release::fits_pin({{1, 2, 3}}, ""));
  CHECK(release::fits_pin({{1, 2, 3}}, "1"));
  CHECK(release::fits_pin({{1, 2, 3}}, "1.2"));
  CHECK(release::fits_pin({{1, 2, 3}}, "1.2.3"));
  CHECK_FALSE(release::fits_pin({{1, 20, 3}}, "1.2"));
  CHECK_FALSE(release::fits_pin({{10, 2, 3}}, "1"));
  for (const auto* bad : {"x", "1.", ".1", "1.2.3.4", "01", "1 ", "-1", "1.2.3\n", "100000"}) {
    CAPTURE(bad);
    CHECK_FALSE(release::pin_from(bad));
  }
  const machine at;
  at.room.offer(sample_manifest(v2, "two"), "two");
  auto by = at.open(at.settings());
  REQUIRE(by.set_pin("0.1"));
  CHECK(by.look(*at.room.feed(), release_now)->sentence == "0.2.0 is not taken: pinned to 0.1");
  CHECK_FALSE(by.look(*at.room.feed(), release_now, true)->taken);
  CHECK(*at.open(at.settings()).pin() == "0.1");
  CHECK_FALSE(by.set_pin("no"));
  REQUIRE(by.set_pin(""));
  CHECK(by.look(*at.room.feed(), release_now)->taken);
  at.room.put("updates/pin", "damaged");
  CHECK_FALSE(by.look(*at.room.feed(), release_now));
}

TEST_CASE("a pin takes back a wish that it would not let through", "[release]") {
  const machine at;
  auto by = at.open(at.settings());
  const auto wanted = at.room.path("updates/wanted");
  REQUIRE(by.want(v2, release_now));
  REQUIRE(by.set_pin("0.2"));
  CHECK(text_at(wanted) == "0.2.0\n");
  REQUIRE(by.set_pin("0.1"));
  CHECK_FALSE(std::filesystem::exists(wanted));
  REQUIRE(by.set_pin(""));
  CHECK_FALSE(std::filesystem::exists(wanted));
  CHECK(*by.want(v2, release_now)); // for the first time again
}

TEST_CASE("a window is open in its hours and on its days", "[release]") {
  using release::window;
  constexpr unix_ms sunday_noon = release_now; // 2026-11-01 is a Sunday
  constexpr std::int64_t hour = 3'600'000;
  const auto open = [](const char* text, unix_ms at) { return window::from(text)->open_at(at); };
  CHECK(open("", sunday_noon));
  CHECK(open("12:00-13:00", sunday_noon));
  CHECK_FALSE(open("12:01-13:00", sunday_noon));
  CHECK_FALSE(open("11:00-12:00", sunday_noon));
  CHECK(open("sun 12:00-13:00", sunday_noon));
  CHECK_FALSE(open("mon,sat 12:00-13:00", sunday_noon));
  CHECK(open("sat 22:00-04:00", sunday_noon - 9 * hour)); // Sunday, 03:00: began on Saturday
  CHECK_FALSE(open("sun 22:00-04:00", sunday_noon - 9 * hour));
  CHECK(open("sun 22:00-04:00", sunday_noon + 11 * hour));
  CHECK(open("sun 22:00-04:00", sunday_noon + 15 * hour));
  CHECK(open("sun 00:00-00:00", sunday_noon));
  for (const auto* bad : {"x", "12:00", "12:00-", "24:00-01:00", "12:60-13:00", "1:00-2:00",
                          "12:00-13:00 ", "son 12:00-13:00", "sun, 12:00-13:00", " 12:00-13:00",
                          "sun  12:00-13:00", "12:00-13:000"}) {
    CAPTURE(bad);
    CHECK(window::from(bad).error().field == "window");
  }
}

TEST_CASE("a history stays short and is no way in", "[release]") {
  const maker_room room;
  const auto path = room.path("history");
  for (int at = 0; at < 400; ++at)
    release::add_history(path, release_now, std::string(380, 'x') + std::to_string(at));
  const auto text = release::read_history(path);
  CHECK(text.size() < 64u << 10);
  CHECK(text.find("x399\n") != std::string::npos);
  release::add_history(path, release_now, "two\nlines\x1b[2J");
  CHECK(release::read_history(path).find('\x1b') == std::string::npos);
}
