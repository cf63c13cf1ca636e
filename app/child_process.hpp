// Another run of this very program, as a child that dies with its parent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "core/result.hpp"

namespace pfx::app {

struct child_order {
  std::vector<std::string> arguments; ///< without the program's name
  std::string stderr_path;            ///< appended to
  bool read_stdout = false;           ///< through a pipe; else stdout goes to stderr_path too
};

/// How a process ended: by its own exit code or by a signal.
struct child_end {
  int exit_code = -1;
  int signal = 0;
};

/// Owner of one process, which is in a process group of its own and begins with SIGTERM, SIGINT and
/// SIGHUP blocked: for commands that use stop_signals. Its end kills what still runs.
/// Start it from the thread that lives longest: the kernel kills the child when that one ends.
class child_process {
public:
  [[nodiscard]] static result<child_process> start(const child_order& order);
  child_process() noexcept = default;
  child_process(child_process&& other) noexcept;
  child_process& operator=(child_process&& other) noexcept;
  ~child_process();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] bool running() const noexcept { return pid_ > 0; }
  /// Readable when the process has ended; -1 if there is none.
  [[nodiscard]] int end_fd() const noexcept { return pid_fd_; }
  [[nodiscard]] int stdout_fd() const noexcept { return stdout_fd_; }
  /// Whole lines that have arrived on stdout; does not wait.
  [[nodiscard]] std::vector<std::string> lines();
  void signal(int number) const noexcept;
  /// Waits at most so long for the end; after it the process is gone and `running()` false.
  [[nodiscard]] std::optional<child_end> wait(std::int64_t patience_ms);

private:
  void close_all() noexcept;

  pid_t pid_ = -1;
  int pid_fd_ = -1;
  int stdout_fd_ = -1;
  std::string unread_;
};

} // namespace pfx::app
