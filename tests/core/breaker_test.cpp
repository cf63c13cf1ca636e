// The breaker: opens late, rests longer each time, sends one probe, closes at the first answer.
#include "core/breaker.hpp"

#include "tests/catch.hpp"

using pfx::breaker;

namespace {

breaker longest() {
  return breaker([] { return ~std::uint64_t{0} - 1'000'000; });
}

void fail(breaker& of, int times, std::int64_t now) {
  for (int i = 0; i < times; ++i) {
    of.failed(now, 0);
  }
}

} // namespace

TEST_CASE("a few failures hold nobody back, and an answer forgets them", "[core][breaker]") {
  breaker b([] { return 7u; });
  for (int round = 0; round < 10; ++round) {
    fail(b, breaker::failures_to_open - 1, 1'000);
    CHECK(b.wait_ms(1'000) == 0);
    b.answered();
  }
}

TEST_CASE("after as many as it takes everybody waits, then one goes first", "[core][breaker]") {
  breaker b([] { return 499u; });
  fail(b, breaker::failures_to_open, 1'000);
  CHECK(b.open(1'000));
  CHECK(b.wait_ms(1'000) == 500);
  CHECK(b.wait_ms(1'499) == 1);
  CHECK(b.wait_ms(1'500) == 0); // the probe
  CHECK(b.wait_ms(1'500) > 0);  // behind it
  b.answered();
  CHECK(b.wait_ms(1'500) == 0);
  CHECK(b.wait_ms(1'500) == 0);
}

TEST_CASE("each probe that fails makes the rest longer, up to a limit", "[core][breaker]") {
  auto b = longest();
  std::int64_t now = 0;
  fail(b, breaker::failures_to_open, now);
  std::int64_t before = 0;
  for (int i = 0; i < 20; ++i) {
    const auto rest = b.wait_ms(now);
    CHECK(rest <= breaker::rest_max_ms);
    CHECK((rest > before / 2 || rest > breaker::rest_max_ms / 2));
    before = rest;
    now += rest;
    REQUIRE(b.wait_ms(now) == 0);
    b.failed(now, 0);
  }
}

TEST_CASE("calls that were on their way when it opened do not make the rest longer",
          "[core][breaker]") {
  breaker b([] { return 499u; });
  fail(b, 100, 1'000);
  CHECK(b.wait_ms(1'000) == 500);
}

TEST_CASE("whoever asks for silence gets it at once, within reason", "[core][breaker]") {
  breaker b([] { return 0u; });
  b.failed(1'000, 5'000);
  CHECK(b.wait_ms(1'000) == 5'000);
  b.failed(1'000, std::int64_t{10} * 365 * 24 * 3'600'000);
  CHECK(b.wait_ms(1'000) == breaker::asked_rest_max_ms);
  CHECK(b.wait_ms(1'000 + breaker::asked_rest_max_ms) == 0);
}

TEST_CASE("a probe that never ends does not hold everybody for ever", "[core][breaker]") {
  breaker b([] { return 0u; });
  b.failed(0, 1'000);
  REQUIRE(b.wait_ms(1'000) == 0);
  CHECK(b.wait_ms(30'000) > 0);
  CHECK(b.wait_ms(200'000) == 0);
}
