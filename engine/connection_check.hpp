// A look at the way to the tenant, step by step, as an operator wants it after a change: what was
// tried, what came of it, what to do. Spends no challenge, takes no order, changes nothing.
#pragma once

#include <string>
#include <vector>

#include "engine/configuration.hpp"

namespace pfx::engine {

enum class step_outcome : std::uint8_t { passed = 1, failed, skipped };
[[nodiscard]] std::string_view name_of(step_outcome value) noexcept;

struct connection_step {
  std::string
    name; ///< settings | proxy | sign-in | graph token | discovery | permissions | reach …
  std::string tried; ///< a sentence
  step_outcome outcome = step_outcome::skipped;
  std::string found;      ///< a sentence
  std::string advice;     ///< what to do; empty if it passed
  errc code = errc::none; ///< of what failed
};

struct connection_report {
  std::vector<connection_step> steps;
  [[nodiscard]] bool passed() const noexcept;
  /// Of the first step that failed; errc::none if none did.
  [[nodiscard]] errc first_fault() const noexcept;
};

/// Blocks, at most some call timeouts long.
[[nodiscard]] connection_report test_connection(const configuration& settings);
/// {"passed":…,"steps":[{"name","tried","outcome","found","advice"}…]}
[[nodiscard]] std::string to_json(const connection_report& value);

} // namespace pfx::engine
