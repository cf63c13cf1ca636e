// HTTPS requests as blocking calls with limits, over libcurl. Refuses redirects, plain HTTP (unless
// asked for a Unix socket), TLS below 1.2 and bodies over the limit. Knows no protocol above HTTP.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/clock.hpp"
#include "core/secret.hpp"

namespace pfx::connect::http {

struct tls_identity {
  std::string certificate_pem; ///< leaf first, then chain
  std::string key_pem_path;    ///< mode 0600 file with the private key, PEM; or empty
  secret_bytes key_pem;        ///< the private key in memory, PEM; used if not empty
};

/// Who several clients are, where that changes while they run: a renewed certificate. Thread-safe.
class identity_box {
public:
  explicit identity_box(tls_identity who) : who_(std::move(who)) {}
  /// From the next handshake on; connections that rest are closed.
  void put(tls_identity who);
  [[nodiscard]] std::uint64_t edition() const;
  /// A copy, and its edition.
  [[nodiscard]] std::pair<tls_identity, std::uint64_t> current() const;

private:
  mutable std::mutex mutex_;
  tls_identity who_;
  std::uint64_t edition_ = 1;
};

/// A way out of the network. Without one nothing goes through a proxy: the environment is not
/// asked.
struct proxy_options {
  /// "http://host:port" or "https://host:port", nothing behind it; the prefix is mandatory
  std::string url;
  std::string user;              ///< empty = no credentials; RFC 7617, hence no colon
  secret_bytes password;         ///< Basic; over http:// it goes in clear
  std::string trusted_roots_pem; ///< verifies an https:// proxy; empty = the system's roots
};

struct client_options {
  /// "https://host:port/path", no trailing slash; or "http://localhost" with unix_socket
  std::string base_url;
  std::string unix_socket;              ///< path of a Unix socket; then TLS is off
  std::string trusted_roots_pem;        ///< verifies the server; empty = the system's roots
  std::optional<tls_identity> identity; ///< not together with an https:// proxy, which would see it
  /// Instead of `identity`: what it holds now, and whatever is put there later
  std::shared_ptr<const identity_box> shared_identity;
  std::optional<proxy_options> proxy; ///< not for a Unix socket
  std::int64_t connect_timeout_ms = 10'000;
  std::int64_t call_timeout_ms = 60'000; ///< the whole call, body included
  /// Slower than this for low_speed_window_s ends the call
  std::int64_t low_speed_bytes_per_s = 100;
  std::int64_t low_speed_window_s = 20;
  std::size_t body_bytes_max = 32u << 20; ///< after decompression
  std::size_t connections_max = 8;        ///< kept alive for reuse
  std::string user_agent;
};

struct response {
  int status = 0;
  std::map<std::string, std::string> headers; ///< names in lower case
  std::string body;
  /// Retry-After in milliseconds from now (seconds or HTTP date; clamped to
  /// 0..limits::asked_wait_ms_max).
  std::optional<std::int64_t> retry_after_ms;
};

struct call_options {
  std::map<std::string, std::string> headers;
  std::int64_t timeout_ms = 0; ///< 0 = the client's
  /// A connection of its own, closed behind the answer. libcurl then never sends twice, as it does
  /// when a kept connection turns out to be dead: for bodies that may be sent only once.
  bool fresh_connection = false;
};

/// Thread-safe; blocks the calling thread. Connections are reused between calls and threads
/// (bounded pool of easy handles).
/// Errors: errc::unavailable (nothing was sent: name, connect or TLS failed), errc::unknown_outcome
/// (sent, no whole answer: time-out, cut, wrong length), errc::unauthorized (TLS: the server
/// refused our certificate in the handshake; with field "server": it is not who it must be; with
/// field "proxy": the proxy wants credentials or is not who it must be), errc::too_large (body over
/// the limit), errc::stopping (cancelled). Field "proxy" with errc::unavailable: the proxy lets us
/// not through. An HTTP status is not an error here; after 401 and 403 no connection is used again,
/// so that the next call shows its certificate anew.
class client {
public:
  [[nodiscard]] static result<std::unique_ptr<client>> make(client_options options);
  ~client();

  /// POST with a JSON body to base_url and `path` (with or without its leading slash). Accepts gzip
  /// answers.
  /// On a kept connection that the server closed meanwhile, libcurl sends again on a fresh one by
  /// itself.
  [[nodiscard]] result<response> post(const std::string& path, std::string_view body,
                                      const call_options& options = {});
  [[nodiscard]] result<response> get(const std::string& path, const call_options& options = {});
  /// Makes all running and later calls end with errc::stopping within about 100 ms.
  void cancel() noexcept;

private:
  struct state;
  explicit client(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

} // namespace pfx::connect::http
