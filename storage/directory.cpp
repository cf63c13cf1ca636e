// The data directory by its descriptor: rights, lock and marker. Refuses wide rights, a second
// owner, and every marker that is not exactly what this program writes.
#include "storage/directory.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace pfx::storage {

namespace {

namespace fs = std::filesystem;

constexpr const char* lock_name = "pfxengine.lock";
constexpr const char* marker_name = "pfxengine-store";
constexpr const char* marker_draft_name = "pfxengine-store.new";
constexpr std::size_t marker_bytes_max = 256;
constexpr std::size_t parents_max = 64;

constexpr std::string_view marker_head = "pfxengine store\nformat ";
constexpr std::string_view marker_id = "\nid ";
constexpr std::string_view marker_state = "\nstate ";

tl::unexpected<error> system_failure(const std::string& doing) {
  return failure(errc::io, "directory", doing + ": " + std::strerror(errno));
}

/// Closes at the end of its scope.
class descriptor {
public:
  explicit descriptor(int value) noexcept : value_(value) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (value_ >= 0) {
      ::close(value_);
    }
  }
  [[nodiscard]] int value() const noexcept { return value_; }

private:
  int value_;
};

/// mkdir -p -m 0700: unlike std::filesystem, no directory is ever wider, not even for a moment.
result<void> make_directories(const fs::path& path) {
  fs::path so_far;
  std::size_t parts = 0;
  for (const auto& part : path) {
    so_far /= part;
    if (++parts > parents_max) {
      return failure(errc::too_large, "directory", "has more than 64 parents");
    }
    if (::mkdir(so_far.c_str(), 0700) != 0 && errno != EEXIST && errno != EISDIR) {
      // A parent on a read-only or foreign file system is fine as long as it exists.
      struct stat found {};
      const int why = errno;
      if (::stat(so_far.c_str(), &found) != 0) {
        errno = why;
        return system_failure("cannot make " + so_far.string());
      }
    }
  }
  return {};
}

result<std::string> read_small(int directory, const char* name) {
  const descriptor file(::openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.value() < 0) {
    return errno == ENOENT ? failure(errc::not_found, name, "is not there")
                           : system_failure(std::string("cannot open ") + name);
  }
  std::array<char, marker_bytes_max> room{};
  std::size_t size = 0;
  while (size < room.size()) {
    const auto got = ::read(file.value(), room.data() + size, room.size() - size);
    if (got < 0 && errno != EINTR) {
      return system_failure(std::string("cannot read ") + name);
    }
    if (got == 0) {
      break;
    }
    size += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  return std::string(room.data(), size);
}

result<void> write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const auto put = ::write(file, text.data(), text.size());
    if (put < 0 && errno != EINTR) {
      return system_failure("cannot write");
    }
    text.remove_prefix(put > 0 ? static_cast<std::size_t>(put) : 0);
  }
  return {};
}

tl::unexpected<error> damaged_marker() {
  return failure(errc::corrupt, marker_name,
                 "is damaged, so nothing may be concluded from the directory; restore the file "
                 "from a backup of the same store");
}

std::string marker_text(const marker& value) {
  return std::string(marker_head) + std::to_string(data_directory::format_version)
         + std::string(marker_id) + to_hex(value.store_id) + std::string(marker_state)
         + (value.complete ? "complete\n" : "incomplete\n");
}

/// The number behind the head; it stays readable in every later format.
std::optional<std::uint32_t> marker_format(std::string_view text) {
  if (text.substr(0, marker_head.size()) != marker_head) {
    return std::nullopt;
  }
  text.remove_prefix(marker_head.size());
  std::uint32_t format = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), format);
  if (fault != std::errc{} || end == text.data() + text.size() || *end != '\n') {
    return std::nullopt;
  }
  return format;
}

} // namespace

data_directory::data_directory(data_directory&& other) noexcept
  : path_(std::move(other.path_)),
    directory_(std::exchange(other.directory_, -1)),
    lock_(std::exchange(other.lock_, -1)) {}

data_directory::~data_directory() {
  if (lock_ >= 0) {
    ::close(lock_); // ends the lock; the file stays, so that no two processes lock different ones
  }
  if (directory_ >= 0) {
    ::close(directory_);
  }
}

result<data_directory> data_directory::claim(const std::string& path, bool create) {
  if (path.empty()) {
    return failure(errc::bad_input, "directory", "is empty");
  }
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) {
    if (errno != ENOENT) {
      return system_failure("cannot look at " + path);
    }
    if (!create) {
      return failure(errc::not_found, "directory", path + " does not exist");
    }
    if (auto made = make_directories(path); !made) {
      return failure(std::move(made.error()));
    }
  }
  data_directory out{fs::path(path)};
  if (auto opened = out.open_checked(); !opened) {
    return failure(std::move(opened.error()));
  }
  if (auto locked = out.lock(); !locked) {
    return failure(std::move(locked.error()));
  }
  return out;
}

