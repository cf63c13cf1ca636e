// RSASSA-PSS with SHA-256, MGF1-SHA-256 and a salt of 32 octets (RFC 8017 8.1): what JSON Web
// Signatures call PS256 (RFC 7518 3.5). Refuses keys that are not RSA or shorter than 2048 bits.
#pragma once

#include "crypto/certificate.hpp"
#include "crypto/private_key.hpp"

namespace pfx::crypto {

inline constexpr int pss_bits_min = 2048;

/// errc::not_supported for a key of another kind or too short, errc::crypto if it fails. The
/// signature is verified before it is handed out: a wrong one can tell the key.
[[nodiscard]] result<bytes> sign_pss_sha256(const private_key& key, byte_view octets);

/// True if `cert`'s key made `signature` over `octets`.
[[nodiscard]] bool verify_pss_sha256(const certificate& cert, byte_view octets,
                                     byte_view signature);

} // namespace pfx::crypto
