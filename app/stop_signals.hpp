// SIGTERM, SIGINT and SIGHUP as a question that a loop can ask; the second one ends the process at
// once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "app/exit_code.hpp"

namespace pfx::app {

/// Make it before any other thread, so that all of them have the signals blocked. One per process.
class stop_signals {
public:
  /// `at_second`: what the process exits with, immediately, at the second signal.
  explicit stop_signals(exit_code at_second);
  ~stop_signals();
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;

  /// Waits at most so long; true as soon as, and ever after, a signal came.
  [[nodiscard]] bool wait(std::chrono::milliseconds patience);

private:
  void watch();

  exit_code at_second_;
  int signal_fd_ = -1;
  int end_fd_ = -1;
  std::mutex guard_;
  std::condition_variable came_;
  bool stop_ = false;
  std::thread thread_;
};

} // namespace pfx::app
