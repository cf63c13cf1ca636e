// RFC 3339 both ways, and the machine's clocks.
#include "core/clock.hpp"

#include "tests/catch.hpp"

using namespace pfx;

TEST_CASE("the examples of RFC 3339 are read", "[core][clock]") {
  // RFC 3339, 5.8; the moments are from `date -u -d ... +%s`.
  CHECK(*from_rfc3339("1985-04-12T23:20:50.52Z") == 482196050520);
  CHECK(*from_rfc3339("1996-12-19T16:39:57-08:00") == 851042397000);
  CHECK(*from_rfc3339("1937-01-01T12:00:27.87+00:20") == -1041337172130);
}

TEST_CASE("times with any offset, fraction and letter case are read", "[core][clock]") {
  CHECK(*from_rfc3339("1970-01-01T00:00:00Z") == 0);
  CHECK(*from_rfc3339("1970-01-01t00:00:00z") == 0);
  CHECK(*from_rfc3339("1970-01-01T00:00:00-00:00") == 0);
  CHECK(*from_rfc3339("1970-01-01T01:00:00+01:00") == 0);
  CHECK(*from_rfc3339("1969-12-31T00:01:00-23:59") == 0);
  CHECK(*from_rfc3339("2026-11-01T12:00:00.1234567Z") == 1793534400123);
  CHECK(*from_rfc3339("2026-11-01T12:00:00.9999999999999999999999Z") == 1793534400999);
  CHECK(*from_rfc3339("2024-02-29T00:00:00Z") == 1709164800000);
  CHECK(*from_rfc3339("2000-02-29T00:00:00Z") == 951782400000);
  CHECK(*from_rfc3339("9999-12-31T23:59:59.999Z") == 253402300799999);
  CHECK(*from_rfc3339("0000-01-01T00:00:00Z") == -62167219200000);
}

TEST_CASE("a leap second is refused with a sentence that says so", "[core][clock]") {
  const auto got = from_rfc3339("1990-12-31T23:59:60Z"); // RFC 3339, 5.8
  REQUIRE_FALSE(got);
  CHECK(got.error().code == errc::bad_input);
  CHECK(got.error().message.find("leap second") != std::string::npos);
  CHECK_FALSE(from_rfc3339("1990-12-31T15:59:60-08:00"));
}

TEST_CASE("what is no RFC 3339 time is refused", "[core][clock]") {
  for (const auto* text : {"",
                           "2026",
                           "2026-11-01",
                           "2026-11-01T12:00Z",
                           "2026-11-01T12:00:00",
                           "2026-11-01 12:00:00Z",
                           "2026-11-01T12:00:00.Z",
                           "2026-11-01T12:00:00,5Z",
                           "2026-11-01T12:00:00+0100",
                           "2026-11-01T12:00:00+01",
                           "2026-11-01T12:00:00+24:00",
                           "2026-11-01T12:00:00+01:60",
                           "2026-11-01T12:00:00ZZ",
                           "2026-11-01T12:00:00Z ",
                           " 2026-11-01T12:00:00Z",
                           "2026-11-01T24:00:00Z",
                           "2026-11-01T12:60:00Z",
                           "2026-11-01T12:00:61Z",
                           "2026-13-01T12:00:00Z",
                           "2026-00-01T12:00:00Z",
                           "2026-11-00T12:00:00Z",
                           "2026-11-31T12:00:00Z",
                           "2026-02-29T12:00:00Z",
                           "1900-02-29T12:00:00Z",
                           "26-11-01T12:00:00Z",
                           "+2026-11-01T12:00:00Z",
                           "-2026-11-01T12:00:00Z",
                           "12026-11-01T12:00:00Z",
                           "2026-1-01T12:00:00Z",
                           "2026-11-1T12:00:00Z",
                           "2026-11-01T1:00:00Z",
                           "2026-11-01T-1:00:00Z",
                           "2026-11-01T12:00:0xZ",
                           "2026/11/01T12:00:00Z",
                           "20261101T120000Z",
                           "2026-W44-7",
                           "2026-305",
                           "2026-11-01T12:00:00UTC",
                           "2026-11-01T12:00:00-",
                           "1793534400",
                           "Sun, 01 Nov 2026 12:00:00 GMT",
                           "2026-11-01T12:00:00.5",
                           "٢٠٢٦-11-01T12:00:00Z"}) {
    CAPTURE(text);
    const auto got = from_rfc3339(text);
    REQUIRE_FALSE(got);
    CHECK(got.error().code == errc::bad_input);
    CHECK(got.error().field.empty());
    CHECK_FALSE(got.error().message.empty());
  }
  CHECK_FALSE(from_rfc3339(std::string_view("2026-11-01T12:00:00Z\0", 21)));
}

TEST_CASE("moments are written in UTC, without a fraction of zero", "[core][clock]") {
  CHECK(to_rfc3339(0) == "1970-01-01T00:00:00Z");
  CHECK(to_rfc3339(1793534400250) == "2026-11-01T12:00:00.250Z");
  CHECK(to_rfc3339(1793534400001) == "2026-11-01T12:00:00.001Z");
  CHECK(to_rfc3339(-1) == "1969-12-31T23:59:59.999Z");
  CHECK(to_rfc3339(-86400000) == "1969-12-31T00:00:00Z");
  CHECK(to_rfc3339(951782400000) == "2000-02-29T00:00:00Z");
}

TEST_CASE("moments beyond four-digit years are shown as the nearest end", "[core][clock]") {
  CHECK(to_rfc3339(INT64_MAX) == "9999-12-31T23:59:59.999Z");
  CHECK(to_rfc3339(INT64_MIN) == "0000-01-01T00:00:00Z");
}

TEST_CASE("a written moment is read as the same one", "[core][clock]") {
  for (unix_ms moment = -62167219200000; moment < 253402300799999; moment += 86399999LL * 367) {
    const auto text = to_rfc3339(moment);
    CAPTURE(text);
    REQUIRE(from_rfc3339(text));
    CHECK(*from_rfc3339(text) == moment);
  }
}

TEST_CASE("the machine's clocks are in this century and do not run backwards", "[core][clock]") {
  const auto& now = system_clock();
  CHECK(now.wall() > *from_rfc3339("2020-01-01T00:00:00Z"));
  CHECK(now.wall() < *from_rfc3339("2120-01-01T00:00:00Z"));
  const auto first = now.boot();
  CHECK(first > 0);
  CHECK(now.boot() >= first);
}
