// What may keep this connector from its work, looked at from outside of a running engine: each
// finding says what is, and what to do about it. Changes nothing, takes nothing from the service.
#pragma once

#include "engine/configuration.hpp"

namespace pfx::engine {

enum class verdict : std::uint8_t { good = 1, warning, fault };
[[nodiscard]] std::string_view name_of(verdict value) noexcept;

struct finding {
  std::string
    area; ///< configuration | rights | clock | disk | keys | identity | service | ca | versions
  verdict how = verdict::good;
  std::string what;   ///< a sentence, printable
  std::string advice; ///< what to do; empty if nothing
};

/// Looks at one thing after the other and calls the service and each CA once (GET, with the
/// connector's certificate if there is one, as the engine does; any answer is good). At most
/// `call_timeout_ms` for each. `running`: the engine's own words, if one answers.
[[nodiscard]] std::vector<finding> diagnose(const configuration& settings,
                                            std::int64_t call_timeout_ms = 10'000);
/// {"findings":[{"area","verdict","what","advice"}…]}
[[nodiscard]] std::string to_json(const std::vector<finding>& values);

} // namespace pfx::engine
