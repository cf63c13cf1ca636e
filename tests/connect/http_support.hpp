// What the tests of connect share: a world of certificates, sockets that say what a test wants
// said, and a folder that goes away.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "connect/http/client.hpp"
#include "connect/http/server.hpp"
#include "crypto/issue.hpp"

namespace pfx::test {

/// A temporary folder; removed with all it holds.
class scratch {
public:
  scratch();
  ~scratch();
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

private:
  std::string folder_;
};

struct tls_party {
  std::string certificate_pem;
  std::string key_pem;
  bytes certificate_der;
};

/// Roots and leaves, made once per process.
struct tls_world {
  std::string server_root;
  std::string client_root;
  std::string foreign_root;
  tls_party server; ///< localhost, 127.0.0.1
  tls_party expired_server;
  tls_party other_name; ///< a server called other.example
  tls_party client;
  tls_party expired_client;
  tls_party foreign_client; ///< by foreign_root
};
[[nodiscard]] const tls_world& world();

[[nodiscard]] secret_bytes secret(const std::string& text);
[[nodiscard]] connect::http::server_options tls_server(const tls_party& who);
/// Trusts server_root; with `who`, shows its certificate.
[[nodiscard]] connect::http::client_options tls_client(const connect::http::server& of,
                                                       const tls_party* who = nullptr);
[[nodiscard]] connect::http::client_options unix_client(const std::string& path);

// -- raw sockets; reads end after five seconds at the latest ------
[[nodiscard]] int connect_unix(const std::string& path);
[[nodiscard]] int connect_tcp(std::uint16_t port);
void send_text(int fd, std::string_view text);
/// One HTTP message: header, and the body that Content-Length names.
[[nodiscard]] std::string read_message(int fd);
/// Until the other side closes.
[[nodiscard]] std::string read_all(int fd);

/// A listening TCP socket that does nothing by itself.
class loopback_listener {
public:
  loopback_listener();
  ~loopback_listener();
  loopback_listener(const loopback_listener&) = delete;
  loopback_listener& operator=(const loopback_listener&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int accept() const;

private:
  int fd_ = -1;
  std::uint16_t port_ = 0;
};

/// Accepts on a Unix socket and gives every connection to `script`, one after the other, each in
/// the one thread of this server. Ends with the object; a script that still waits is woken by
/// shutdown.
class scripted_server {
public:
  using script = std::function<void(int fd)>;
  explicit scripted_server(script run);
  ~scripted_server();
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int connections() const { return connections_.load(); }

private:
  scratch folder_;
  std::string path_;
  script run_;
  int listen_fd_ = -1;
  std::atomic<int> current_fd_{-1};
  std::atomic<int> connections_{0};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

/// A script that reads one request and says `answer`, then closes.
[[nodiscard]] scripted_server::script says(std::string answer);

[[nodiscard]] std::string gzip(std::string_view plain);
[[nodiscard]] std::string http_answer(const std::string& body, const std::string& headers = {});

} // namespace pfx::test
