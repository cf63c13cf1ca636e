// Breakers before a CA and a service: what is held back was never sent, and says so.
#include "connect/ca/breaking_authority.hpp"
#include "connect/service/breaking_client.hpp"
#include "tests/catch.hpp"

using namespace pfx;

namespace {

struct still_clock final : clock {
  [[nodiscard]] unix_ms wall() const override { return now; }
  [[nodiscard]] boot_ms boot() const override { return now; }
  std::int64_t now = 1'000;
};

struct silent_authority final : connect::ca::authority {
  connect::ca::ca_answer submit(const connect::ca::submission&) override {
    ++calls;
    return {.status = answers ? connect::ca::ca_status::refused : connect::ca::ca_status::unknown};
  }
  connect::ca::ca_answer find(const digest&) override { return submit({}); }
  connect::ca::revoke_answer revoke(const connect::ca::revoke_order&) override {
    ++calls;
    return {};
  }
  int calls = 0;
  bool answers = false;
};

std::uint64_t no_random() { return 0; }

} // namespace

TEST_CASE("a silent CA is left alone, and what is held back was never sent", "[ca][breaker]") {
  still_clock time;
  auto silent = std::make_unique<silent_authority>();
  auto& seen = *silent;
  const auto ca = connect::ca::with_breaker(std::move(silent), time, no_random);
  for (std::uint32_t i = 0; i < breaker::failures_to_open; ++i) {
    CHECK(ca->submit({}).maybe_arrived);
  }
  const auto before = seen.calls;
  const auto held = ca->submit({});
  CHECK(held.status == connect::ca::ca_status::unknown);
  CHECK_FALSE(held.maybe_arrived);
  CHECK(held.retry_after_ms > 0);
  const auto revocation = ca->revoke({});
  CHECK(revocation.status == connect::ca::revoke_status::unknown);
  CHECK(revocation.held_back);
  CHECK(revocation.retry_after_ms > 0);
  CHECK(ca->find({}).retry_after_ms > 0);
  CHECK(seen.calls == before);
  time.now += breaker::rest_max_ms;
  seen.answers = true;
  CHECK(ca->submit({}).status == connect::ca::ca_status::refused); // an answer all the same
  CHECK(ca->find({}).status == connect::ca::ca_status::refused);
  CHECK_FALSE(ca->revoke({}).held_back); // it was sent, and got no answer
}
