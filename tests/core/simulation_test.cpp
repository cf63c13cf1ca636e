// The lifecycle under seeded trouble, and the same with engines that are broken on purpose: each
// fault must be seen by the checker, or the checker would prove nothing.
#include "tests/core/simulation_engine.hpp"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <set>

#include "tests/catch.hpp"

namespace {

using namespace pfx;
using namespace pfx::simulation;

constexpr std::uint64_t seeds = 4'000;
constexpr std::uint64_t seeds_for_rare = 20'000; ///< a lease lost on the way of an upload is rare
constexpr std::uint64_t seeds_long = 1'000'000;
constexpr std::uint64_t mutation_seeds_max = 4'000;

void require_sound(std::uint64_t first, std::uint64_t count, coverage* met = nullptr) {
  std::size_t bad = 0;
  for (auto seed = first; seed < first + count; ++seed) {
    const auto how = plan_of(seed);
    for (const auto& [what, text] : run(how, met)) {
      UNSCOPED_INFO(describe(how) << ": " << text);
      ++bad;
    }
  }
  INFO("run one again with PFX_SEED=... and the test [.seed]");
  CHECK(bad == 0);
}

/// True if each of the kinds of violation was shown by some seed.
bool noticed(mutation broken, std::set<violation> wanted,
             const std::function<void(plan&)>& tune = [](plan&) {}) {
  for (std::uint64_t seed = 0; seed < mutation_seeds_max && !wanted.empty(); ++seed) {
    auto how = plan_of(seed);
    how.broken = broken;
    tune(how);
    for (const auto& [what, text] : run(how)) {
      wanted.erase(what);
    }
  }
  for (const auto missing : wanted) {
    UNSCOPED_INFO("never seen: " << name_of(missing));
  }
  return wanted.empty();
}

/// The events that never came.
std::string unmet_of(const coverage& met) {
  std::string out;
  for (std::size_t kind = 0; kind < lifecycle::event_kind_count; ++kind) {
    if (std::count(met[kind].begin(), met[kind].end(), true) == 0) {
      out += std::string(lifecycle::name_of(static_cast<lifecycle::event_kind>(kind))) + " ";
    }
  }
  return out;
}

} // namespace

TEST_CASE("whatever goes wrong, every request ends once and leaves nothing behind",
          "[core][simulation]") {
  // A simulation that meets nothing proves nothing. This CA closes nothing, and this service
  // forgets nothing that it has recorded.
  const std::string never = "ca_closed upload_missing ";
  coverage met{};
  require_sound(0, seeds, &met);
  for (auto seed = seeds; unmet_of(met) != never && seed < seeds_for_rare; seed += seeds) {
    require_sound(seed, seeds, &met);
  }
  CHECK(unmet_of(met) == never);
}

TEST_CASE("one seed, from PFX_SEED", "[.seed][simulation]") {
  const char* seed = std::getenv("PFX_SEED");
  REQUIRE(seed != nullptr);
  auto how = plan_of(std::strtoull(seed, nullptr, 10));
  how.tells = true;
  std::vector<std::string> story;
  const auto found = run(how, nullptr, &story);
  for (const auto& line : story) {
    UNSCOPED_INFO(line);
  }
  CHECK(found.empty());
}

TEST_CASE("whatever goes wrong, for a long time", "[.long][simulation]") {
  require_sound(seeds, seeds_long);
}

TEST_CASE("an engine that submits before its intent is durable is noticed", "[core][simulation]") {
  CHECK(noticed(mutation::submit_before_durable,
                {violation::not_durable, violation::other_key, violation::two_alive}));
}

TEST_CASE("an engine that forgets its intent at a restart is noticed", "[core][simulation]") {
  CHECK(noticed(mutation::intent_in_memory, {violation::other_key, violation::two_alive}));
}

TEST_CASE("an engine that builds a result anew to send it again is noticed", "[core][simulation]") {
  CHECK(noticed(mutation::rebuild_on_retry, {violation::other_bytes}));
}

TEST_CASE("an engine that keeps no settled record is noticed", "[core][simulation]") {
  CHECK(noticed(mutation::forget_settled, {violation::settled_reopened}));
}

TEST_CASE("an engine that settles another's result without a walk is noticed",
          "[core][simulation]") {
  CHECK(noticed(mutation::settle_at_once, {violation::surplus_alive}));
}

TEST_CASE("an engine that revokes at the loss of a lease is noticed", "[core][simulation]") {
  CHECK(noticed(mutation::revoke_on_lease_loss, {violation::recorded_revoked}));
}

TEST_CASE("an engine that does not walk after a failure is noticed", "[core][simulation]") {
  CHECK(noticed(mutation::skip_walk_of_failures, {violation::surplus_alive}));
}

TEST_CASE("an engine that takes other bytes for another's result is noticed",
          "[core][simulation]") {
  // Only amnesia between the certificate and its PFX brings other bytes with the same certificate.
  CHECK(noticed(mutation::judge_by_digest,
                {violation::recorded_revoked, violation::recorded_missing}, [](plan& how) {
                  how.crashes = how.restore = true;
                  how.slow = 40;
                }));
}

TEST_CASE("an engine that does not wait for late submits is noticed", "[core][simulation]") {
  CHECK(noticed(mutation::no_settle_wait, {violation::surplus_alive}, [](plan& how) {
    how.expiry_ms = 30'000;
    how.delay_ca = 90;
  }));
}

TEST_CASE("an engine that never reopens what it abandoned is noticed", "[core][simulation]") {
  CHECK(noticed(mutation::abandoned_stays, {violation::lost}));
}

TEST_CASE("an engine that lets a leaseNumber fall is noticed", "[core][simulation]") {
  CHECK(noticed(mutation::lower_lease, {violation::lease_fell}));
}

TEST_CASE("an engine that uses one key twice is noticed", "[core][simulation]") {
  CHECK(noticed(mutation::one_key, {violation::shared_key}));
}

TEST_CASE("an engine that takes silence for acceptance is noticed", "[core][simulation]") {
  CHECK(noticed(mutation::believe_silence, {violation::not_recorded}));
}

TEST_CASE("an engine that never ends a walk is noticed", "[core][simulation]") {
  CHECK(noticed(mutation::endless_walk, {violation::never_quiet}));
}
