// The switcher's own copy of what the engine staged: taken without following links, verified after
// it was copied, because the engine's user could change the original at any time.
#pragma once

#include "release/switch.hpp"

namespace pfx::release::detail {

/// Of a version, in its folder.
inline constexpr std::string_view program = "bin/pfxengine";

/// The signed manifest of the wanted version, its package copied below `state_folder`/incoming and
/// verified against root's own trust.
struct incoming {
  manifest what;
  std::string package;
};
[[nodiscard]] result<incoming> take_incoming(const switch_settings& settings,
                                             const version& installed, unix_ms now);

/// The version that the engine asks for; nothing if it asks for none.
[[nodiscard]] result<std::optional<version>> read_wish(const std::string& update_folder);

/// The format of the store, as its marker says; nothing without a store.
[[nodiscard]] result<std::optional<std::uint32_t>> store_format(const std::string& marker);

/// Puts an unpacked package under its version's name. The program must be in it.
[[nodiscard]] result<void> install(const incoming& from, const std::string& programs_folder);

} // namespace pfx::release::detail
