// The listening socket: TCP or Unix. Internal to connect/http.
// Refuses to take a Unix socket from a living server and to replace a file that is no socket.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.hpp"

namespace pfx::connect::http {

/// Owner of a non-blocking listening socket and, for a Unix one, of its path.
class listener {
public:
  listener() noexcept = default;
  listener(listener&& other) noexcept;
  listener& operator=(listener&& other) noexcept;
  ~listener() { close(); }

  /// `address` is numeric; port 0 takes any free one.
  [[nodiscard]] static result<listener> tcp(const std::string& address, std::uint16_t port);
  /// Mode 0600 from the first moment. errc::conflict if a living server has the path.
  [[nodiscard]] static result<listener> unix_path(const std::string& path);

  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// A new connection, non-blocking and closed on exec; -1 if there is none (errno says why).
  [[nodiscard]] int accept() const noexcept;
  /// Also removes the path, if it still leads to this socket.
  void close() noexcept;

private:
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::string path_;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

} // namespace pfx::connect::http
