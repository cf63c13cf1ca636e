// What a service manager (systemd) is told: ready, stopping, still alive. Does nothing without one.
#pragma once

#include <cstdint>
#include <string>

#include "core/clock.hpp"

namespace pfx::app {

/// Not thread-safe: belongs to the loop of `run`.
class service_manager {
public:
  service_manager();

  void ready();
  void stopping();
  /// Told only if it changed; one printable line.
  void say_status(const std::string& line);
  /// True if a sign of life is due: call alive() once the engine has proved to answer.
  [[nodiscard]] bool watchdog_due(boot_ms now) const noexcept;
  void alive(boot_ms now);

private:
  std::int64_t interval_ms_ = 0; ///< half of what the manager waits; 0 = it does not watch
  boot_ms last_alive_ = 0;
  std::string last_status_;
};

} // namespace pfx::app
