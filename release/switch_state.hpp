// What the switcher remembers of its own doing, so that it can go on after a crash at any step:
// which version runs, which ran before, which is being tried, and which failed and is held back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/release.hpp"

namespace pfx::release {

inline constexpr std::size_t held_max = 16;          ///< versions; the oldest are forgotten
inline constexpr std::uint32_t switch_tries_max = 3; ///< of one version, over crashes of ours

enum class switch_phase : std::uint8_t {
  idle = 1,
  trying,    ///< the link may lead to `target` already
  returning, ///< `target` failed: back to `current`
};

/// A version on the disk, and the newest store that it can read.
struct installed_version {
  version what;
  std::uint32_t store_format = 1;
  bool operator==(const installed_version&) const = default;
};

struct switch_state {
  switch_phase phase = switch_phase::idle;
  installed_version current; ///< what runs, or is returned to
  std::optional<installed_version> previous;
  std::optional<installed_version> target; ///< while trying and returning
  std::uint32_t tries = 0;
  bool by_hand = false;      ///< the operator's way back; what it leaves is held
  std::vector<version> held; ///< never tried by themselves again
  bool had_begun = false;    ///< what ran before the switch had checked in with its service
  std::string answered;      ///< the last wish that was acted upon or refused; names its file
  std::string reason;        ///< of the last return; printable, one line
  bool operator==(const switch_state&) const = default;
};
[[nodiscard]] std::string encode(const switch_state& value);
/// errc::corrupt with the field.
[[nodiscard]] result<switch_state> decode_switch_state(std::string_view text);
[[nodiscard]] bool is_held(const switch_state& in, const version& what);
void hold(switch_state& in, const version& what);

} // namespace pfx::release
