// Makes the connector keys known to the service (Connectors/importKeys): at the first check-in and
// whenever the set of keys has changed. A failure is told and tried again.
#pragma once

#include <mutex>

#include "core/bytes.hpp"
#include "core/clock.hpp"

namespace pfx::actors::tasks {

struct plant;

/// What the service knows of our keys in this run. Thread-safe.
class key_announcement {
public:
  static constexpr std::int64_t look_interval_ms = 30'000; ///< between two looks at the keys

  /// Looks at the key store, at most once per interval; calls the service if its keys are not those
  /// that were announced. Blocks for the call.
  void keep_current(const plant& p) noexcept;

private:
  void announce(const plant& p);

  std::mutex mutex_;
  digest announced_; ///< of the set; not present() before the first time
  boot_ms look_at_ = 0;
};

} // namespace pfx::actors::tasks
