// Keeps the anchor file behind store and audit chain: by it a store that forgot something is
// noticed at its next start (docs/lifecycle.md, invariant 12).
#pragma once

#include <atomic>

#include "connect/service/messages.hpp"
#include "core/clock.hpp"

namespace pfx::actors::tasks {

struct plant;

/// Used by the queue keeper alone, and by the disk thread for the word that it is written. The file
/// may be behind the chain and is never before it. While it cannot be written, status says so.
class anchor_writer {
public:
  static constexpr std::int64_t interval_ms = 1'000; ///< the file may lag by so much

  /// Hands the disk thread a write if store or chain have grown and the interval is over.
  void keep_current(const plant& p);

private:
  void write(const plant& p, const connect::service::anchor& at, std::uint64_t records);

  std::atomic<std::uint64_t> written_{0}; ///< sequence
  std::atomic<std::uint64_t> records_{0}; ///< beside it
  boot_ms not_before_ = 0;
};

} // namespace pfx::actors::tasks
