// RSA signatures over SHA-256 as JSON Web Signatures have them (RFC 7518): PS256, which is
// RSASSA-PSS with MGF1-SHA-256 and a salt of 32 octets (3.5, RFC 8017 8.1), and, to be read only,
// RS256, which is PKCS#1 v1.5 (3.3). Refuses keys that are not RSA or shorter than 2048 bits.
#pragma once

#include "crypto/certificate.hpp"
#include "crypto/private_key.hpp"

namespace pfx::crypto {

inline constexpr int rsa_signer_bits_min = 2048;

/// errc::not_supported for a key of another kind or too short, errc::crypto if it fails. The
/// signature is verified before it is handed out: a wrong one can tell the key.
[[nodiscard]] result<bytes> sign_pss_sha256(const private_key& key, byte_view octets);

/// True if `cert`'s key made `signature` over `octets`; PS256.
[[nodiscard]] bool verify_pss_sha256(const certificate& cert, byte_view octets,
                                     byte_view signature);

/// The same for RS256, which libraries of others still sign with.
[[nodiscard]] bool verify_pkcs1_sha256(const certificate& cert, byte_view octets,
                                       byte_view signature);

} // namespace pfx::crypto
