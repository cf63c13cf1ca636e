// `systemctl restart` returns when a unit of Type=notify has said that it is ready, or failed.
#include "switcher/systemd.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "core/clock.hpp"

extern char** environ;

namespace pfx::switcher {

namespace {

constexpr std::int64_t look_patience_ms = 30'000;
constexpr std::int64_t end_patience_ms = 5'000; ///< of a child that was killed
constexpr std::size_t output_bytes_max = 16u << 10;

/// Both ends of a pipe.
struct pipe_ends {
  std::array<int, 2> ends{-1, -1};
  bool make() { return ::pipe2(ends.data(), O_CLOEXEC) == 0; }
  void close_write() {
    if (ends[1] >= 0)
      ::close(ends[1]);
    ends[1] = -1;
  }
  ~pipe_ends() {
    close_write();
    if (ends[0] >= 0)
      ::close(ends[0]);
  }
};

/// A child in a process group of its own; killed and reaped at the end of its scope.
class child {
public:
  child() = default;
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() {
    if (pid_ > 0) {
      ::kill(-pid_, SIGKILL);
      static_cast<void>(wait(end_patience_ms));
    }
    if (end_ >= 0)
      ::close(end_);
  }

  bool start(const std::vector<std::string>& words, int output) {
    std::vector<char*> arguments;
    for (const auto& word : words)
      arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::posix_spawn_file_actions_t actions;
    ::posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    const int fault
      = ::posix_spawnp(&pid_, arguments[0], &actions, &attributes, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (fault != 0) {
      pid_ = -1;
      return false;
    }
    end_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    return true;
  }

  [[nodiscard]] int end_fd() const noexcept { return end_; }

  /// Its exit code once it has ended; nothing if it goes on, or if a signal ended it.
  std::optional<int> wait(std::int64_t patience_ms) {
    pollfd on{end_, POLLIN, 0};
    static_cast<void>(::poll(&on, 1, static_cast<int>(patience_ms)));
    int how = 0;
    if (::waitpid(pid_, &how, WNOHANG) != pid_)
      return std::nullopt;
    pid_ = -1;
    return WIFEXITED(how) ? std::optional(WEXITSTATUS(how)) : std::nullopt;
  }

private:
  pid_t pid_ = -1;
  int end_ = -1;
};

error not_in_time(const std::string& doing) {
  return {errc::unavailable, "service", doing + " was not over in time"};
}

/// Runs a command to its end; what it wrote.
result<std::string> run_command(const std::vector<std::string>& words, std::int64_t patience_ms) {
  const auto doing = words[0] + " " + words[1];
  pipe_ends output;
  child runs;
  if (!output.make() || !runs.start(words, output.ends[1]))
    return failure(errc::io, "service", words[0] + " cannot be run");
  output.close_write();
  const auto deadline = system_clock().boot() + patience_ms;
  std::string text;
  std::array<char, 4'096> piece{};
  bool open = true;
  while (open) {
    const auto left = deadline - system_clock().boot();
    pollfd on{output.ends[0], POLLIN, 0};
    const int ready = left > 0 ? ::poll(&on, 1, static_cast<int>(left)) : 0;
    if (ready < 0 && errno == EINTR)
      continue;
    if (ready <= 0)
      return failure(not_in_time(doing));
    const auto got = ::read(output.ends[0], piece.data(), piece.size());
    open = got > 0 && text.size() < output_bytes_max;
    if (got > 0)
      text.append(piece.data(), static_cast<std::size_t>(got));
  }
  const auto left = std::max<std::int64_t>(0, deadline - system_clock().boot());
  const auto code = runs.wait(left);
  if (!code)
    return failure(not_in_time(doing));
  if (*code != 0)
    return failure(errc::unavailable, "service", doing + " ended with " + std::to_string(*code));
  return text;
}

class systemd final : public release::service_control {
public:
  systemd(std::string command, std::string unit)
      : command_(std::move(command)), unit_(std::move(unit)) {}

  result<void> restart(std::int64_t patience_ms) override {
    // After many failures in a row the manager starts nothing any more, not even what is good.
    static_cast<void>(run_command({command_, "reset-failed", unit_}, look_patience_ms));
    const auto done = run_command({command_, "restart", unit_}, patience_ms);
    return done ? result<void>{} : failure(done.error());
  }

  result<sight> look() override {
    const auto text = run_command({command_, "show", "--property=ActiveState", "--property=MainPID",
                                   "--property=StatusText", unit_},
                                  look_patience_ms);
    if (!text)
      return failure(text.error());
    sight out;
    constexpr std::string_view name = "\nMainPID=";
    const auto whole = "\n" + *text;
    out.active = whole.find("\nActiveState=active\n") != std::string::npos;
    out.begun = whole.find("\nStatusText=running") != std::string::npos
      || whole.find("\nStatusText=paused") != std::string::npos;
    if (const auto at = whole.find(name); at != std::string::npos)
      static_cast<void>(
        std::from_chars(whole.data() + at + name.size(), whole.data() + whole.size(), out.process));
    return out;
  }

  result<void> check_program(const std::string& path) override {
    const auto text = run_command(
      {command_, "show", "--property=LoadState", "--property=ExecStart", unit_}, look_patience_ms);
    if (!text)
      return failure(text.error());
    const bool loaded = ("\n" + *text).find("\nLoadState=loaded\n") != std::string::npos;
    const auto first = text->find("{ path=");
    const bool one = first == text->rfind("{ path=");
    if (loaded && one && text->find("{ path=" + path + " ;") == first && first != text->npos)
      return {};
    return failure(errc::policy, "service",
                   unit_ + " does not run " + path + "; see /usr/libexec/pfxengine/updates on");
  }

  void pause(std::int64_t wait_ms) override {
    static_cast<void>(::poll(nullptr, 0, static_cast<int>(wait_ms)));
  }

  unix_ms now() override { return system_clock().wall(); }

private:
  std::string command_;
  std::string unit_;
};

} // namespace

std::unique_ptr<release::service_control> make_service(std::string command, std::string unit) {
  return std::make_unique<systemd>(std::move(command), std::move(unit));
}

} // namespace pfx::switcher
