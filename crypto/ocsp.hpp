// OCSP (RFC 6960): requests read, answers signed. Bounded: nothing of a request is believed or kept
// beyond the limits below. What the status of a certificate is, the caller knows; signatures of
// requests are neither asked for nor checked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/issue.hpp"

namespace pfx::crypto {

inline constexpr std::size_t ocsp_request_bytes_max = 16u << 10;
inline constexpr std::size_t ocsp_certificates_max = 32; ///< certIDs of one request
inline constexpr std::size_t ocsp_nonce_bytes_max = 32;  ///< RFC 8954 2.1
inline constexpr std::size_t ocsp_hash_bytes_max = 64;

// -- requests ------

enum class ocsp_hash : std::uint8_t { other = 0, sha1, sha256 };

/// CertID (RFC 6960 4.1.1).
struct ocsp_certificate_id {
  bytes der; ///< as it came: the answer repeats it
  ocsp_hash hash = ocsp_hash::other;
  bytes issuer_name_hash;
  bytes issuer_key_hash;
  std::string serial; ///< lower-case hex, no leading zeros
};

struct ocsp_request {
  std::vector<ocsp_certificate_id> asked; ///< 1 to ocsp_certificates_max
  bytes nonce;                            ///< 1 to ocsp_nonce_bytes_max octets; empty = none
};

/// Exactly one DER OCSPRequest. errc::bad_input or errc::too_large, field "request": to be answered
/// with malformedRequest, also a nonce of no octets or of more than 32 (RFC 8954 2.1).
[[nodiscard]] result<ocsp_request> read_ocsp_request(byte_view der);

/// How requests name one CA: hashes of its name and key, made once. Immutable.
class ocsp_issuer {
public:
  explicit ocsp_issuer(const certificate& ca);
  /// False for every hash but SHA-1 and SHA-256.
  [[nodiscard]] bool is_named_by(const ocsp_certificate_id& id) const;

private:
  bytes name_sha1_;
  bytes key_sha1_;
  digest name_sha256_;
  digest key_sha256_;
};

// -- answers ------

enum class ocsp_status : std::uint8_t {
  successful = 0,
  malformed_request = 1,
  internal_error = 2,
  try_later = 3,
  unauthorized = 6 ///< also: nothing that this responder could speak of (RFC 5019 2.2.3)
};

/// An answer without a signature, for everything but `successful`.
[[nodiscard]] bytes ocsp_error(ocsp_status status);

enum class certificate_status : std::uint8_t { good = 0, revoked = 1, unknown = 2 };

struct ocsp_answer {
  certificate_status status = certificate_status::unknown;
  unix_ms revoked_at = 0;
  std::uint8_t reason = 0; ///< CRLReason; 0 is left out
};

struct ocsp_response_options {
  const ocsp_request& request;
  std::vector<ocsp_answer> answers; ///< one for each certID asked, in that order
  unix_ms this_update = 0;
  unix_ms next_update = 0;
  unix_ms produced_at = 0;
};

/// A successful OCSPResponse: byKey, the nonce repeated, the responder's certificate in it,
/// SHA-256.
[[nodiscard]] result<bytes> sign_ocsp_response(const ca_identity& responder,
                                               const ocsp_response_options& options);

/// A responder's certificate by `issuer` for `key`: digitalSignature, id-kp-OCSPSigning, nocheck
/// (RFC 6960 4.2.2.2); its name is the issuer's with "CN=OCSP Responder" below. Never a CA.
[[nodiscard]] result<certificate> issue_ocsp_responder(const ca_identity& issuer,
                                                       const private_key& key, unix_ms not_before,
                                                       unix_ms not_after);

} // namespace pfx::crypto
