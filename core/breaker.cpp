// Closed, resting, or waiting for one probe.
#include "core/breaker.hpp"

#include <algorithm>

namespace pfx {

namespace {

constexpr std::int64_t probe_patience_ms = 60'000; ///< a probe that never ends is forgotten
constexpr std::int64_t behind_probe_ms = 500;

} // namespace

std::int64_t breaker::wait_ms(boot_ms now) {
  const std::lock_guard lock(mutex_);
  if (until_ > now) {
    return until_ - now;
  }
  if (rests_ == 0) {
    return 0;
  }
  if (probe_until_ > now) {
    return behind_probe_ms;
  }
  probe_until_ = now + probe_patience_ms;
  return 0;
}

void breaker::answered() {
  const std::lock_guard lock(mutex_);
  failures_ = 0;
  rests_ = 0;
  until_ = 0;
  probe_until_ = 0;
}

void breaker::failed(boot_ms now, std::int64_t asked_ms) {
  const std::lock_guard lock(mutex_);
  ++failures_;
  const bool was_probe = probe_until_ > now;
  probe_until_ = 0;
  if (until_ > now && asked_ms == 0) {
    return; // calls that were on their way when it opened
  }
  if (asked_ms <= 0 && failures_ < failures_to_open && !was_probe) {
    return;
  }
  const auto ceiling = std::min(rest_max_ms, rest_base_ms << std::min<std::uint32_t>(rests_, 10));
  const auto rest = 1 + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(ceiling));
  const auto asked = std::clamp<std::int64_t>(asked_ms, 0, asked_rest_max_ms);
  until_ = std::max(until_, now + std::max(rest, asked));
  ++rests_;
}

bool breaker::open(boot_ms now) const {
  const std::lock_guard lock(mutex_);
  return until_ > now;
}

} // namespace pfx
