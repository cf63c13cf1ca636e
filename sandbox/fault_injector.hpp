// Draws which call is befallen by which fault, from a plan and a seed: the same call by the same
// name and number is befallen again in the next run. Counts and journals; does nothing itself.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "sandbox/dice.hpp"
#include "sandbox/fault_plan.hpp"
#include "sandbox/journal.hpp"

namespace pfx::sandbox {

/// A call and what befalls it. Points into the plan of its injector.
struct drawn_fault {
  const fault_rule* rule = nullptr;
  std::string call;
  std::uint64_t number = 0; ///< of the calls by that name, from 1
  dice choice = dice(0, 0); ///< for what is left to choose

  explicit operator bool() const noexcept { return rule != nullptr; }
  [[nodiscard]] bool is(fault_kind kind) const noexcept {
    return rule != nullptr && rule->kind == kind;
  }
};

/// Thread-safe. Owned by the sandbox; the journal must outlive it.
class fault_injector {
public:
  fault_injector(fault_plan plan, std::uint64_t seed, journal& log);

  /// Counts a call in its layer. The first rule that hits it wins; none after the faults' end.
  [[nodiscard]] drawn_fault draw(fault_layer layer, const std::string& call);
  /// Appends `fault_injected`; `more` may be empty. The caller syncs before the fault shows.
  void note(const drawn_fault& what, const std::string& name = {}, const std::string& value = {});
  /// True from the end of all faults on.
  [[nodiscard]] bool over();

  /// The next handshakes show a bad certificate: which of them the server asks before each.
  void spoil_handshakes(bad_certificate which, std::uint64_t handshakes);
  [[nodiscard]] std::size_t next_identity();
  [[nodiscard]] bool handshakes_spoiled();

private:
  struct state_of_rule {
    std::uint64_t times = 0;
    std::map<std::string, std::uint64_t> until; ///< last number of a span, by call
  };
  [[nodiscard]] bool over_locked();
  [[nodiscard]] bool hits(std::size_t rule, const std::string& call, std::uint64_t number);

  const fault_plan plan_;
  const std::uint64_t seed_;
  journal& log_;
  std::mutex mutex_;
  boot_ms started_ = 0; ///< of the first call of a connector; 0 = none yet
  std::uint64_t calls_ = 0;
  bool over_ = false;
  std::map<std::pair<fault_layer, std::string>, std::uint64_t> numbers_;
  std::vector<state_of_rule> states_;
  bad_certificate shown_ = bad_certificate::expired;
  std::uint64_t spoiled_handshakes_ = 0;
};

} // namespace pfx::sandbox
