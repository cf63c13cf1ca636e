// What a CA says in public, over plain HTTP: GET /ca/NAME.crl and /ca/NAME.cer, OCSP by POST to
// /ocsp/NAME and by GET below it (RFC 6960 A.1, cached as RFC 5019 6 wants it). Refuses everything
// else: nothing secret is here, and nothing can be changed from here.
#pragma once

#include <atomic>

#include "connect/ca/publisher.hpp"
#include "connect/http/server.hpp"
#include "crypto/status_locations.hpp"

namespace pfx::connect::ca {

/// A CA's name as it stands in addresses: [A-Za-z0-9._-], everything else becomes '-', at most 64
/// characters, never empty.
[[nodiscard]] std::string publication_name(std::string_view authority_name);

/// `name` as publication_name makes it; `ca` and `time` must outlive the handler.
[[nodiscard]] http::handler make_publication_handler(publisher& ca, const std::string& name,
                                                     const clock& time);

struct publication_options {
  std::string authority_name;
  std::string address = "127.0.0.1"; ///< numeric
  std::uint16_t port = 0;            ///< 0 = any free one
  /// How others reach it, "http://host[:port]" without a path; empty = address and port.
  std::string base_url;
  const clock* time = nullptr; ///< default: the machine's
};

/// The place, open before its CA is: the CA writes the addresses into what it issues. Until
/// `attach` everything is answered 503.
class publication_point {
public:
  /// errc::bad_input, field "address" or "base_url"; errc::io if it cannot listen.
  [[nodiscard]] static result<std::unique_ptr<publication_point>> open(publication_options options);

  [[nodiscard]] const crypto::status_locations& locations() const noexcept { return locations_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return server_->port(); }
  /// Once. `ca` must live until `stop` or the end of this.
  void attach(publisher& ca);
  void stop() { server_->stop(); }

private:
  explicit publication_point(const clock& time) : clock_(time) {}
  [[nodiscard]] http::server_response serve(const http::server_request& request) const;

  const clock& clock_;
  std::string name_;
  crypto::status_locations locations_;
  http::handler handle_;
  std::atomic<bool> attached_ = false;   ///< set after handle_, which never changes then
  std::unique_ptr<http::server> server_; ///< last: it ends before what it calls
};

} // namespace pfx::connect::ca
