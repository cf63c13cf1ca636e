// sd_notify and the watchdog interval; every call is a no-op without NOTIFY_SOCKET.
#include "app/service_manager.hpp"

#include <algorithm>

#include <systemd/sd-daemon.h>

namespace pfx::app {

service_manager::service_manager() {
  std::uint64_t limit_us = 0;
  if (::sd_watchdog_enabled(0, &limit_us) > 0)
    interval_ms_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(limit_us / 2'000));
}

void service_manager::ready() { ::sd_notify(0, "READY=1"); }

void service_manager::stopping() { ::sd_notify(0, "STOPPING=1\nSTATUS=stopping"); }

void service_manager::say_status(const std::string& line) {
  if (line == last_status_)
    return;
  last_status_ = line;
  ::sd_notify(0, ("STATUS=" + line).c_str());
}

bool service_manager::watchdog_due(boot_ms now) const noexcept {
  return interval_ms_ > 0 && now - last_alive_ >= interval_ms_;
}

void service_manager::alive(boot_ms now) {
  last_alive_ = now;
  ::sd_notify(0, "WATCHDOG=1");
}

} // namespace pfx::app
