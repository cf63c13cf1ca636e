// Sockets that listen.
#include "connect/http/listener.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace pfx::connect::http {

namespace {

constexpr int backlog = 128;

tl::unexpected<error> os_failure(const char* field, const char* what) {
  char text[128] = {};
  return failure(errc::io, field,
                 std::string(what) + ": " + ::strerror_r(errno, text, sizeof text));
}

std::uint16_t bound_port(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size);
  if (name.ss_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in&>(name).sin_port);
  return ntohs(reinterpret_cast<const sockaddr_in6&>(name).sin6_port);
}

/// True if somebody accepts connections at the path.
bool is_alive(const sockaddr_un& name) {
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return true; // cannot tell: leave it alone
  bool refused = ::connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0
    && (errno == ECONNREFUSED || errno == ENOENT);
  ::close(fd);
  return !refused;
}

} // namespace

listener::listener(listener&& other) noexcept { *this = std::move(other); }

listener& listener::operator=(listener&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
    port_ = other.port_;
    path_ = std::exchange(other.path_, {});
    device_ = other.device_;
    inode_ = other.inode_;
  }
  return *this;
}

result<listener> listener::tcp(const std::string& address, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    return failure(errc::bad_input, "address", "is not a numeric address");
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> name(found, ::freeaddrinfo);
  listener out;
  out.fd_ = ::socket(name->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (out.fd_ < 0)
    return os_failure("address", "no socket");
  int on = 1;
  ::setsockopt(out.fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(out.fd_, name->ai_addr, name->ai_addrlen) != 0)
    return os_failure("port", "cannot be bound");
  if (::listen(out.fd_, backlog) != 0)
    return os_failure("port", "cannot listen");
  out.port_ = bound_port(out.fd_);
  return out;
}

result<listener> listener::unix_path(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof name.sun_path || path.find('\0') != std::string::npos)
    return failure(errc::bad_input, "unix_socket", "is empty or longer than 107 octets");
  std::memcpy(name.sun_path, path.data(), path.size());
  struct stat about {};
  if (::lstat(path.c_str(), &about) == 0) {
    if (!S_ISSOCK(about.st_mode))
      return failure(errc::conflict, "unix_socket", "is there and is no socket");
    if (is_alive(name))
      return failure(errc::conflict, "unix_socket", "belongs to a living server");
    ::unlink(path.c_str());
  }
  listener out;
  out.fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (out.fd_ < 0)
    return os_failure("unix_socket", "no socket");
  ::fchmod(out.fd_, 0600); // Linux gives the new name this mode, so it is never wider
  if (::bind(out.fd_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
    return os_failure("unix_socket", "cannot be bound");
  out.path_ = path;
  if (::chmod(path.c_str(), 0600) != 0 || ::lstat(path.c_str(), &about) != 0)
    return os_failure("unix_socket", "cannot be protected");
  out.device_ = about.st_dev;
  out.inode_ = about.st_ino;
  if (::listen(out.fd_, backlog) != 0)
    return os_failure("unix_socket", "cannot listen");
  return out;
}

int listener::accept() const noexcept {
  int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd >= 0 && path_.empty()) {
    int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  return fd;
}

void listener::close() noexcept {
  if (fd_ < 0)
    return;
  struct stat about {};
  if (!path_.empty() && ::lstat(path_.c_str(), &about) == 0 && about.st_dev == device_
      && about.st_ino == inode_)
    ::unlink(path_.c_str());
  ::close(std::exchange(fd_, -1));
}

} // namespace pfx::connect::http