result<void> data_directory::open_checked() {
  directory_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat found {};
  if (directory_ < 0 || ::fstat(directory_, &found) != 0) {
    return system_failure("cannot open " + path_.string());
  }
  if (found.st_uid != ::geteuid()) {
    return failure(errc::bad_input, "directory",
                   path_.string() + " belongs to user id " + std::to_string(found.st_uid)
                     + ", not to the user id of this process, " + std::to_string(::geteuid()));
  }
  if ((found.st_mode & 0077) != 0) {
    return failure(errc::bad_input, "directory",
                   path_.string() + " is open to other users; run: chmod 700 " + path_.string());
  }
  return {};
}

result<void> data_directory::lock() {
  lock_ = ::openat(directory_, lock_name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock_ < 0) {
    return system_failure(std::string("cannot open ") + lock_name);
  }
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return system_failure(std::string("cannot lock ") + lock_name);
    }
    auto owner = read_small(directory_, lock_name).value_or("");
    owner = printable(owner.substr(0, owner.find('\n')), 16);
    return failure(errc::store_locked, "directory",
                   path_.string() + " is in use by "
                     + (owner.empty() ? "another process" : "process " + owner)
                     + "; one data directory has one owner");
  }
  if (::ftruncate(lock_, 0) != 0) {
    return system_failure(std::string("cannot write ") + lock_name);
  }
  // The number only helps people; the lock itself is the kernel's.
  return write_all(lock_, std::to_string(::getpid()) + "\n");
}

result<std::optional<marker>> data_directory::read_marker() const {
  auto text = read_small(directory_, marker_name);
  if (!text) {
    if (text.error().code == errc::not_found) {
      return std::optional<marker>();
    }
    return failure(std::move(text.error()));
  }
  const auto format = marker_format(*text);
  if (!format) {
    return damaged_marker();
  }
  if (*format > format_version) {
    return failure(errc::store_newer, marker_name,
                   "the store has format " + std::to_string(*format) + ", this program knows "
                     + std::to_string(format_version));
  }
  const auto id_at = text->find(marker_id);
  const auto state_at = text->find(marker_state);
  if (id_at == std::string::npos || state_at == std::string::npos || state_at < id_at) {
    return damaged_marker();
  }
  const auto id_first = id_at + marker_id.size();
  marker out;
  out.store_id = from_hex(text->substr(id_first, state_at - id_first)).value_or(bytes());
  out.complete = text->substr(state_at + marker_state.size()) == "complete\n";
  if (out.store_id.size() != 16 || *text != marker_text(out)) {
    return damaged_marker();
  }
  return std::optional<marker>(std::move(out));
}

result<void> data_directory::write_marker(const marker& value) const {
  {
    const descriptor file(::openat(directory_, marker_draft_name,
                                   O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.value() < 0) {
      return system_failure(std::string("cannot make ") + marker_draft_name);
    }
    if (auto written = write_all(file.value(), marker_text(value)); !written) {
      return written;
    }
    if (::fsync(file.value()) != 0) {
      return system_failure(std::string("cannot sync ") + marker_draft_name);
    }
  }
  if (::renameat(directory_, marker_draft_name, directory_, marker_name) != 0
      || ::fsync(directory_) != 0) {
    return system_failure(std::string("cannot write ") + marker_name);
  }
  return {};
}

result<bool> data_directory::empty() const {
  std::error_code fault;
  for (fs::directory_iterator at(path_, fault), end; !fault && at != end; at.increment(fault)) {
    const auto name = at->path().filename().string();
    if (name != lock_name && name != marker_draft_name && name != "lost+found") {
      return false;
    }
  }
  if (fault) {
    return failure(errc::io, "directory", "cannot list it: " + fault.message());
  }
  return true;
}

result<void> data_directory::make_database_directory() const {
  if (::mkdirat(directory_, "db", 0700) != 0 && errno != EEXIST) {
    return system_failure("cannot make " + database_path().string());
  }
  if (::fsync(directory_) != 0) {
    return system_failure("cannot sync " + path_.string());
  }
  return {};
}

std::uint64_t data_directory::free_bytes() const noexcept {
  struct statvfs found {};
  if (::fstatvfs(directory_, &found) != 0) {
    return 0;
  }
  return static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
}

} // namespace pfx::storage
