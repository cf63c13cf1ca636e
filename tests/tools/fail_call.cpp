// The Nth call that fails: preloaded into a process, it refuses one call of a kind on paths below a
// folder, or all from there on. Sockets, logs and everything else outside of the folder neither
// count nor fail.
//
//   PFX_FAIL=KIND:N:ERRNO[:on|:torn]   read, write, sync, open, rename, truncate, mkdir, unlink
//   PFX_FAIL_UNDER=FOLDER              as the kernel names it, without links
//   PFX_FAIL_TOLD=FILE                 gets a line for each call that failed
//
// `torn`: the Nth write takes half of its octets, and the next one fails.
#undef _FORTIFY_SOURCE // its inline functions are those that are defined here
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <string>
#include <string_view>

#include <climits>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

struct error_name {
  std::string_view name;
  int value;
};
constexpr std::array<error_name, 8> error_names = {{{"ENOSPC", ENOSPC},
                                                    {"EIO", EIO},
                                                    {"EMFILE", EMFILE},
                                                    {"ENFILE", ENFILE},
                                                    {"EDQUOT", EDQUOT},
                                                    {"EACCES", EACCES},
                                                    {"EROFS", EROFS},
                                                    {"ENOMEM", ENOMEM}}};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

/// What was asked for; a wish that nobody can read ends the process, or a test would pass in peace.
struct wish {
  std::string kind, under, told;
  long number = 0;
  int error = 0;
  bool on = false, torn = false;

  wish() : under(environment("PFX_FAIL_UNDER")), told(environment("PFX_FAIL_TOLD")) {
    const std::string text = environment("PFX_FAIL");
    if (text.empty()) {
      return;
    }
    const auto first = text.find(':');
    const auto second = text.find(':', first + 1);
    const auto third = std::min(text.find(':', second + 1), text.size());
    if (first == std::string::npos || second == std::string::npos || under.empty()) {
      std::abort();
    }
    kind = text.substr(0, first);
    number = std::atol(text.c_str() + first + 1);
    const auto name = text.substr(second + 1, third - second - 1);
    for (const auto& one : error_names) {
      error = one.name == name ? one.value : error;
    }
    on = text.substr(third) == ":on";
    torn = text.substr(third) == ":torn";
    if (number < 1 || error == 0) {
      std::abort();
    }
  }
};

const wish& wanted() {
  static const wish out;
  return out;
}

std::string path_of(int file) {
  std::array<char, PATH_MAX> out{};
  const auto link = "/proc/self/fd/" + std::to_string(file);
  const auto size = ::readlink(link.c_str(), out.data(), out.size());
  return size < 0 ? std::string() : std::string(out.data(), static_cast<std::size_t>(size));
}

std::string path_of(int folder, const char* name) {
  if (name == nullptr || *name == '/') {
    return name == nullptr ? std::string() : std::string(name);
  }
  if (folder != AT_FDCWD) {
    return path_of(folder) + "/" + name;
  }
  std::array<char, PATH_MAX> here{};
  const auto size = ::syscall(SYS_getcwd, here.data(), here.size());
  return size < 0 ? std::string() : std::string(here.data()) + "/" + name;
}

void tell(const std::string& line) {
  const auto file = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, wanted().told.c_str(),
                                               O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (file >= 0) {
    static_cast<void>(::syscall(SYS_write, file, line.data(), line.size()));
    ::close(file);
  }
}

enum class fate { pass, fail, half };

/// Counts a call on `path`. Sets errno if it is to fail.
fate meet(std::string_view kind, const std::string& path) {
  static std::atomic<long> calls{0};
  const auto& wish = wanted();
  if (wish.kind != kind || !path.starts_with(wish.under)) {
    return fate::pass;
  }
  const long here = ++calls;
  const long bad = wish.torn ? wish.number + 1 : wish.number;
  if (wish.torn && here == wish.number) {
    return fate::half;
  }
  if (here != bad && !(wish.on && here > bad)) {
    return fate::pass;
  }
  tell(std::string(kind) + " " + std::to_string(here) + " " + path + "\n");
  errno = wish.error;
  return fate::fail;
}

template <class... Values>
ssize_t call(long number, Values... values) {
  return static_cast<ssize_t>(::syscall(number, values...));
}

/// A call that is not a write, on an open file or on a path.
template <class... Values>
int pass_or_fail(std::string_view kind, const std::string& path, long number, Values... values) {
  return meet(kind, path) == fate::pass ? static_cast<int>(call(number, values...)) : -1;
}

int open_at(int folder, const char* name, int flags, mode_t mode) {
  return pass_or_fail("open", path_of(folder, name), SYS_openat, folder, name, flags, mode);
}

ssize_t write_vector(int file, const iovec* parts, int count, long number, off_t at) {
  const auto outcome = meet("write", path_of(file));
  if (outcome == fate::fail) {
    return -1;
  }
  // The kernel may take less than it is given: the first part is enough of a half.
  const int taken = outcome == fate::half ? 1 : count;
  return call(number, file, parts, taken, at, 0);
}

} // namespace

