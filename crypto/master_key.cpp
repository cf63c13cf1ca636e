// Files that hold a secret: read with suspicion; master keys are written once.
#include "crypto/seal.hpp"

#include "crypto/random.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace pfx::crypto {

namespace {

constexpr std::size_t raw_octets = 32;
constexpr std::size_t hex_characters = 64;
constexpr std::size_t file_octets_max = hex_characters + 2; // "\n" or "\r\n" may follow

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

auto failed(const std::string& path, const char* doing, int reason) {
  return failure(errc::io, path, std::string(doing) + ": " + std::strerror(reason));
}

auto refused(const std::string& path, std::string why) {
  return failure(errc::bad_input, path, std::move(why));
}

/// A credential of the service manager may be readable by root's group through the mask of its ACL
/// (systemd.exec, Credentials): that gives nobody anything, so it is let through.
result<void> check_owner(const std::string& path, const struct stat& about) {
  if (!S_ISREG(about.st_mode))
    return refused(path, "is no regular file");
  if (about.st_uid != ::geteuid() && about.st_uid != 0) {
    return refused(path, "belongs neither to this user nor to root");
  }
  const auto rights = about.st_mode & 07777;
  const bool roots_credential = about.st_uid == 0 && about.st_gid == 0 && rights == 0440;
  if ((rights & 077) != 0 && !roots_credential) {
    return refused(path, "group and others have rights on it; set mode 0600");
  }
  return {};
}

/// Reads to the end or until `into` is full.
result<std::size_t> read_all(int number, secret_bytes& into, const std::string& path) {
  std::size_t size = 0;
  while (size < into.size()) {
    const ssize_t got = ::read(number, into.data() + size, into.size() - size);
    if (got == 0)
      break;
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return failed(path, "reading", errno);
    size += static_cast<std::size_t>(got);
  }
  return size;
}

int digit_value(std::uint8_t c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/// 64 digits into 32 octets, never through ordinary memory; empty if a character is no digit.
secret_bytes decode(byte_view digits) {
  secret_bytes out(raw_octets);
  for (std::size_t i = 0; i < raw_octets; ++i) {
    const int high = digit_value(digits[2 * i]);
    const int low = digit_value(digits[2 * i + 1]);
    if (high < 0 || low < 0)
      return {};
    out.data()[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return out;
}

bool is_constant(byte_view octets) {
  return std::all_of(octets.begin(), octets.end(),
                     [&octets](std::uint8_t octet) { return octet == octets[0]; });
}

result<void> write_all(int number, byte_view octets, const std::string& path) {
  while (!octets.empty()) {
    const ssize_t put = ::write(number, octets.data(), octets.size());
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return failed(path, "writing", put < 0 ? errno : EIO);
    octets = octets.subspan(static_cast<std::size_t>(put));
  }
  if (::fsync(number) != 0)
    return failed(path, "syncing", errno);
  return {};
}

result<void> sync_folder_of(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty())
    folder = ".";
  const descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.number() < 0 || ::fsync(opened.number()) != 0) {
    return failed(folder, "syncing the folder", errno);
  }
  return {};
}

} // namespace

result<secret_bytes> read_secret_file(const std::string& path, std::size_t octets_max) {
  // O_NONBLOCK: a FIFO must not hold us up before fstat has seen what it is.
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.number() < 0)
    return failed(path, "opening", errno);
  struct stat about {};
  if (::fstat(file.number(), &about) != 0)
    return failed(path, "examining", errno);
  if (auto checked = check_owner(path, about); !checked)
    return failure(std::move(checked).error());
  secret_bytes octets(octets_max + 1);
  const auto size = read_all(file.number(), octets, path);
  if (!size)
    return failure(size.error());
  if (*size > octets_max)
    return failure(errc::too_large, path,
                   "is longer than " + std::to_string(octets_max) + " bytes");
  octets.shrink(*size);
  return octets;
}

result<secret_bytes> read_master_key(const std::string& path) {
  auto octets = read_secret_file(path, file_octets_max);
  if (!octets)
    return octets.error().code == errc::too_large
      ? refused(path, "must hold 64 hexadecimal digits or 32 octets")
      : failure(octets.error());
  const byte_view content = octets->view();
  secret_bytes key;
  if (content.size() == raw_octets) {
    key = secret_bytes(content);
  } else if (content.size() >= hex_characters) {
    const std::string_view rest = octets->text().substr(hex_characters);
    if (rest.empty() || rest == "\n" || rest == "\r\n")
      key = decode(content.first(hex_characters));
  }
  if (key.empty())
    return refused(path, "must hold 64 hexadecimal digits or 32 octets");
  if (is_constant(key.view()))
    return refused(path, "holds one octet 32 times: no random key");
  return key;
}

result<void> write_new_master_key(const std::string& path) {
  return write_master_key(path, random_secret(raw_octets));
}

result<void> write_master_key(const std::string& path, const secret_bytes& key) {
  if (key.size() != raw_octets)
    return failure(errc::bad_input, "masterKey", "must have 32 octets");
  constexpr std::string_view digits = "0123456789abcdef";
  secret_bytes text(hex_characters + 1);
  for (std::size_t i = 0; i < raw_octets; ++i) {
    text.data()[2 * i] = static_cast<std::uint8_t>(digits[key.data()[i] >> 4]);
    text.data()[2 * i + 1] = static_cast<std::uint8_t>(digits[key.data()[i] & 15]);
  }
  text.data()[hex_characters] = '\n';
  // Whole or not at all: half a key under the name would be worse than none.
  std::string temporary = path + ".XXXXXX";
  const descriptor file(::mkostemp(temporary.data(), O_CLOEXEC)); // mode 0600
  if (file.number() < 0)
    return failed(path, "making a new file", errno);
  auto done = write_all(file.number(), text.view(), path);
  if (done && ::link(temporary.c_str(), path.c_str()) != 0)
    done = failed(path, "making a new file", errno);
  ::unlink(temporary.c_str());
  if (!done)
    return done;
  return sync_folder_of(path);
}

} // namespace pfx::crypto
