// Time, passed in. Wall time names moments for people and expiries of certificates; boot time
// measures leases and waits, because it counts suspend and never steps (CLOCK_BOOTTIME).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace pfx {

using unix_ms = std::int64_t; ///< milliseconds since 1970-01-01T00:00:00Z
using boot_ms = std::int64_t; ///< milliseconds since boot, suspend included

class clock {
public:
  virtual ~clock() = default;
  [[nodiscard]] virtual unix_ms wall() const = 0;
  [[nodiscard]] virtual boot_ms boot() const = 0;
};

/// The machine's clocks.
[[nodiscard]] const clock& system_clock() noexcept;

/// "2026-11-01T12:00:00.250Z" (RFC 3339, UTC); milliseconds are left out when zero.
[[nodiscard]] std::string to_rfc3339(unix_ms moment);
/// Accepts RFC 3339 with any fraction and any offset; errors name no field, the caller adds it.
[[nodiscard]] result<unix_ms> from_rfc3339(std::string_view text);

} // namespace pfx
