// Labelled points at which a test can end the process, and deliberate faults of ours that tests
// switch on to prove that they would be noticed. Without PFX_FAULT_POINTS both compile to nothing.
#pragma once

#include <string>
#include <string_view>

namespace pfx {

#if PFX_FAULT_POINTS
/// Kills the process (SIGKILL) if the environment says PFXENGINE_KILL_AT=<label>:<n> and this is
/// the n-th pass (n counts from 1) of `label` in this process. Thread-safe.
void fault_point(std::string_view label);
/// As above, with the label put together as "<when>.<what>" only if a kill is armed.
void fault_point(std::string_view when, std::string_view what);
/// True if the environment names `mutation` in PFXENGINE_MUTATE (a comma-separated list).
[[nodiscard]] bool mutated(std::string_view mutation);
/// True if the context is named as poison: PFXENGINE_POISON is a prefix of it.
[[nodiscard]] bool poisonous(std::string_view context);
#else
inline void fault_point(std::string_view) {}
inline void fault_point(std::string_view, std::string_view) {}
inline constexpr bool mutated(std::string_view) { return false; }
inline constexpr bool poisonous(std::string_view) { return false; }
#endif

} // namespace pfx
