// fork, exec, wait: the few system calls behind a child process, and what may go wrong in each.
#include "app/child_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.hpp"

namespace pfx::app {
namespace {

constexpr std::size_t line_bytes_max = 1u << 20; ///< of a child's stdout; more is no line of ours
constexpr int exec_failed = 127;

/// After fork in a process with threads: only calls that POSIX calls async-signal-safe.
[[noreturn]] void become(char* const* arguments, pid_t parent, int out, int err) {
  ::setpgid(0, 0); // an interrupt from the terminal is for the parent alone
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent)
    ::_exit(exec_failed); // the parent is gone already
  // A stop that comes before the child is ready for it waits, instead of killing it.
  sigset_t stops;
  ::sigemptyset(&stops);
  for (const int each : {SIGTERM, SIGINT, SIGHUP})
    ::sigaddset(&stops, each);
  ::sigprocmask(SIG_SETMASK, &stops, nullptr);
  if (::dup2(out, STDOUT_FILENO) < 0 || ::dup2(err, STDERR_FILENO) < 0)
    ::_exit(exec_failed);
  ::execv("/proc/self/exe", arguments);
  ::_exit(exec_failed);
}

tl::unexpected<error> system_failure(const char* what) {
  return failure(errc::io, what, std::strerror(errno));
}

} // namespace

result<child_process> child_process::start(const child_order& order) {
  auto words = order.arguments;
  words.insert(words.begin(), "pfxengine");
  std::vector<char*> arguments;
  for (auto& word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);

  const int log
    = ::open(order.stderr_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0)
    return system_failure("log of a child process");
  std::array<int, 2> pipe{-1, -1};
  if (order.read_stdout && ::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    ::close(log);
    return system_failure("pipe");
  }
  if (order.read_stdout) // only our end must not block
    ::fcntl(pipe[1], F_SETFL, 0);
  child_process out;
  const auto parent = ::getpid();
  out.pid_ = ::fork();
  if (out.pid_ == 0)
    become(arguments.data(), parent, order.read_stdout ? pipe[1] : log, log);
  const int fork_errno = errno;
  ::close(log);
  if (pipe[1] >= 0)
    ::close(pipe[1]);
  out.stdout_fd_ = pipe[0];
  if (out.pid_ < 0) {
    errno = fork_errno;
    return system_failure("fork");
  }
  // The C library of Debian 12 declares pidfd_open() without extern "C".
  out.pid_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, out.pid_, 0));
  if (out.pid_fd_ < 0)
    return system_failure("pidfd_open");
  return out;
}

child_process::child_process(child_process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pid_fd_(std::exchange(other.pid_fd_, -1)),
      stdout_fd_(std::exchange(other.stdout_fd_, -1)), unread_(std::move(other.unread_)) {}

child_process& child_process::operator=(child_process&& other) noexcept {
  if (this != &other) {
    close_all();
    pid_ = std::exchange(other.pid_, -1);
    pid_fd_ = std::exchange(other.pid_fd_, -1);
    stdout_fd_ = std::exchange(other.stdout_fd_, -1);
    unread_ = std::move(other.unread_);
  }
  return *this;
}

child_process::~child_process() { close_all(); }

void child_process::close_all() noexcept {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
  }
  for (int* fd : {&pid_fd_, &stdout_fd_})
    if (*fd >= 0)
      ::close(std::exchange(*fd, -1));
  pid_ = -1;
}

std::vector<std::string> child_process::lines() {
  std::vector<std::string> out;
  std::array<char, 16'384> room{};
  while (stdout_fd_ >= 0 && unread_.size() < line_bytes_max) {
    const auto got = ::read(stdout_fd_, room.data(), room.size());
    if (got < 0 && errno == EINTR)
      continue;
    if (got == 0)
      ::close(std::exchange(stdout_fd_, -1));
    if (got <= 0)
      break;
    unread_.append(room.data(), static_cast<std::size_t>(got));
  }
  std::size_t begin = 0;
  for (auto end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n', begin)) {
    out.push_back(unread_.substr(begin, end - begin));
    begin = end + 1;
  }
  unread_.erase(0, begin);
  return out;
}

void child_process::signal(int number) const noexcept {
  if (pid_ > 0)
    ::kill(pid_, number);
}

std::optional<child_end> child_process::wait(std::int64_t patience_ms) {
  if (pid_ <= 0)
    return std::nullopt;
  const auto until = system_clock().boot() + patience_ms;
  pollfd ended{pid_fd_, POLLIN, 0};
  for (auto left = patience_ms; ::poll(&ended, 1, static_cast<int>(left)) < 0 && errno == EINTR;)
    left = std::max<std::int64_t>(0, until - system_clock().boot());
  int how = 0;
  if (::waitpid(pid_, &how, WNOHANG) != pid_)
    return std::nullopt;
  pid_ = -1;
  ::close(std::exchange(pid_fd_, -1)); // stdout may still hold unread lines
  if (WIFSIGNALED(how))
    return child_end{-1, WTERMSIG(how)};
  return child_end{WEXITSTATUS(how), 0};
}

} // namespace pfx::app
