// The main job shown on one machine: a sandbox and an engine as processes of their own, the engine
// killed and started again as often as anybody likes, and a verdict from the sandbox's journals
// alone.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "app/child_process.hpp"
#include "app/demo_summary.hpp"
#include "app/exit_code.hpp"
#include "app/progress.hpp"
#include "app/report.hpp"
#include "app/stop_signals.hpp"
#include "core/clock.hpp"

namespace pfx::app {

struct demo_options {
  std::uint64_t requests = 300;
  std::string mix;
  std::string directory; ///< empty = a temporary one
  bool json = false;
  bool keep = false; ///< the temporary directory
  std::uint64_t kills = 0;
  std::uint64_t seed = 1;
  double rate = 0; ///< requests appearing per second; 0 = all at once
  std::uint64_t time_limit_s = 600;
};

/// One run. Not thread-safe; owns both processes.
class demo {
public:
  demo(demo_options options, stop_signals& signals);
  [[nodiscard]] exit_code run();

private:
  // Each step is false after it noted a fault: nothing further makes sense then.
  [[nodiscard]] bool make_directory();
  [[nodiscard]] bool start_sandbox();
  [[nodiscard]] bool await_sandbox();
  [[nodiscard]] bool make_connector();
  [[nodiscard]] bool start_engine();
  [[nodiscard]] bool follow();

  [[nodiscard]] bool watch_engine();
  void read_sandbox();
  void read_line(const std::string& line);
  void kill_now_and_then();
  void rest();
  void stop_engine();
  void stop_sandbox();
  [[nodiscard]] exit_code conclude();
  void clean_up(bool good);
  bool fault(std::string text);
  [[nodiscard]] std::string log_of(const std::string& who) const;
  /// How it ended, and the last it said.
  [[nodiscard]] std::string ended(const std::string& who, const child_end& how) const;
  [[nodiscard]] double done_share() const;
  [[nodiscard]] bool kills_left() const;

  demo_options options_;
  stop_signals& signals_;
  std::string directory_;
  bool temporary_ = false;
  child_process sandbox_;
  child_process engine_;
  plain_words address_;  ///< the sandbox's "ready"
  plain_words progress_; ///< its last "progress"
  bool finished_ = false;
  std::string configuration_;
  progress_bar bar_;
  demo_facts facts_;
  boot_ms began_ = 0;
  boot_ms engine_began_ = 0;
  std::mt19937_64 dice_;
  std::vector<double> kill_shares_; ///< sorted; the next one is at the back
  boot_ms kill_at_ = 0;             ///< 0 = none is planned
};

} // namespace pfx::app
