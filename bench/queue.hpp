// The queue without anything around it: the ledger takes requests from reception to settlement and
// writes through the store; the batches of such a run, taken down before, go through bare RocksDB.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "storage/store.hpp"

namespace pfx::bench {

struct queue_options {
  std::size_t requests = 4'000;
  std::size_t in_flight = 128; ///< they go through their states side by side
  std::string directory;
};

/// Some requests side by side: one batch a step.
using wave = std::vector<storage::batch>;

struct queue_script {
  std::vector<wave> waves;
  std::size_t requests = 0;
  std::size_t batches = 0;
  std::size_t octets = 0; ///< of sealed blobs
};

struct queue_report {
  double per_second = 0;         ///< requests
  double p50_ms = 0, p99_ms = 0; ///< of a request's whole way
  double cpu_us = 0;             ///< a request, all threads
  std::size_t commits = 0;
};

/// Plays the ledger with stages that answer at once; what it wants written is the script.
[[nodiscard]] result<queue_script> take_down(const queue_options& options);
/// The same with every batch committed to a fresh storage::store before the ledger goes on: all of
/// it is timed.
[[nodiscard]] result<queue_report> run_ledger(const queue_options& options,
                                              const std::string& directory);
/// The same octets in the same groups, built beforehand, through rocksdb::DB::Write.
[[nodiscard]] result<queue_report> write_raw(const queue_script& script,
                                             const std::string& directory);

} // namespace pfx::bench
