// What an application proves itself with: a client secret, or a certificate by a signed assertion
// (RFC 7523 2.2). Refuses certificates whose key is not theirs, and keys that PS256 is not for.
#pragma once

#include <variant>

#include "connect/intune/messages.hpp"
#include "crypto/certificate.hpp"

namespace pfx::connect::intune {

inline constexpr std::int64_t assertion_life_ms = 600'000;
inline constexpr std::size_t secret_bytes_max = 1'024;

struct client_certificate {
  crypto::certificate cert;
  crypto::private_key key;
};

struct credential {
  std::string name; ///< the administrator's, for reports
  std::variant<secret_bytes, client_certificate> proof;
  /// When a secret ends, if the administrator told; a certificate says so itself
  std::optional<unix_ms> expires;

  [[nodiscard]] bool is_certificate() const noexcept {
    return std::holds_alternative<client_certificate>(proof);
  }
  /// The earlier of what it says and what was told.
  [[nodiscard]] std::optional<unix_ms> end() const;
};

/// "credentials[1].secret", as errors name it.
[[nodiscard]] std::string field_of(const credential& one, std::size_t index);
[[nodiscard]] result<void> check(const credential& one, std::size_t index);

struct assertion_order {
  std::string_view audience; ///< the token address
  std::string_view client_id;
  unix_ms now = 0;
};
/// A JWT in compact form (RFC 7515 7.1): PS256, header typ, alg and x5t#S256, claims aud, iss, sub,
/// jti (random: single-use), nbf, iat, exp.
[[nodiscard]] result<std::string> make_assertion(const client_certificate& by,
                                                 const assertion_order& order);

} // namespace pfx::connect::intune
