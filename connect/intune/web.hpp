// How the clients of this folder reach the network: absolute https addresses, one kept client per
// host. Refuses everything that is not https, redirects (as connect/http does), and answers over
// its limit. A fake stands in for it in tests.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "connect/http/client.hpp"

namespace pfx::connect::intune {

struct web_request {
  std::string url;
  bool post = false;
  std::string_view body = {}; ///< outlives the call
  http::call_options options = {};
};

/// Thread-safe; blocks.
class web {
public:
  virtual ~web() = default;
  /// Errors as of http::client; an HTTP status is none.
  virtual result<http::response> send(const web_request& request) = 0;
  /// Ends running and later calls with errc::stopping.
  virtual void cancel() noexcept = 0;
};

struct web_options {
  std::string trusted_roots_pem; ///< empty = the system's roots
  std::optional<http::proxy_options> proxy;
  std::int64_t connect_timeout_ms = 10'000;
  std::int64_t call_timeout_ms = 60'000;
  std::string user_agent;
};

inline constexpr std::size_t web_hosts_max = 16;            ///< kept; the longest unused one goes
inline constexpr std::size_t web_body_bytes_max = 8u << 20; ///< of an answer, decompressed

[[nodiscard]] result<std::unique_ptr<web>> make_web(web_options options);

} // namespace pfx::connect::intune
