// Makes requests available at a rate, or all at once. Knows neither requests nor the service: it
// calls.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "core/clock.hpp"

namespace pfx::sandbox {

struct feeder_options {
  std::uint64_t total = 0;
  double per_second = 0;                   ///< 0 = all at once, before `start` returns
  std::function<void(std::uint64_t)> feed; ///< one request
  std::function<result<void>()> sync;      ///< after each batch; an error ends the feeding
};

/// Life: its owner's. What `feed` calls must outlive it.
class feeder {
public:
  static constexpr std::uint64_t batch_max = 5'000;
  static constexpr std::int64_t interval_ms = 20;

  explicit feeder(feeder_options options) : options_(std::move(options)) {}
  ~feeder() { stop(); }

  [[nodiscard]] result<void> start();
  void stop();
  [[nodiscard]] bool finished() const noexcept { return fed_ >= options_.total; }

private:
  result<void> feed_until(std::uint64_t end);
  void run();

  feeder_options options_;
  boot_ms started_ = 0;
  std::mutex mutex_;
  std::condition_variable wakes_;
  bool stopping_ = false;
  std::atomic<std::uint64_t> fed_ = 0;
  std::thread thread_;
};

} // namespace pfx::sandbox
