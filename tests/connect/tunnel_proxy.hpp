// A proxy that knows CONNECT and nothing else, over plain sockets or TLS. Counts what it was asked.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "connect/http/tls.hpp"
#include "tests/connect/http_support.hpp"

namespace pfx::test {

struct proxy_manners {
  const tls_party* identity = nullptr; ///< with one it speaks TLS
  std::string wanted_authorization;    ///< "Basic …"; else 407
  int refuse_with = 0;                 ///< this status to every CONNECT
};

/// Serves until it is destroyed, after its clients.
class tunnel_proxy {
public:
  explicit tunnel_proxy(proxy_manners manners = {});
  ~tunnel_proxy();
  tunnel_proxy(const tunnel_proxy&) = delete;
  tunnel_proxy& operator=(const tunnel_proxy&) = delete;

  [[nodiscard]] std::string url() const;
  /// The heads of the requests that came, whole.
  [[nodiscard]] std::vector<std::string> heads() const;
  [[nodiscard]] int tunnels() const { return tunnels_.load(); }

private:
  void serve(int fd);

  proxy_manners manners_;
  connect::http::tls::context context_;
  loopback_listener door_;
  mutable std::mutex mutex_;
  std::vector<std::string> heads_;
  std::atomic<int> tunnels_{0};
  std::atomic<bool> ending_{false};
  std::vector<std::thread> serving_; ///< of thread_ alone
  std::thread thread_;
};

} // namespace pfx::test
