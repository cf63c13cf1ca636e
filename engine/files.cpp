// The order of open, write, sync, link, sync: what makes "whole or not at all" true.
#include "engine/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace pfx::engine::detail {
namespace {

/// Closes a descriptor at the end of its scope.
struct descriptor {
  int fd = -1;
  ~descriptor() {
    if (fd >= 0)
      ::close(fd);
  }
};

tl::unexpected<error> system_failure(const std::string& path, const char* what) {
  const int number = errno;
  return failure(number == ENOENT ? errc::not_found : errc::io, printable(path, 512),
                 std::string(what) + ": " + std::strerror(number));
}

result<void> write_all(int fd, byte_view octets, const std::string& path) {
  while (!octets.empty()) {
    const auto written = ::write(fd, octets.data(), octets.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return system_failure(path, "cannot be written");
    octets = octets.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

result<void> sync_folder(const std::string& file) {
  auto folder = std::filesystem::path(file).parent_path().string();
  if (folder.empty())
    folder = ".";
  const descriptor held{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (held.fd < 0 || ::fsync(held.fd) != 0)
    return system_failure(folder, "cannot be synced");
  return {};
}

result<void> link_new(const std::string& temporary, const std::string& path) {
  if (::link(temporary.c_str(), path.c_str()) == 0)
    return {};
  if (errno == EEXIST)
    return failure(errc::conflict, printable(path, 512), "exists already and is left as it is");
  return system_failure(path, "cannot be created");
}

/// A synced file beside `path`; its name.
result<std::string> write_temporary(const std::string& path, byte_view octets) {
  std::string temporary = path + ".XXXXXX";
  const descriptor file{::mkostemp(temporary.data(), O_CLOEXEC)}; // mode 0600
  if (file.fd < 0)
    return system_failure(path, "cannot be created");
  auto done = write_all(file.fd, octets, path);
  if (done && ::fsync(file.fd) != 0)
    done = system_failure(path, "cannot be synced");
  if (!done) {
    ::unlink(temporary.c_str());
    return failure(std::move(done).error());
  }
  return temporary;
}

} // namespace

result<void> write_new_file(const std::string& path, byte_view octets) {
  auto temporary = write_temporary(path, octets);
  if (!temporary)
    return failure(std::move(temporary).error());
  // A link, not a rename: a file that somebody else wrote meanwhile is never replaced.
  auto done = link_new(*temporary, path);
  ::unlink(temporary->c_str());
  return done ? sync_folder(path) : done;
}

result<void> replace_file(const std::string& path, byte_view octets) {
  auto temporary = write_temporary(path, octets);
  if (!temporary)
    return failure(std::move(temporary).error());
  auto done = rename_file(*temporary, path);
  if (!done)
    ::unlink(temporary->c_str());
  return done;
}

result<void> rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    return system_failure(to, "cannot be replaced");
  return sync_folder(to);
}

result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0)
    return system_failure(path, "cannot be removed");
  return sync_folder(path);
}

result<bytes> read_file(const std::string& path, std::size_t bytes_max) {
  const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0)
    return system_failure(path, "cannot be opened");
  struct stat facts {};
  if (::fstat(file.fd, &facts) != 0)
    return system_failure(path, "cannot be examined");
  if (!S_ISREG(facts.st_mode))
    return failure(errc::io, printable(path, 512), "is not a regular file");
  bytes octets(bytes_max + 1);
  std::size_t size = 0;
  while (size < octets.size()) {
    const auto got = ::read(file.fd, octets.data() + size, octets.size() - size);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return system_failure(path, "cannot be read");
    if (got == 0)
      break;
    size += static_cast<std::size_t>(got);
  }
  if (size > bytes_max)
    return failure(errc::too_large, printable(path, 512),
                   "is longer than " + std::to_string(bytes_max) + " bytes");
  octets.resize(size);
  return octets;
}

result<bool> make_private_folder(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  std::error_code fault;
  if (!parent.empty())
    std::filesystem::create_directories(parent, fault);
  if (fault)
    return failure(errc::io, printable(parent.string(), 512), fault.message());
  if (::mkdir(path.c_str(), 0700) == 0)
    return true;
  if (errno != EEXIST)
    return system_failure(path, "cannot be made");
  if (!std::filesystem::is_directory(path, fault))
    return failure(errc::io, printable(path, 512), "is not a folder");
  return false;
}

} // namespace pfx::engine::detail
