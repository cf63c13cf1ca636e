// Key files by the folder's descriptor: temporary, synced, linked under the name, folder synced.
// Refuses wide rights, foreign owners and links.
#include "crypto/file_key_store_folder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/random.hpp"

namespace pfx::crypto::detail {
namespace {

constexpr std::size_t entries_max = 10'000; ///< in the folder, foreign files too
constexpr std::size_t stem_characters = 64; ///< a digest in hexadecimal
constexpr std::string_view ending = ".key";
constexpr std::size_t temporary_characters = 16; ///< behind the name and a point
constexpr int lock_tries_max = 100;
constexpr int lock_pause_ms = 100;

class descriptor {
public:
  explicit descriptor(int number) noexcept : number_(number) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (number_ >= 0)
      ::close(number_);
  }
  [[nodiscard]] int number() const noexcept { return number_; }

private:
  int number_;
};

tl::unexpected<error> failed(const std::string& path, const char* doing) {
  const int reason = errno;
  return failure(reason == ENOENT ? errc::not_found : errc::io, printable(path, 512),
                 std::string(doing) + ": " + std::strerror(reason));
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_key_name(std::string_view name) {
  return name.size() == stem_characters + ending.size() && name.ends_with(ending)
    && is_hex(name.substr(0, stem_characters));
}

bool is_temporary_name(std::string_view name) {
  constexpr auto size = stem_characters + ending.size();
  return name.size() == size + 1 + temporary_characters && is_key_name(name.substr(0, size))
    && name[size] == '.' && is_hex(name.substr(size + 1));
}

/// Ours alone: a key file that another user could replace or read is no longer one.
result<void> check_rights(const struct stat& about, const std::string& path, const char* mode) {
  if (about.st_uid != ::geteuid())
    return failure(errc::io, printable(path, 512),
                   "belongs to user id " + std::to_string(about.st_uid)
                     + ", not to the user id of this process, " + std::to_string(::geteuid()));
  if ((about.st_mode & 077) != 0)
    return failure(errc::io, printable(path, 512),
                   std::string("group or others have rights on it; set mode ") + mode);
  return {};
}

file_stamp stamp_of(const struct stat& about) {
  return {static_cast<std::uint64_t>(about.st_dev),
          static_cast<std::uint64_t>(about.st_ino),
          static_cast<std::int64_t>(about.st_size),
          about.st_mtim.tv_sec,
          about.st_mtim.tv_nsec,
          about.st_ctim.tv_sec,
          about.st_ctim.tv_nsec};
}

result<void> write_all(int number, byte_view octets, const std::string& path) {
  while (!octets.empty()) {
    const auto put = ::write(number, octets.data(), octets.size());
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return failed(path, "cannot be written");
    octets = octets.subspan(static_cast<std::size_t>(put));
  }
  if (::fsync(number) != 0)
    return failed(path, "cannot be synced");
  return {};
}

} // namespace

key_folder::key_folder(key_folder&& other) noexcept
    : path_(std::move(other.path_)), folder_(std::exchange(other.folder_, -1)) {}

key_folder::~key_folder() {
  if (folder_ >= 0)
    ::close(folder_); // ends the lock too
}

result<key_folder> key_folder::open(const std::string& path, bool make) {
  if (make && ::mkdir(path.c_str(), 0700) == 0) {
    const auto slash = path.find_last_of('/');
    const auto parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const descriptor above(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (above.number() < 0 || ::fsync(above.number()) != 0)
      return failed(parent, "cannot be synced");
  } else if (make && errno != EEXIST) {
    return failed(path, "cannot be made");
  }
  key_folder out(path, ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (out.folder_ < 0)
    return failed(path, "cannot be opened");
  if (auto checked = out.check(); !checked)
    return failure(std::move(checked).error());
  return out;
}

result<void> key_folder::check() const {
  struct stat about {};
  if (::fstat(folder_, &about) != 0)
    return failed(path_, "cannot be examined");
  return check_rights(about, path_, "0700");
}

result<void> key_folder::lock() {
  for (int i = 0; i < lock_tries_max; ++i) {
    if (::flock(folder_, LOCK_EX | LOCK_NB) == 0)
      return {};
    if (errno != EWOULDBLOCK && errno != EINTR)
      return failed(path_, "cannot be locked");
    ::poll(nullptr, 0, lock_pause_ms); // locks of files cannot be waited for with a limit
  }
  return failure(errc::unavailable, printable(path_, 512),
                 "another process has been changing keys there for too long; try again");
}

std::string key_folder::path_of(const std::string& name) const { return path_ + "/" + name; }

result<std::vector<std::string>> key_folder::entries() const {
  // A descriptor of its own: fdopendir takes it over, and the place in the folder is its too.
  const int own = ::openat(folder_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0)
    return failed(path_, "cannot be listed");
  const std::unique_ptr<::DIR, int (*)(::DIR*)> walk(::fdopendir(own), &::closedir);
  if (walk == nullptr) {
    ::close(own);
    return failed(path_, "cannot be listed");
  }
  std::vector<std::string> out;
  for (errno = 0; const auto* entry = ::readdir(walk.get()); errno = 0) {
    if (out.size() == entries_max)
      return failure(errc::too_large, printable(path_, 512), "holds more than 10000 files");
    out.emplace_back(&entry->d_name[0]);
  }
  if (errno != 0)
    return failed(path_, "cannot be listed");
  return out;
}

result<std::vector<std::string>> key_folder::names() const {
  auto all = entries();
  if (!all)
    return all;
  std::erase_if(*all, [](const std::string& name) { return !is_key_name(name); });
  std::ranges::sort(*all);
  return all;
}

result<bytes> key_folder::read(const std::string& name, file_stamp& stamp) const {
  const auto path = path_of(name);
  const descriptor file(
    ::openat(folder_, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.number() < 0)
    return failed(path, "cannot be opened");
  struct stat about {};
  if (::fstat(file.number(), &about) != 0)
    return failed(path, "cannot be examined");
  if (!S_ISREG(about.st_mode))
    return failure(errc::io, printable(path, 512), "is no regular file");
  if (auto checked = check_rights(about, path, "0600"); !checked)
    return failure(std::move(checked).error());
  bytes octets(key_file_octets_max + 1);
  std::size_t size = 0;
  while (size < octets.size()) {
    const auto got = ::read(file.number(), octets.data() + size, octets.size() - size);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return failed(path, "cannot be read");
    if (got == 0)
      break;
    size += static_cast<std::size_t>(got);
  }
  if (size > key_file_octets_max)
    return failure(errc::corrupt, printable(path, 512), "is longer than any key file");
  octets.resize(size);
  stamp = stamp_of(about);
  return octets;
}

result<file_stamp> key_folder::stamp(const std::string& name) const {
  struct stat about {};
  if (::fstatat(folder_, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0)
    return failed(path_of(name), "cannot be examined");
  return stamp_of(about);
}

result<std::string> key_folder::write_temporary(const std::string& name, byte_view octets) const {
  auto temporary = name + "." + to_hex(random_bytes(temporary_characters / 2));
  const auto path = path_of(temporary);
  const descriptor file(::openat(folder_, temporary.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.number() < 0)
    return failed(path, "cannot be created");
  if (auto written = write_all(file.number(), octets, path); !written) {
    ::unlinkat(folder_, temporary.c_str(), 0);
    return failure(std::move(written).error());
  }
  return temporary;
}

result<void> key_folder::sync(const std::string& name) const {
  if (::fsync(folder_) != 0)
    return failed(path_of(name), "cannot be synced with its folder");
  return {};
}

result<void> key_folder::create(const std::string& name, byte_view octets) const {
  const auto temporary = write_temporary(name, octets);
  if (!temporary)
    return failure(temporary.error());
  // A link, not a rename: what stands under the name already is never replaced.
  const bool linked = ::linkat(folder_, temporary->c_str(), folder_, name.c_str(), 0) == 0;
  const int reason = errno;
  ::unlinkat(folder_, temporary->c_str(), 0);
  errno = reason;
  if (!linked && errno == EEXIST)
    return failure(errc::conflict, "keyName", "there is a key of this name already");
  if (!linked)
    return failed(path_of(name), "cannot be created");
  return sync(name);
}

result<void> key_folder::replace(const std::string& name, byte_view octets) const {
  const auto temporary = write_temporary(name, octets);
  if (!temporary)
    return failure(temporary.error());
  if (::renameat(folder_, temporary->c_str(), folder_, name.c_str()) != 0) {
    auto fault = failed(path_of(name), "cannot be replaced");
    ::unlinkat(folder_, temporary->c_str(), 0);
    return fault;
  }
  return sync(name);
}

result<void> key_folder::remove(const std::string& name) const {
  if (::unlinkat(folder_, name.c_str(), 0) != 0)
    return failed(path_of(name), "cannot be removed");
  return sync(name);
}

result<void> key_folder::sweep() const {
  const auto all = entries();
  if (!all)
    return failure(all.error());
  bool removed = false;
  for (const auto& name : *all) {
    if (!is_temporary_name(name))
      continue;
    if (::unlinkat(folder_, name.c_str(), 0) != 0 && errno != ENOENT)
      return failed(path_of(name), "cannot be removed");
    removed = true;
  }
  return removed ? sync("") : result<void>();
}

} // namespace pfx::crypto::detail
