// What no program can leave out of a workload, done with nothing around it: direct calls of OpenSSL
// and RocksDB on the same cores. Not an engine and not a goal by itself: a number to divide by.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace pfx::bench {

struct limit_options {
  std::string workload; ///< create-p256, create-rsa2048, import or redelivery
  unsigned threads = 1;
  double seconds = 2;
  std::string directory;        ///< for the files that are synced
  std::size_t records = 20'000; ///< settled ones, for redelivery
};

struct limit_report {
  double per_second = 0;
  /// Microseconds of CPU for each part of one operation.
  std::vector<std::pair<std::string, double>> parts;
};

/// One key, one signature, the KDFs of one file, one CMS, a share of synced writes.
[[nodiscard]] limit_report crypto_limit(const limit_options& options);
/// One look-up among the settled records and one SHA-256 of the request.
[[nodiscard]] limit_report look_up_limit(const limit_options& options);

} // namespace pfx::bench
