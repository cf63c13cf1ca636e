// SIGTERM, SIGINT and SIGHUP as questions that a loop can ask; the second one that stops ends the
// process at once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "app/exit_code.hpp"

namespace pfx::app {

/// Make it before any other thread, so that all of them have the signals blocked. One per process.
class stop_signals {
public:
  /// What SIGHUP means: a terminal that went away, or a wish to read the configuration again.
  enum class hangup : std::uint8_t { stops, reloads };

  /// `at_second`: what the process exits with, immediately, at the second signal that stops.
  explicit stop_signals(exit_code at_second, hangup means = hangup::stops);
  ~stop_signals();
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;

  /// Waits at most so long; true as soon as, and ever after, a signal came that stops.
  [[nodiscard]] bool wait(std::chrono::milliseconds patience);
  /// True once for any number of signals to reload since it was asked last.
  [[nodiscard]] bool take_reload();

private:
  void watch();

  exit_code at_second_;
  hangup means_;
  int signal_fd_ = -1;
  int end_fd_ = -1;
  std::mutex guard_;
  std::condition_variable came_;
  bool stop_ = false;
  bool reload_ = false;
  std::thread thread_;
};

} // namespace pfx::app
