// Updates for commands of the program: what the feed has, what is staged, the pin, the history, and
// the word that a staged version is wanted. Switches nothing (docs/releases.md).
#pragma once

#include <string>

#include "engine/configuration.hpp"

namespace pfx::engine {

struct update_finding {
  std::string version; ///< that the feed has
  bool taken = false;
  bool staged = false;
  std::string sentence;
  std::string pin;
};
[[nodiscard]] std::string to_json(const update_finding& value);

/// errc::not_found, field "updates", without that section; what a look refuses names its field.
/// What is verified on the way is remembered, as by the engine.
[[nodiscard]] result<update_finding> check_update(const configuration& settings);
/// Downloads and stages what the feed has, or what lies in `folder` if that is not empty: the same
/// checks, but for the share; then asks for the switch.
[[nodiscard]] result<update_finding> apply_update(const configuration& settings,
                                                  const std::string& folder);
/// "" takes the pin away.
[[nodiscard]] result<void> pin_update(const configuration& settings, const std::string& pin);
/// What was staged and asked for, and what the switcher did; lines.
[[nodiscard]] result<std::string> update_history(const configuration& settings);

/// Where root's switcher keeps what it tells.
inline constexpr const char* switch_state_folder = "/var/lib/pfxengine-switch";

} // namespace pfx::engine
