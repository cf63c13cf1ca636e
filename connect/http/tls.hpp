// What the HTTP client and server need of libssl: contexts from PEM, trust stores, alerts, streams.
// Internal to connect/http. Refuses TLS below 1.2, encrypted keys and PEM that does not parse.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.hpp"

struct ssl_ctx_st; // OpenSSL's; its headers stay in tls.cpp and stream.cpp

namespace pfx::connect::http::tls {

struct context_end {
  void operator()(ssl_ctx_st* over) const noexcept;
};
using context = std::unique_ptr<ssl_ctx_st, context_end>;

/// A server's context. With `client_roots_pem`, client certificates are asked for and, when sent,
/// verified.
[[nodiscard]] result<context> make_server_context(std::string_view certificate_pem,
                                                  std::string_view key_pem,
                                                  std::string_view client_roots_pem);

/// What a client puts into each of its contexts: whom it trusts and who it is. Parsed once, so that
/// the private key's PEM can be wiped. Immutable; shared by all connections of one client.
class client_material {
public:
  /// Empty `roots_pem`: the context's own trust stays. Empty `certificate_pem`: anonymous.
  [[nodiscard]] static result<std::shared_ptr<const client_material>> make(
    std::string_view roots_pem, std::string_view certificate_pem, std::string_view key_pem);
  ~client_material();

  /// Installs it. `alert` receives the number of every alert that the peer sends (RFC 8446 6),
  /// until we send one ourselves: that one stays, as a negative number. It must outlive the
  /// context. False if libssl refuses.
  [[nodiscard]] bool install(ssl_ctx_st* into, int* alert) const noexcept;

private:
  struct parts;
  client_material();
  std::unique_ptr<parts> parts_;
};

/// True for an alert that says "your certificate won't do" (or that there was none). A mere
/// handshake_failure says so only before the handshake is done.
[[nodiscard]] bool refuses_certificate(int alert, bool handshake_done) noexcept;

} // namespace pfx::connect::http::tls
