// The stopwatch of the ledger on its store and of bare RocksDB, so that both are measured alike.
#pragma once

#include <algorithm>
#include <chrono>
#include <ctime>

#include "bench/queue.hpp"

namespace pfx::bench {

inline double cpu_seconds() {
  ::timespec at{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) / 1e9;
}

/// Calls `play(number)` for each wave in order; it says how many synced writes it made.
template <class Wave>
result<queue_report> time_waves(std::size_t waves, std::size_t count, Wave play) {
  using clock = std::chrono::steady_clock;
  queue_report out;
  std::vector<double> ways;
  const auto cpu = cpu_seconds();
  const auto began = clock::now();
  for (std::size_t at = 0; at < waves; ++at) {
    const auto set_out = clock::now();
    const result<std::size_t> written = play(at);
    if (!written) {
      return failure(written.error());
    }
    out.commits += *written;
    ways.push_back(std::chrono::duration<double, std::milli>(clock::now() - set_out).count());
  }
  const auto requests = static_cast<double>(count);
  out.per_second = requests / std::chrono::duration<double>(clock::now() - began).count();
  out.cpu_us = (cpu_seconds() - cpu) * 1e6 / requests;
  std::sort(ways.begin(), ways.end());
  out.p50_ms = ways[ways.size() / 2];
  out.p99_ms = ways[ways.size() * 99 / 100];
  return out;
}

} // namespace pfx::bench