extern "C" {

ssize_t write(int file, const void* from, std::size_t size) {
  const auto outcome = meet("write", path_of(file));
  return outcome == fate::fail
           ? -1
           : call(SYS_write, file, from, outcome == fate::half ? (size + 1) / 2 : size);
}

ssize_t pwrite(int file, const void* from, std::size_t size, off_t at) {
  const auto outcome = meet("write", path_of(file));
  return outcome == fate::fail
           ? -1
           : call(SYS_pwrite64, file, from, outcome == fate::half ? (size + 1) / 2 : size, at);
}
ssize_t pwrite64(int file, const void* from, std::size_t size, off_t at) {
  return pwrite(file, from, size, at);
}

ssize_t writev(int file, const iovec* parts, int count) {
  return write_vector(file, parts, count, SYS_writev, 0);
}
ssize_t pwritev(int file, const iovec* parts, int count, off_t at) {
  return write_vector(file, parts, count, SYS_pwritev, at);
}
ssize_t pwritev64(int file, const iovec* parts, int count, off_t at) {
  return pwritev(file, parts, count, at);
}

ssize_t read(int file, void* into, std::size_t size) {
  return meet("read", path_of(file)) == fate::pass ? call(SYS_read, file, into, size) : -1;
}
ssize_t pread(int file, void* into, std::size_t size, off_t at) {
  return meet("read", path_of(file)) == fate::pass ? call(SYS_pread64, file, into, size, at) : -1;
}
ssize_t pread64(int file, void* into, std::size_t size, off_t at) {
  return pread(file, into, size, at);
}
// what a fortified program calls instead
ssize_t __read_chk(int file, void* into, std::size_t size, std::size_t) {
  return read(file, into, size);
}
ssize_t __pread_chk(int file, void* into, std::size_t size, off_t at, std::size_t) {
  return pread(file, into, size, at);
}
ssize_t __pread64_chk(int file, void* into, std::size_t size, off_t at, std::size_t) {
  return pread(file, into, size, at);
}

int fsync(int file) { return pass_or_fail("sync", path_of(file), SYS_fsync, file); }
int fdatasync(int file) { return pass_or_fail("sync", path_of(file), SYS_fdatasync, file); }
int syncfs(int file) noexcept { return pass_or_fail("sync", path_of(file), SYS_syncfs, file); }
int sync_file_range(int file, off64_t from, off64_t size, unsigned flags) {
  if (from == 0 && size == 0 && flags == 0) { // asks whether there is such a call; no disk is asked
    return static_cast<int>(call(SYS_sync_file_range, file, from, size, flags));
  }
  return pass_or_fail("sync", path_of(file), SYS_sync_file_range, file, from, size, flags);
}

int openat(int folder, const char* name, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_at(folder, name, flags, mode);
}
int openat64(int folder, const char* name, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_at(folder, name, flags, mode);
}
int open(const char* name, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_at(AT_FDCWD, name, flags, mode);
}
int open64(const char* name, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_at(AT_FDCWD, name, flags, mode);
}
int creat(const char* name, mode_t mode) {
  return open_at(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int creat64(const char* name, mode_t mode) { return creat(name, mode); }
int __open_2(const char* name, int flags) { return open_at(AT_FDCWD, name, flags, 0); }
int __open64_2(const char* name, int flags) { return open_at(AT_FDCWD, name, flags, 0); }
int __openat_2(int folder, const char* name, int flags) { return open_at(folder, name, flags, 0); }
int __openat64_2(int folder, const char* name, int flags) {
  return open_at(folder, name, flags, 0);
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return pass_or_fail("rename", path_of(to_folder, to), SYS_renameat2, from_folder, from, to_folder,
                      to, 0);
}
int rename(const char* from, const char* to) noexcept {
  return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int ftruncate(int file, off_t size) noexcept {
  return pass_or_fail("truncate", path_of(file), SYS_ftruncate, file, size);
}
int ftruncate64(int file, off64_t size) noexcept { return ftruncate(file, size); }
int fallocate(int file, int how, off_t from, off_t size) {
  return pass_or_fail("truncate", path_of(file), SYS_fallocate, file, how, from, size);
}
int fallocate64(int file, int how, off64_t from, off64_t size) {
  return fallocate(file, how, from, size);
}
int posix_fallocate(int file, off_t from, off_t size) {
  return fallocate(file, 0, from, size) == 0 ? 0 : errno;
}
int posix_fallocate64(int file, off64_t from, off64_t size) {
  return posix_fallocate(file, from, size);
}

int mkdirat(int folder, const char* name, mode_t mode) noexcept {
  return pass_or_fail("mkdir", path_of(folder, name), SYS_mkdirat, folder, name, mode);
}
int mkdir(const char* name, mode_t mode) noexcept { return mkdirat(AT_FDCWD, name, mode); }

int unlinkat(int folder, const char* name, int flags) noexcept {
  return pass_or_fail("unlink", path_of(folder, name), SYS_unlinkat, folder, name, flags);
}
int unlink(const char* name) noexcept { return unlinkat(AT_FDCWD, name, 0); }

} // extern "C"
