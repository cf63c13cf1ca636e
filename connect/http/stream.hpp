// The server's end of a connection: reads and writes that end by a deadline, with or without TLS.
// Internal to connect/http. Never raises SIGPIPE on a plain socket (TLS: the server's threads block
// it).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct ssl_st;
struct ssl_ctx_st;

namespace pfx::connect::http {

/// Milliseconds of a clock that never steps; for deadlines within this process.
[[nodiscard]] std::int64_t steady_ms() noexcept;

enum class io_status : std::uint8_t { done, closed, timed_out, stopped };

/// Owner of a connected, non-blocking socket. One thread uses it; `fd` may be shut down by another.
class stream {
public:
  explicit stream(int fd) noexcept : fd_(fd) {}
  ~stream();
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  [[nodiscard]] io_status handshake(ssl_ctx_st* context, std::int64_t deadline);
  /// Waits for the first octet of something; ends with `stopped` when `stop_fd` is readable.
  [[nodiscard]] io_status wait(int stop_fd, std::int64_t deadline);
  /// At least one octet; `got` says how many.
  [[nodiscard]] io_status read_some(char* into, std::size_t size, std::size_t& got,
                                    std::int64_t deadline);
  [[nodiscard]] io_status write_all(std::string_view octets, std::int64_t deadline);
  /// close_notify and the end of our half.
  void say_goodbye() noexcept;
  /// Also waits shortly for the other side to go, so that it reads our last words although we did
  /// not read all of its own.
  void linger() noexcept;

  /// DER of the verified client certificate, or empty.
  [[nodiscard]] std::string peer_certificate() const;
  /// SO_PEERCRED; -1 on a TCP socket.
  [[nodiscard]] std::int64_t peer_user() const noexcept;

private:
  struct ssl_end {
    void operator()(ssl_st* ssl) const noexcept;
  };
  [[nodiscard]] io_status poll_for(short events, std::int64_t deadline, int stop_fd = -1) noexcept;
  /// What to do after libssl returned `code`: done = try again.
  [[nodiscard]] io_status after_tls(int code, std::int64_t deadline) noexcept;

  int fd_;
  std::unique_ptr<ssl_st, ssl_end> ssl_;
};

} // namespace pfx::connect::http
