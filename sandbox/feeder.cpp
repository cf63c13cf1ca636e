// Feeding by the clock that counts suspend.
#include "sandbox/feeder.hpp"

#include <algorithm>
#include <chrono>

namespace pfx::sandbox {

result<void> feeder::start() {
  started_ = system_clock().boot();
  if (options_.per_second <= 0) {
    return feed_until(options_.total);
  }
  thread_ = std::thread([this] { run(); });
  return {};
}

void feeder::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wakes_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

result<void> feeder::feed_until(std::uint64_t end) {
  for (auto next = fed_.load(); next < std::min(end, options_.total); ++next) {
    options_.feed(next);
    fed_ = next + 1;
    if (fed_ % batch_max == 0) {
      if (auto synced = options_.sync(); !synced) {
        return synced;
      }
    }
  }
  return options_.sync();
}

void feeder::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_ && !finished()) {
    const auto elapsed = static_cast<double>(system_clock().boot() - started_) / 1000.0;
    const auto due = static_cast<std::uint64_t>(elapsed * options_.per_second) + 1;
    lock.unlock();
    const auto good = feed_until(due);
    lock.lock();
    if (!good) {
      return; // the journal failed: every answer says so from now on
    }
    wakes_.wait_for(lock, std::chrono::milliseconds(interval_ms), [this] { return stopping_; });
  }
}

} // namespace pfx::sandbox
