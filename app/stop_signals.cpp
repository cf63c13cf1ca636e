// One thread that reads signals from a descriptor: no handler, so nothing is async-signal-unsafe.
#include "app/stop_signals.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace pfx::app {

stop_signals::stop_signals(exit_code at_second, hangup means)
    : at_second_(at_second), means_(means) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int each : {SIGTERM, SIGINT, SIGHUP})
    ::sigaddset(&set, each);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal_fd_ = ::signalfd(-1, &set, SFD_CLOEXEC);
  end_fd_ = ::eventfd(0, EFD_CLOEXEC);
  if (signal_fd_ < 0 || end_fd_ < 0)
    throw std::runtime_error("signals cannot be watched");
  thread_ = std::thread([this] { watch(); });
}

stop_signals::~stop_signals() {
  const std::uint64_t one = 1;
  if (::write(end_fd_, &one, sizeof one) == sizeof one)
    thread_.join();
  else
    thread_.detach(); // cannot happen: an eventfd takes a one
  ::close(signal_fd_);
  ::close(end_fd_);
}

bool stop_signals::wait(std::chrono::milliseconds patience) {
  std::unique_lock lock(guard_);
  came_.wait_for(lock, patience, [this] { return stop_; });
  return stop_;
}

bool stop_signals::take_reload() {
  const std::lock_guard lock(guard_);
  return std::exchange(reload_, false);
}

/// A thread of its own, because the first signal's stop keeps the main thread busy while the second
/// one must still be heard.
void stop_signals::watch() {
  for (int seen = 0;;) {
    std::array<pollfd, 2> ready{pollfd{signal_fd_, POLLIN, 0}, pollfd{end_fd_, POLLIN, 0}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR)
      return;
    if (ready[1].revents != 0)
      return;
    signalfd_siginfo facts{};
    if (ready[0].revents == 0 || ::read(signal_fd_, &facts, sizeof facts) != sizeof facts)
      continue;
    if (facts.ssi_signo == SIGHUP && means_ == hangup::reloads) {
      const std::lock_guard lock(guard_);
      reload_ = true;
      continue;
    }
    if (++seen > 1)
      ::_exit(static_cast<int>(at_second_));
    const std::lock_guard lock(guard_);
    stop_ = true;
    came_.notify_all();
  }
}

} // namespace pfx::app
