// A small HTTPS (or Unix socket) server: bounded connections, bodies and times; one handler
// function.
// For control sockets and local services. Not a web server: no files, no pipelining, no upgrade.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "connect/http/delivery.hpp"
#include "core/secret.hpp"

namespace pfx::connect::http {

/// Who is at the other end, as far as the transport knows.
struct peer {
  std::string certificate_der; ///< client certificate, DER; empty if none was sent
  std::int64_t user_id = -1;   ///< SO_PEERCRED of a Unix socket, else -1
};

struct server_request {
  std::string method;
  std::string target;                         ///< path and query
  std::map<std::string, std::string> headers; ///< names in lower case
  std::string body;                           ///< decompressed if Content-Encoding: gzip
  peer from;
};

struct server_response {
  int status = 200;
  std::map<std::string, std::string> headers; ///< Content-Type defaults to application/json
  std::string body;
  delivery how = {}; ///< for test beds
};

/// A certificate and its key, PEM.
struct server_identity {
  std::string certificate_pem; ///< leaf first, then chain
  secret_bytes key_pem;
};

struct server_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0; ///< 0 = any free port
  /// Path; then address, port and TLS are unused; mode 0600; a stale socket is replaced, a living
  /// one refused
  std::string unix_socket;
  /// TCP without TLS, for data that is public and signed by itself and nothing else: revocation
  /// lists, OCSP. Refused together with a certificate.
  bool plain_public_data = false;
  std::string certificate_pem; ///< leaf first, then chain
  secret_bytes key_pem;
  /// If set, client certificates are asked for and, when sent, must verify against these
  std::string client_roots_pem;
  /// Further ones wait in the backlog; the longest idle one makes room
  std::size_t connections_max = 64;
  std::size_t body_bytes_max = 32u << 20;
  std::size_t header_bytes_max = 64u << 10;
  std::int64_t idle_timeout_ms = 60'000;
  std::int64_t request_timeout_ms = 60'000;
  /// Further identities, and which one a handshake shows: 0 = the one above, n = others[n - 1]. For
  /// test beds; called from several threads.
  std::vector<server_identity> others = {};
  std::function<std::size_t()> which = {};
};

using handler = std::function<server_response(const server_request&)>;

/// Serves until destroyed or stopped. The handler is called from several threads; an exception in
/// it becomes a 500.
class server {
public:
  [[nodiscard]] static result<std::unique_ptr<server>> start(server_options options,
                                                             handler handle);
  ~server();
  [[nodiscard]] std::uint16_t port() const noexcept;
  /// Stops accepting, ends idle connections, waits at most `deadline_ms` for running requests, then
  /// cuts their connections. The destructor waits until the last handler has returned; neither is
  /// for a handler.
  void stop(std::int64_t deadline_ms = 5'000);

private:
  struct state;
  explicit server(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

} // namespace pfx::connect::http
