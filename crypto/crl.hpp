// Certificate revocation lists (RFC 5280 5): made by an embedded CA, read by whoever checks one.
// Whole lists of one issuer only; refuses deltas, indirect lists, lists of a part (also where the
// extension that says so is not critical) and critical extensions that it does not know.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/issue.hpp"

namespace pfx::crypto {

inline constexpr std::size_t crl_entries_max = 250'000;
inline constexpr std::size_t crl_bytes_max = 32u << 20;

/// One line of a list.
struct revoked_certificate {
  std::string serial;        ///< lower-case hex, no leading zeros
  unix_ms revoked_at = 0;    ///< when the CA revoked it
  std::uint8_t reason = 0;   ///< CRLReason (RFC 5280 5.3.1); 0 is left out, as it says nothing
  unix_ms invalid_since = 0; ///< invalidityDate (5.3.2); 0 = not given

  bool operator==(const revoked_certificate&) const = default;
};

struct crl_options {
  std::uint64_t number = 0; ///< CRLNumber, at least 1; the caller sees that it grows
  unix_ms this_update = 0;
  unix_ms next_update = 0;
  std::vector<revoked_certificate> revoked; ///< in any order, each serial once
};

/// Version 2 with CRLNumber and authorityKeyIdentifier, lines sorted by serial, SHA-256. Errors
/// name "number", "nextUpdate" or "revoked[i].serial"; errc::too_large above crl_entries_max.
[[nodiscard]] result<bytes> make_crl(const ca_identity& issuer, const crl_options& options);

struct revocation_list {
  std::string issuer;                       ///< RFC 4514
  std::string number;                       ///< CRLNumber, lower-case hex; empty if there is none
  bytes authority_key;                      ///< keyIdentifier of the AKI, empty if there is none
  unix_ms this_update = 0;                  ///< not compared with any clock here
  unix_ms next_update = 0;                  ///< 0 = none
  std::vector<revoked_certificate> revoked; ///< sorted by serial

  /// Null if this serial is not on the list. O(log n).
  [[nodiscard]] const revoked_certificate* find(std::string_view serial) const;
};

/// Exactly one DER CRL of at most crl_bytes_max that `issuer` signed. errc::bad_input, field "crl",
/// errc::policy if it is another issuer's or `issuer` may not sign lists, errc::crypto if the
/// signature does not verify, errc::not_supported for what the head of this file refuses.
[[nodiscard]] result<revocation_list> read_crl(byte_view der, const certificate& issuer);

} // namespace pfx::crypto
