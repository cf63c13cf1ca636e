// Numbers of calls, spans and shares.
#include "sandbox/fault_injector.hpp"

#include <algorithm>

#include "sandbox/fault_table.hpp"

namespace pfx::sandbox {

namespace {

constexpr std::uint64_t rule_stream = 0xfa17;

/// FNV-1a: the same on every machine.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t out = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    out = (out ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return out;
}

} // namespace

fault_injector::fault_injector(fault_plan plan, std::uint64_t seed, journal& log)
    : plan_(std::move(plan)), seed_(seed), log_(log), states_(plan_.rules.size()) {}

bool fault_injector::over_locked() {
  if (!over_ && started_ != 0) {
    const auto elapsed = system_clock().boot() - started_;
    over_ = (plan_.until_ms > 0 && elapsed >= plan_.until_ms)
      || (plan_.until_calls > 0 && calls_ > plan_.until_calls);
    if (over_) {
      log_.append(line("faults_over").number("calls", static_cast<std::int64_t>(calls_)));
    }
  }
  return over_;
}

bool fault_injector::over() {
  const std::scoped_lock lock(mutex_);
  return over_locked();
}

bool fault_injector::hits(std::size_t at, const std::string& call, std::uint64_t number) {
  const auto& rule = plan_.rules[at];
  auto& state = states_[at];
  if (!can_befall(rule.kind, call)
      || (!rule.calls.empty() && std::ranges::find(rule.calls, call) == rule.calls.end())) {
    return false;
  }
  if (const auto span = state.until.find(call);
      span != state.until.end() && number <= span->second) {
    return true;
  }
  if (rule.most > 0 && state.times >= rule.most) {
    return false;
  }
  const bool hit = rule.numbers.empty()
    ? dice(seed_ ^ hash_of(call) ^ (rule_stream + at), number).share() < rule.share
    : std::ranges::binary_search(rule.numbers, number);
  if (hit) {
    ++state.times;
    state.until[call] = number + rule.span - 1;
  }
  return hit;
}

drawn_fault fault_injector::draw(fault_layer layer, const std::string& call) {
  const std::scoped_lock lock(mutex_);
  if (started_ == 0 && call != "Connectors/register") {
    started_ = std::max<boot_ms>(1, system_clock().boot());
  }
  calls_ += layer == fault_layer::wire ? 1 : 0;
  const auto number = ++numbers_[{layer, call}];
  if (over_locked()) {
    return {};
  }
  for (std::size_t at = 0; at < plan_.rules.size(); ++at) {
    if (layer_of(plan_.rules[at].kind) == layer && hits(at, call, number)) {
      return {&plan_.rules[at], call, number, dice(seed_ ^ hash_of(call) ^ ~at, number)};
    }
  }
  return {};
}

void fault_injector::note(const drawn_fault& what, const std::string& name,
                          const std::string& value) {
  line one("fault_injected");
  one.text("fault", name_of(what.rule->kind))
    .text("call", what.call)
    .number("number", static_cast<std::int64_t>(what.number))
    .text("when", what.rule->handled ? "after" : "before");
  if (what.is(fault_kind::status)) {
    one.number("status", what.rule->status);
  }
  if (!name.empty()) {
    one.text(name, value);
  }
  log_.append(one);
}

void fault_injector::spoil_handshakes(bad_certificate which, std::uint64_t handshakes) {
  const std::scoped_lock lock(mutex_);
  shown_ = which;
  spoiled_handshakes_ = handshakes;
}

bool fault_injector::handshakes_spoiled() {
  const std::scoped_lock lock(mutex_);
  return spoiled_handshakes_ > 0 && !over_locked();
}

std::size_t fault_injector::next_identity() {
  const std::scoped_lock lock(mutex_);
  if (spoiled_handshakes_ == 0 || over_locked()) {
    return 0;
  }
  --spoiled_handshakes_;
  return static_cast<std::size_t>(shown_);
}

} // namespace pfx::sandbox
