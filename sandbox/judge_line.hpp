// The line of results waiting for the judge: one thread takes them in order, so that opening PFX
// files does not lengthen the answers. Full is a brake, never a loss.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "sandbox/journal.hpp"
#include "sandbox/judge.hpp"

namespace pfx::sandbox {

struct judge_job {
  std::uint64_t index = 0; ///< of the order
  request_result delivered;
  unix_ms recorded_at = 0;
};

struct judge_line_options {
  judge_options judge;
  std::function<order(std::uint64_t)> order_of;
  /// Called for each judged result with a PFX, on the judge's thread; may be empty.
  std::function<void(const order&, const request_result&)> keep;
  journal& log;
  std::size_t waiting_max = 2'000;
};

/// Life: its owner's. The destructor ends the thread; what still waits is dropped then.
class judge_line {
public:
  explicit judge_line(judge_line_options options);
  ~judge_line();

  /// Blocks while the line is full.
  void push(judge_job job);
  /// Returns when the line is empty and the judge idle.
  void drain();
  [[nodiscard]] bool idle() const;

  struct counts {
    std::uint64_t judged = 0, as_expected = 0, faults = 0, expected_failures = 0;
    std::vector<std::string> first_faults;
  };
  [[nodiscard]] counts so_far() const;

private:
  void run();
  void judge_one(const judge_job& job);

  judge_line_options options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<judge_job> waiting_;
  bool busy_ = false;
  bool stopping_ = false;
  counts counts_;
  std::thread thread_;
};

} // namespace pfx::sandbox
