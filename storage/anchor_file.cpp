// One line of text: a word, a version, store id, sequence, head, records. The first version knew no
// records.
#include "storage/anchor_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <sstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pfx::storage {

namespace {

constexpr std::string_view word = "pfxengine-anchor";
constexpr std::string_view first_version = "1";
constexpr std::string_view version = "2";
constexpr std::size_t store_id_octets = 16;
constexpr std::size_t file_bytes_max = 512;

class descriptor {
public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

private:
  int fd_;
};

auto failed(const std::string& path, const char* doing) {
  return failure(errc::io, path, std::string(doing) + ": " + std::strerror(errno));
}

auto damaged(const std::string& path) {
  return failure(errc::corrupt, path, "is not the anchor of a store");
}

result<void> write_whole(const std::string& path, const std::string& text) {
  const descriptor file(
    ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) {
    return failed(path, "cannot be made");
  }
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return failed(path, "cannot be written");
  }
  if (::fsync(file.get()) != 0) {
    return failed(path, "cannot be synced");
  }
  return {};
}

result<void> sync_folder(const std::string& path) {
  auto folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) {
    folder = ".";
  }
  const descriptor at(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (at.get() < 0 || ::fsync(at.get()) != 0) {
    return failed(folder.string(), "cannot be synced");
  }
  return {};
}

} // namespace

result<void> write_anchor(const std::string& path, const anchor_mark& value) {
  const auto beside = path + ".next";
  const auto text = std::string(word) + " " + std::string(version) + " " + to_hex(value.store_id)
    + " " + std::to_string(value.sequence) + " " + to_hex(value.head) + " "
    + std::to_string(value.records) + "\n";
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) { // made where that is possible; what is missing else, the next call says
    (void)::mkdir(folder.c_str(), 0700);
  }
  if (auto written = write_whole(beside, text); !written) {
    return written;
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) {
    return failed(path, "cannot be replaced");
  }
  return sync_folder(path);
}

result<std::optional<anchor_mark>> read_anchor(const std::string& path) {
  const descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (file.get() < 0) {
    return errno == ENOENT ? result<std::optional<anchor_mark>>(std::nullopt)
                           : failed(path, "cannot be opened");
  }
  std::array<char, file_bytes_max> octets{};
  const auto size = ::read(file.get(), octets.data(), octets.size());
  if (size < 0) {
    return failed(path, "cannot be read");
  }
  std::istringstream in(std::string(octets.data(), static_cast<std::size_t>(size)));
  std::string first, second, id, head, rest;
  anchor_mark out;
  if (!(in >> first >> second >> id >> out.sequence >> head) || first != word
      || (second != version && second != first_version)
      || (second == version && !(in >> out.records)) || (in >> rest)) {
    return damaged(path);
  }
  auto id_octets = from_hex(id);
  const auto head_digest = digest_from_hex(head);
  if (!id_octets || id_octets->size() != store_id_octets || !head_digest) {
    return damaged(path);
  }
  out.store_id = std::move(*id_octets);
  out.head = *head_digest;
  return out;
}

} // namespace pfx::storage
