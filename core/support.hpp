// For how long a version of this program is supported, from what the service says about it. A pure
// function of its words, its dates and the time. docs/lifecycle.md, Support of a version.
#pragma once

#include <optional>
#include <string>

#include "core/clock.hpp"

namespace pfx::support {

/// A version is supported for so many months after the next one came out.
inline constexpr int months_after_next_release = 6;

enum class standing : std::uint8_t {
  unknown = 0, ///< the service has said nothing yet
  supported,
  deprecated,  ///< a newer version is out: a warning
  unsupported, ///< its time is over: an error
};
/// "" | "supported" | "warning" | "error": the words of the protocol and of `status`.
[[nodiscard]] std::string_view word_of(standing value) noexcept;
/// `unknown` for every other word.
[[nodiscard]] standing standing_of(std::string_view word) noexcept;

/// The service's last words.
struct notice {
  std::string word;           ///< lifecycle
  std::string latest_version; ///< or empty
  std::optional<unix_ms> deprecated_after;
  std::optional<unix_ms> unsupported_after;
};

struct verdict {
  standing is = standing::unknown;
  std::string sentence; ///< for people; printable; empty while supported
};

/// The worse of what the service's word and its dates say: a service that was last heard long ago
/// does not keep a version alive. Without `unsupported_after` that is six months after
/// `deprecated_after`.
[[nodiscard]] verdict judge(const notice& said, std::string_view own_version, unix_ms now);

/// The same day so many months later, or the last day of that month.
[[nodiscard]] unix_ms months_later(unix_ms from, int months) noexcept;

} // namespace pfx::support
