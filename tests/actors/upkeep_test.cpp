// What ends soon is told in time, once a day, and no longer than it is true; what renews itself is
// told only when that did not happen.
#include "actors/tasks/upkeep.hpp"

#include <algorithm>

#include "tests/actors/harness.hpp"
#include "tests/catch.hpp"

using namespace pfx;
using namespace pfx::test;
using actors::tasks::expiry;
using actors::tasks::renewal;

namespace {

constexpr std::int64_t day_ms = 86'400'000;

/// What a test says of certificates and secrets.
class fake_port final : public actors::tasks::upkeep_port {
public:
  [[nodiscard]] std::vector<expiry> expiries() const override { return ends; }
  [[nodiscard]] std::string health_json() const override { return R"({"version":"t"})"; }
  renewal renew_if_due() override {
    ++looks;
    return next;
  }
  std::vector<expiry> ends;
  renewal next;
  std::size_t looks = 0;
};

struct looked_after {
  bench b;
  fake_port port;
  std::vector<actors::tasks::report> told;

  looked_after() {
    b.plant.upkeep = &port;
    b.plant.tell = [this](const actors::tasks::report& what) { told.push_back(what); };
  }
  [[nodiscard]] std::size_t events(std::uint16_t id) const {
    return static_cast<std::size_t>(
      std::count_if(told.begin(), told.end(), [id](const auto& one) { return one.id == id; }));
  }
  [[nodiscard]] bool shows(std::string_view part) const {
    const auto all = b.plant.attention.current();
    return std::any_of(all.begin(), all.end(), [part](const std::string& one) {
      return one.find(part) != std::string::npos;
    });
  }
};

} // namespace

TEST_CASE("an end is told sixty days ahead, once a day, and at the end as an error",
          "[actors][upkeep]") {
  looked_after t;
  actors::tasks::upkeep_memory memory;
  const auto ends = t.b.time.wall() + 61 * day_ms;
  t.port.ends = {{"intune.credentials[0] (secret.txt)", ends, false}};
  const auto look = [&] { actors::tasks::tell_expiries(t.b.plant, memory); };
  look();
  CHECK(t.told.empty());
  CHECK(t.b.plant.attention.current().empty());
  t.b.time.now += 2 * day_ms;
  look();
  look();
  CHECK(t.events(5010) == 1);
  CHECK(t.shows("intune.credentials[0] (secret.txt) ends at"));
  CHECK(t.shows("in 59 days"));
  t.b.time.now += day_ms;
  look();
  CHECK(t.events(5010) == 2);
  CHECK(t.told.back().severity == actors::tasks::report::level::warning);
  t.b.time.now += 100 * day_ms;
  look();
  CHECK(t.shows("ended at"));
  CHECK(t.told.back().severity == actors::tasks::report::level::error);
  t.port.ends[0].ends_at = t.b.time.wall() + 300 * day_ms; // replaced
  look();
  CHECK(t.b.plant.attention.current().empty());
}

TEST_CASE("what renews itself is told only when it did not", "[actors][upkeep]") {
  looked_after t;
  actors::tasks::upkeep_memory memory;
  t.port.ends = {{"the connector certificate", t.b.time.wall() + 8 * day_ms, true}};
  actors::tasks::tell_expiries(t.b.plant, memory);
  CHECK(t.told.empty());
  t.b.time.now += 2 * day_ms;
  actors::tasks::tell_expiries(t.b.plant, memory);
  CHECK(t.shows("the connector certificate ends at"));
}

TEST_CASE("a renewal is told, and a failed one stays in view until it came", "[actors][upkeep]") {
  looked_after t;
  t.port.next.fault = "unavailable: no connection";
  actors::tasks::run_upkeep(t.b.plant);
  actors::tasks::run_upkeep(t.b.plant);
  CHECK(t.events(5012) == 1);
  CHECK(t.shows("no connection"));
  t.port.next = {.renewed = true, .ends_at = t.b.time.wall() + day_ms, .fault = {}};
  actors::tasks::run_upkeep(t.b.plant);
  CHECK(t.events(5011) == 1);
  CHECK(t.b.plant.attention.current().empty());
}

TEST_CASE("the reporter looks from the first moment on, and again and again", "[actors][upkeep]") {
  looked_after t;
  t.b.plant.settings.upkeep_interval_ms = 1'000;
  t.b.start();
  CHECK(t.port.looks >= 1);
  const auto before = t.port.looks;
  t.b.advance(10'000);
  CHECK(t.port.looks >= before + 9);
  CHECK(t.port.looks <= before + 11);
  CHECK(t.b.service.health.back() == R"({"version":"t"})");
  t.b.service.offer(t.b.request("r"));
  CHECK(t.b.advance_until([&] { return t.b.service.all_recorded(); }));
}
