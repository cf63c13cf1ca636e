// A circuit breaker: after several failures in a row the other side is left alone for a while, then
// asked once before everybody asks again. One per service and per certification authority.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>

#include "core/clock.hpp"
#include "core/limits.hpp"

namespace pfx {

/// Thread-safe. Full jitter: a rest is random in (0, ceiling]; the ceiling doubles with every probe
/// that failed.
class breaker {
public:
  static constexpr std::uint32_t failures_to_open = 5; ///< in a row
  static constexpr std::int64_t rest_base_ms = 1'000;
  static constexpr std::int64_t rest_max_ms = 60'000;
  static constexpr std::int64_t asked_rest_max_ms = limits::asked_wait_ms_max;

  /// `random` is called under a lock; any 64 bits.
  explicit breaker(std::function<std::uint64_t()> random) : random_(std::move(random)) {}

  /// 0: call now. Else the time in ms after which to try again; nothing was sent.
  [[nodiscard]] std::int64_t wait_ms(boot_ms now);
  void answered();
  /// `asked_ms`: how long the other side asked to be left alone; 0 = it did not.
  void failed(boot_ms now, std::int64_t asked_ms);
  /// True while calls are held back.
  [[nodiscard]] bool open(boot_ms now) const;

private:
  mutable std::mutex mutex_;
  std::function<std::uint64_t()> random_;
  std::uint32_t failures_ = 0; ///< in a row
  std::uint32_t rests_ = 0;    ///< in a row
  boot_ms until_ = 0;          ///< nothing is sent before
  boot_ms probe_until_ = 0;    ///< one call is on its way; others wait for its answer until then
};

} // namespace pfx
