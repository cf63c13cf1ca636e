// What a seed means: which faults a run of the simulation meets, and how often.
#include <array>

#include "tests/core/simulation_world.hpp"

namespace pfx::simulation {

namespace {

constexpr std::int64_t second = 1'000;
constexpr std::int64_t minute = 60 * second;

} // namespace

std::string_view name_of(violation what) {
  constexpr std::array<std::string_view, 14> names{
    "",           "not durable",      "other bytes",  "other key",     "shared key",
    "recorded revoked", "surplus alive", "recorded missing", "two alive", "lease number fell",
    "settled reopened", "not recorded", "lost", "never quiet"};
  return names[static_cast<std::size_t>(what)];
}

std::uint64_t dice::next() { // splitmix64
  state_ += 0x9e3779b97f4a7c15u;
  auto z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::int64_t dice::between(std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
}

plan plan_of(std::uint64_t seed) {
  dice roll(seed * 2 + 1);
  plan p;
  p.seed = seed;
  p.instances = roll.chance(50) ? 1 : 2;
  p.requests = roll.chance(80) ? 1 : 2;
  p.faults_until = roll.chance(10) ? 0 : roll.between(1, 10) * minute;
  p.expiry_ms = roll.chance(25) ? roll.between(5, 300) * second : 3 * 60 * minute;
  const auto sometimes = [&roll](int often, int high) {
    return roll.chance(often) ? static_cast<int>(roll.between(1, high)) : 0;
  };
  p.lose = sometimes(70, 30);
  p.delay = sometimes(60, 40);
  p.delay_ca = sometimes(50, 95);
  p.slow = sometimes(50, 60);
  p.twice = sometimes(40, 30);
  p.hand_out_recorded = sometimes(50, 30);
  p.reject = sometimes(15, 60);
  p.refuse = sometimes(10, 60);
  p.pending = sometimes(30, 100);
  p.work_fails = sometimes(20, 60);
  p.other_body = sometimes(10, 30);
  p.operator_acts = sometimes(30, 30);
  p.crashes = roll.chance(60);
  p.poison = roll.chance(7);
  p.restore = roll.chance(15);
  p.walls_jump = roll.chance(10);
  return p;
}

std::string describe(const plan& of) {
  const auto say = [](const char* name, std::int64_t value) {
    return value == 0 ? std::string() : std::string(" ") + name + "=" + std::to_string(value);
  };
  return "seed=" + std::to_string(of.seed) + say("instances", of.instances)
         + say("requests", of.requests) + say("faults_until", of.faults_until)
         + say("expiry", of.expiry_ms) + say("lose", of.lose) + say("delay", of.delay)
         + say("delay_ca", of.delay_ca) + say("slow", of.slow)
         + say("twice", of.twice) + say("again", of.hand_out_recorded) + say("reject", of.reject)
         + say("refuse", of.refuse) + say("pending", of.pending) + say("fails", of.work_fails)
         + say("other_body", of.other_body) + say("operator", of.operator_acts)
         + say("crashes", of.crashes) + say("poison", of.poison) + say("restore", of.restore)
         + say("walls_jump", of.walls_jump);
}

} // namespace pfx::simulation
