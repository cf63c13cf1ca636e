// PKCS#10 certification requests: made by the engine, read by certification authorities.
#pragma once

#include "crypto/certificate.hpp"

namespace pfx::crypto {

struct csr_options {
  std::string subject; ///< RFC 4514; may be empty if alternative names are given
  std::vector<alternative_name> alternative_names;
  key_usages usages = 0;
  std::vector<std::string> extended_usages; ///< dotted OIDs
  hash_algorithm hash = hash_algorithm::sha256;
  std::string security_identifier; ///< SID or empty: extension 1.3.6.1.4.1.311.25.2, byte-exact
};

/// Builds and signs a CSR (RFC 2986) with the extensions in extensionRequest (PKCS#9).
/// Values are validated: rfc822 addr-spec ASCII, dns LDH labels, uri with scheme, ip v4/v6,
/// upn UTF8, directoryName RFC 4514; errors name "subject", "subjectAlternativeNames[i].value", ….
[[nodiscard]] result<bytes> build_csr(const private_key& key, const csr_options& options);

/// Checks everything that build_csr would refuse, without a key: run before a key is made.
[[nodiscard]] result<void> check_csr_options(const csr_options& options);
/// The same, and what depends on the kind of key: keyEncipherment and dataEncipherment are refused
/// for EC (RFC 8813). Use this one where the algorithm is known.
[[nodiscard]] result<void> check_csr_options(const csr_options& options, key_algorithm key);

struct csr {
  bytes der;
  bytes subject;    ///< Name, DER
  bytes public_key; ///< SubjectPublicKeyInfo, DER
  digest public_key_hash;
  bytes extensions; ///< Extensions (SEQUENCE OF Extension), DER; empty if none were asked for
};

/// Parses a CSR and verifies its self-signature. RSA keys below 2048 bits are refused.
[[nodiscard]] result<csr> parse_csr(byte_view der);

/// The DER of the SID extension's value for `sid` (MS-WCCE 2.2.2.7.7.4). Checked: "S-1-" + digits.
[[nodiscard]] result<bytes> encode_security_identifier(std::string_view sid);

} // namespace pfx::crypto
