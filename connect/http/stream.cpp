// Non-blocking sockets under poll: every wait has a deadline.
#include "connect/http/stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pfx::connect::http {

namespace {

constexpr std::int64_t linger_ms_max = 1'000;
constexpr std::size_t linger_bytes_max = 1u << 20;
constexpr std::size_t tls_piece_bytes_max = 1u << 20;

} // namespace

std::int64_t steady_ms() noexcept {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

void stream::ssl_end::operator()(ssl_st* ssl) const noexcept { ::SSL_free(ssl); }

stream::~stream() {
  ssl_.reset();
  ::close(fd_);
}

io_status stream::poll_for(short events, std::int64_t deadline, int stop_fd) noexcept {
  for (;;) {
    std::int64_t left = deadline - steady_ms();
    if (left <= 0)
      return io_status::timed_out;
    std::array<pollfd, 2> watched{pollfd{fd_, events, 0}, pollfd{stop_fd, POLLIN, 0}};
    int ready = ::poll(watched.data(), 2, static_cast<int>(std::min<std::int64_t>(left, INT_MAX)));
    if (ready < 0 && errno != EINTR)
      return io_status::closed;
    if (ready <= 0)
      continue;
    if (watched[1].revents != 0)
      return io_status::stopped;
    return io_status::done; // errors and hang-ups show at the next read or write
  }
}

io_status stream::after_tls(int code, std::int64_t deadline) noexcept {
  int why = ::SSL_get_error(ssl_.get(), code);
  if (why == SSL_ERROR_WANT_READ)
    return poll_for(POLLIN, deadline);
  if (why == SSL_ERROR_WANT_WRITE)
    return poll_for(POLLOUT, deadline);
  ::ERR_clear_error();
  return io_status::closed;
}

io_status stream::handshake(ssl_ctx_st* context, std::int64_t deadline) {
  ::ERR_clear_error();
  ssl_.reset(::SSL_new(context));
  if (!ssl_ || ::SSL_set_fd(ssl_.get(), fd_) != 1)
    return io_status::closed;
  for (;;) {
    ::ERR_clear_error();
    int code = ::SSL_accept(ssl_.get());
    if (code == 1)
      return io_status::done;
    if (io_status next = after_tls(code, deadline); next != io_status::done)
      return next;
  }
}

io_status stream::wait(int stop_fd, std::int64_t deadline) {
  if (ssl_ && ::SSL_has_pending(ssl_.get()) == 1)
    return io_status::done;
  return poll_for(POLLIN, deadline, stop_fd);
}

io_status stream::read_some(char* into, std::size_t size, std::size_t& got, std::int64_t deadline) {
  got = 0;
  for (;;) {
    if (steady_ms() >= deadline)
      return io_status::timed_out;
    io_status next = io_status::done;
    if (ssl_) {
      ::ERR_clear_error();
      int code = ::SSL_read_ex(ssl_.get(), into, size, &got);
      if (code == 1)
        return io_status::done;
      next = after_tls(code, deadline);
    } else {
      ssize_t count = ::recv(fd_, into, size, 0);
      if (count > 0) {
        got = static_cast<std::size_t>(count);
        return io_status::done;
      }
      if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        return io_status::closed;
      next = errno == EINTR ? io_status::done : poll_for(POLLIN, deadline);
    }
    if (next != io_status::done)
      return next;
  }
}

io_status stream::write_all(std::string_view octets, std::int64_t deadline) {
  while (!octets.empty()) {
    if (steady_ms() >= deadline)
      return io_status::timed_out;
    io_status next = io_status::done;
    if (ssl_) {
      std::size_t written = 0;
      ::ERR_clear_error();
      int code = ::SSL_write_ex(ssl_.get(), octets.data(),
                                std::min(octets.size(), tls_piece_bytes_max), &written);
      if (code == 1)
        octets.remove_prefix(written);
      else
        next = after_tls(code, deadline);
    } else {
      ssize_t count = ::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (count >= 0)
        octets.remove_prefix(static_cast<std::size_t>(count));
      else if (errno == EAGAIN || errno == EWOULDBLOCK)
        next = poll_for(POLLOUT, deadline);
      else if (errno != EINTR)
        next = io_status::closed;
    }
    if (next != io_status::done)
      return next;
  }
  return io_status::done;
}

void stream::say_goodbye() noexcept {
  if (ssl_ && ::SSL_is_init_finished(ssl_.get()) == 1) {
    ::ERR_clear_error();
    ::SSL_shutdown(ssl_.get());
    ::ERR_clear_error();
  }
  ::shutdown(fd_, SHUT_WR);
}

/// Closing with unread input makes the kernel send a reset, which can overtake our last answer.
void stream::linger() noexcept {
  say_goodbye();
  std::int64_t deadline = steady_ms() + linger_ms_max;
  std::array<char, 16u << 10> waste;
  std::size_t drained = 0;
  while (drained < linger_bytes_max) {
    ssize_t count = ::recv(fd_, waste.data(), waste.size(), 0);
    if (count > 0)
      drained += static_cast<std::size_t>(count);
    else if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
             || poll_for(POLLIN, deadline) != io_status::done)
      return;
  }
}

std::string stream::peer_certificate() const {
  if (!ssl_)
    return {};
  std::unique_ptr<X509, void (*)(X509*)> peer(::SSL_get1_peer_certificate(ssl_.get()), ::X509_free);
  if (!peer)
    return {};
  int size = ::i2d_X509(peer.get(), nullptr);
  if (size <= 0)
    return {};
  std::string der(static_cast<std::size_t>(size), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  ::i2d_X509(peer.get(), &out);
  return der;
}

std::int64_t stream::peer_user() const noexcept {
  sockaddr_storage name{};
  socklen_t name_size = sizeof name;
  if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&name), &name_size) != 0
      || name.ss_family != AF_UNIX)
    return -1;
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
    return -1;
  return static_cast<std::int64_t>(who.uid);
}

} // namespace pfx::connect::http
