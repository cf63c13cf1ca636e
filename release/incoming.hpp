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

/// What the engine asks for.
struct wish {
  version what;
  std::string name; ///< of this very writing of the file: another time, another name
};
/// Nothing if it asks for nothing.
[[nodiscard]] result<std::optional<wish>> read_wish(const std::string& update_folder);

/// The format of the store, as its marker says; nothing without a store.
[[nodiscard]] result<std::optional<std::uint32_t>> store_format(const std::string& marker);

/// Puts an unpacked package under its version's name. The program must be in it.
[[nodiscard]] result<void> install(const incoming& from, const std::string& programs_folder);

/// The same for one file: the program of a package of the distribution.
[[nodiscard]] result<void> install_program(const std::string& from, const version& as,
                                           const std::string& programs_folder);
/// What the link `current` leads to; nothing if there is none, or somebody else's.
[[nodiscard]] std::optional<version> linked_version(const std::string& programs_folder);
[[nodiscard]] std::string version_folder(const std::string& programs_folder, const version& of);

} // namespace pfx::release::detail
