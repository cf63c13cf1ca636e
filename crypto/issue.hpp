// Signing certificates: what an embedded CA, a device CA and a TLS identity are made with.
// Decides nothing; policy is the caller's.
#pragma once

#include "crypto/request.hpp"

namespace pfx::crypto {

struct ca_identity {
  certificate cert;
  private_key key;
};

struct root_options {
  std::string subject;
  key_algorithm key = key_algorithm::ec_p256;
  unix_ms not_before = 0;
  unix_ms not_after = 0;
};
/// A self-signed CA certificate: CA:TRUE critical, keyCertSign and cRLSign, SKI and AKI.
[[nodiscard]] result<ca_identity> make_root(const root_options& options);

struct sign_options {
  bytes subject;    ///< Name, DER
  bytes public_key; ///< SubjectPublicKeyInfo, DER
  bytes extensions; ///< Extensions, DER, copied as they are (may be empty)
  bytes serial;     ///< 1..20 octets, big-endian, positive, non-zero
  unix_ms not_before = 0;
  unix_ms not_after = 0;
  /// Added beside `extensions`: basicConstraints CA:FALSE, SKI, AKI. False if `extensions` has
  /// them.
  bool add_standard_extensions = true;
  hash_algorithm hash = hash_algorithm::sha256;
};
[[nodiscard]] result<certificate> sign_certificate(const ca_identity& issuer,
                                                   const sign_options& options);

/// An end-entity certificate for a key that we hold (TLS servers and clients, devices).
struct leaf_options {
  csr_options names; ///< subject, SANs, usages, EKUs
  unix_ms not_before = 0;
  unix_ms not_after = 0;
};
[[nodiscard]] result<certificate> issue_leaf(const ca_identity& issuer, const private_key& key,
                                             const leaf_options& options);

/// Twenty random octets with the top bit clear and not zero: a serial of 159 bits.
[[nodiscard]] bytes random_serial();

/// Moves a moment by a validity period; months and years by calendar, end of month clamped.
[[nodiscard]] unix_ms add_validity(unix_ms start, const validity_period& period);

} // namespace pfx::crypto
