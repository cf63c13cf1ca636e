// Open, write, sync, rename, sync: in that order, each looked at.
#include "release/files.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/fault_point.hpp"

namespace pfx::release::detail {

namespace fs = std::filesystem;

descriptor& descriptor::operator=(descriptor&& other) noexcept {
  if (this != &other) {
    if (number_ >= 0)
      ::close(number_);
    number_ = other.number_;
    other.number_ = -1;
  }
  return *this;
}

descriptor::~descriptor() {
  if (number_ >= 0)
    ::close(number_);
}

error system_error(const std::string& path, const char* what) {
  const int number = errno;
  const bool full = number == ENOSPC || number == EDQUOT;
  return {full                 ? errc::disk_full
            : number == ENOENT ? errc::not_found
                               : errc::io,
          printable(path, 512), std::string(what) + ": " + std::strerror(number)};
}

result<descriptor> open_regular(const std::string& path) {
  // O_NONBLOCK: a pipe must not hold us up before fstat has seen what it is.
  descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat facts {};
  if (!file.open() || ::fstat(file.number(), &facts) != 0)
    return failure(system_error(path, "cannot be opened"));
  if (!S_ISREG(facts.st_mode))
    return failure(errc::io, printable(path, 512), "is not a regular file");
  return file;
}

result<std::uint64_t> size_of(const descriptor& file, const std::string& path) {
  struct stat facts {};
  if (::fstat(file.number(), &facts) != 0)
    return failure(system_error(path, "cannot be examined"));
  return static_cast<std::uint64_t>(facts.st_size);
}

result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const auto file = open_regular(path);
  if (!file)
    return failure(file.error());
  std::string out(bytes_max + 1, '\0');
  std::size_t size = 0;
  while (size < out.size()) {
    const auto got = ::read(file->number(), out.data() + size, out.size() - size);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return failure(system_error(path, "cannot be read"));
    if (got == 0)
      break;
    size += static_cast<std::size_t>(got);
  }
  if (size > bytes_max)
    return failure(errc::too_large, printable(path, 512),
                   "is longer than " + std::to_string(bytes_max) + " bytes");
  out.resize(size);
  return out;
}

result<void> write_all(const descriptor& file, byte_view octets, const std::string& path) {
  while (!octets.empty()) {
    const auto put = ::write(file.number(), octets.data(), octets.size());
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return failure(system_error(path, "cannot be written"));
    octets = octets.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

result<void> sync(const descriptor& file, const std::string& path) {
  if (::fsync(file.number()) != 0)
    return failure(system_error(path, "cannot be synced"));
  return {};
}

result<void> sync_folder_of(const std::string& path) {
  auto folder = fs::path(path).parent_path().string();
  if (folder.empty())
    folder = ".";
  const descriptor held(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!held.open())
    return failure(system_error(folder, "cannot be opened"));
  return sync(held, folder);
}

namespace {

/// A synced file beside `path`, of that mode.
result<std::string> write_beside(const std::string& path, byte_view octets, int mode) {
  std::string name = path + ".XXXXXX";
  const descriptor file(::mkostemp(name.data(), O_CLOEXEC)); // mode 0600
  if (!file.open())
    return failure(system_error(path, "cannot be created"));
  auto done = write_all(file, octets, path);
  if (done && ::fchmod(file.number(), static_cast<mode_t>(mode)) != 0)
    done = failure(system_error(path, "cannot be given its rights"));
  if (done)
    done = sync(file, path);
  if (!done) {
    ::unlink(name.c_str());
    return failure(done.error());
  }
  return name;
}

} // namespace

result<void> replace_file(const std::string& path, byte_view octets, int mode,
                          std::string_view step) {
  const auto written = write_beside(path, octets, mode);
  if (!written)
    return failure(written.error());
  fault_point(step, "written");
  if (::rename(written->c_str(), path.c_str()) != 0) {
    auto fault = system_error(path, "cannot be replaced");
    ::unlink(written->c_str());
    return failure(std::move(fault));
  }
  fault_point(step, "renamed");
  return sync_folder_of(path);
}

result<void> write_new_file(const std::string& path, byte_view octets, int mode) {
  const auto written = write_beside(path, octets, mode);
  if (!written)
    return failure(written.error());
  // A link, not a rename: what somebody else wrote is never replaced.
  const bool linked = ::link(written->c_str(), path.c_str()) == 0;
  auto fault = system_error(path, "cannot be made");
  const bool there = !linked && errno == EEXIST;
  ::unlink(written->c_str());
  if (linked)
    return sync_folder_of(path);
  if (there)
    return failure(errc::conflict, printable(path, 512), "exists already and is left as it is");
  return failure(std::move(fault));
}

result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return failure(system_error(path, "cannot be removed"));
  return {};
}

result<void> make_folder(const std::string& path, int mode) {
  const fs::path whole(path);
  fs::path so_far;
  for (const auto& part : whole) {
    so_far /= part;
    if (::mkdir(so_far.c_str(), static_cast<mode_t>(mode)) == 0)
      continue;
    std::error_code ignored;
    if (errno != EEXIST && !fs::is_directory(so_far, ignored))
      return failure(system_error(so_far.string(), "cannot be made"));
  }
  std::error_code ignored;
  if (!fs::is_directory(whole, ignored))
    return failure(errc::io, printable(path, 512), "is not a folder");
  return {};
}

result<void> remove_tree(const std::string& path) {
  std::error_code fault;
  fs::remove_all(path, fault);
  if (fault)
    return failure(errc::io, printable(path, 512), "cannot be removed: " + fault.message());
  return {};
}

result<void> need_room(const std::string& folder, std::uint64_t octets) {
  struct statvfs facts {};
  if (::statvfs(folder.c_str(), &facts) != 0)
    return failure(system_error(folder, "cannot be examined"));
  const auto free = static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
  if (free < octets + spare_bytes)
    return failure(errc::disk_full, printable(folder, 512),
                   std::to_string(free >> 20) + " MiB are free, "
                     + std::to_string((octets + spare_bytes) >> 20) + " are needed");
  return {};
}

result<descriptor> lock_file(const std::string& path, std::int64_t wait_ms) {
  constexpr int pause_ms = 50;
  descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.open())
    return failure(system_error(path, "cannot be opened"));
  for (std::int64_t waited = 0;; waited += pause_ms) {
    if (::flock(file.number(), LOCK_EX | LOCK_NB) == 0)
      return file;
    if (errno != EWOULDBLOCK && errno != EINTR)
      return failure(system_error(path, "cannot be locked"));
    if (waited >= wait_ms)
      return failure(errc::store_locked, printable(path, 512),
                     "another process is at work there; try again");
    ::poll(nullptr, 0, pause_ms); // locks of files cannot be waited for with a limit
  }
}

} // namespace pfx::release::detail
