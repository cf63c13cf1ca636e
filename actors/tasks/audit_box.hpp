// Lines for the audit from any thread, on their way to the ledger. What was put in is written even
// if the work that put it there throws, comes late or is asked about by nobody any more.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "actors/tasks/audit.hpp"
#include "core/request.hpp"

namespace pfx::actors::tasks {

/// Thread-safe. Holds a few lines for each task at work: the ledger empties it before each write
/// and before it hears of an outcome.
class audit_box {
public:
  struct entry {
    request_key about; ///< empty if it is about no request
    audit_note note;
  };

  void put(request_key about, audit_note note) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(about), std::move(note)});
  }
  /// All that waits, oldest first.
  [[nodiscard]] std::vector<entry> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(waiting_, {});
  }

private:
  std::mutex mutex_;
  std::vector<entry> waiting_;
};

} // namespace pfx::actors::tasks
