// A whole run of the simulation: trouble from outside until the plan ends it, then quiet or not.
#include <algorithm>

#include "tests/core/simulation_engine.hpp"

namespace pfx::simulation {

namespace {

constexpr std::int64_t second = 1'000;
constexpr std::int64_t minute = 60 * second;
constexpr std::uint64_t events_max = 60'000;
constexpr std::int64_t quiet_within_ms = 24 * 60 * minute;

/// Faults that come from outside, once in a while, as long as the plan says.
void trouble(world& all, std::vector<engine>& engines) {
  if (!all.faulty()) {
    return;
  }
  auto& who = engines[static_cast<std::size_t>(all.roll.between(0, all.by.instances - 1))];
  auto& first = engines.front();
  if (all.by.restore && first.running() && all.roll.chance(10)) {
    first.take_backup();
  }
  if (all.by.crashes && who.running() && all.roll.chance(12)) {
    if (all.roll.chance(30)) {
      who.stop_clean();
    } else {
      if (all.by.restore && &who == &first && all.roll.chance(40)) {
        who.restore_at_next_start();
      }
      who.crash();
    }
  } else if (all.roll.chance(5)) {
    who.pause(all.now + all.roll.between(1, 120) * second);
  } else if (all.by.walls_jump && all.roll.chance(10)) {
    who.jump_wall(all.roll.between(-20, 20) * minute);
  } else if (all.roll.chance(all.by.operator_acts) && who.running()) {
    who.operator_acts();
  }
  all.later(all.roll.between(1, 10) * second, [&all, &engines] { trouble(all, engines); });
}

bool quiet(const world& all, const std::vector<engine>& engines) {
  return !all.faulty() && all.decided() && all.in_flight == 0
         && std::all_of(engines.begin(), engines.end(), [](const auto& one) { return one.idle(); });
}

} // namespace

std::map<violation, std::string> run(const plan& of, coverage* met,
                                     std::vector<std::string>* story) {
  world all(of);
  std::vector<engine> engines;
  engines.reserve(static_cast<std::size_t>(of.instances)); // engines hand out their own address
  for (int i = 0; i < of.instances; ++i) {
    engines.emplace_back(all, i, met);
    all.later(all.roll.between(0, 5'000), [&engines, i] {
      engines[static_cast<std::size_t>(i)].start(true);
    });
  }
  all.later(second, [&all, &engines] { trouble(all, engines); });
  // Quiet is looked for now and then: an engine that is idle for a moment may wait for an answer.
  std::uint64_t idle_for = 0;
  while (all.run_next()) {
    idle_for = quiet(all, engines) ? idle_for + 1 : 0;
    if (idle_for > 20) {
      break;
    }
    if (all.events_run > events_max || all.now > of.faults_until + quiet_within_ms) {
      std::string text;
      for (const auto& one : engines) {
        text += one.busy_with() + "; ";
      }
      all.report(violation::never_quiet, text);
      break;
    }
  }
  all.check_end();
  for (auto& one : engines) {
    one.check_end();
  }
  if (story != nullptr) {
    *story = std::move(all.story);
  }
  return all.violations;
}

} // namespace pfx::simulation
