// One loop for all limits: every thread does whole operations, part by part, until the time is
// over.
#pragma once

#include <atomic>
#include <chrono>
#include <ctime>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "bench/limits.hpp"

namespace pfx::bench {

inline void must(bool good, const char* what) {
  if (!good) {
    throw std::runtime_error(std::string("failed: ") + what);
  }
}

struct limit_part {
  std::string name;
  std::function<void()> run;
};
/// Of one thread, which owns what the parts work on.
using limit_parts = std::vector<limit_part>;

/// CPU of the calling thread: what others take from it is not the operation's.
inline double thread_microseconds() {
  ::timespec at{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) * 1e6 + static_cast<double>(at.tv_nsec) / 1e3;
}

/// `make` is called once per thread, before the clock starts. Each part does `operations` of them
/// at a time.
inline limit_report run_limit(const limit_options& options, double operations,
                              const std::function<limit_parts()>& make) {
  using clock = std::chrono::steady_clock;
  std::vector<limit_parts> all;
  for (unsigned thread = 0; thread < options.threads; ++thread) {
    all.push_back(make());
  }
  std::vector<std::vector<double>> spent(options.threads);
  std::vector<double> done(options.threads);
  std::vector<double> elapsed(options.threads);
  std::atomic<bool> failed = false;
  const auto work = [&](unsigned me) noexcept {
    try {
      auto& parts = all[me];
      spent[me].resize(parts.size());
      const auto began = clock::now();
      auto now = thread_microseconds();
      while (elapsed[me] < options.seconds) {
        for (std::size_t at = 0; at < parts.size(); ++at) {
          parts[at].run();
          const auto after = thread_microseconds();
          spent[me][at] += after - now;
          now = after;
        }
        done[me] += operations;
        elapsed[me] = std::chrono::duration<double>(clock::now() - began).count();
      }
    } catch (const std::exception&) {
      failed = true;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned me = 0; me < options.threads; ++me) {
    threads.emplace_back(work, me);
  }
  for (auto& one : threads) {
    one.join();
  }
  must(!failed, "an operation of the limit");
  limit_report out;
  double total = 0;
  for (unsigned me = 0; me < options.threads; ++me) {
    out.per_second += done[me] / elapsed[me];
    total += done[me];
  }
  for (std::size_t at = 0; at < all.front().size(); ++at) {
    double sum = 0;
    for (const auto& one : spent) {
      sum += one[at];
    }
    out.parts.emplace_back(all.front()[at].name, sum / total);
  }
  return out;
}

} // namespace pfx::bench
