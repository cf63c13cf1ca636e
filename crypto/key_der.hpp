// The DER forms of a key pair, written from its numbers: OpenSSL 3.0's own encoders are slow, do
// not scale over threads, and leave unwiped copies on the heap. Private to this room.
#pragma once

#include "core/secret.hpp"
#include "crypto/openssl.hpp"

namespace pfx::crypto {

/// Largest RSA modulus of a public key from outside; private ones: key_bounds.hpp.
inline constexpr int rsa_bits_max = 16384;

enum class key_kind : std::uint8_t { other = 0, rsa, ec };
[[nodiscard]] key_kind kind_of(const ::EVP_PKEY* key) noexcept;
/// True for the named curves P-256, P-384 and P-521.
[[nodiscard]] bool on_known_curve(const ::EVP_PKEY* key) noexcept;

/// OpenSSL's name of the curve in this AlgorithmIdentifier, empty if it is none of the three.
[[nodiscard]] std::string_view group_with_algorithm(byte_view algorithm) noexcept;

/// SubjectPublicKeyInfo (RFC 5280 4.1, RFC 3279, RFC 5480). RSA and the three named curves only.
[[nodiscard]] result<bytes> public_key_info(const ::EVP_PKEY* key);
/// PKCS#8 PrivateKeyInfo (RFC 5208 with RFC 8017 A.1.2 or RFC 5915 inside).
[[nodiscard]] result<secret_bytes> private_key_info(const ::EVP_PKEY* key);

/// A key pair from exactly the form that private_key_info writes; null for any other. Leaves no
/// copy of the secret behind, which OpenSSL's own decoder does (its output buffer is freed
/// unwiped).
[[nodiscard]] pkey_handle key_from_own_info(byte_view octets);

/// The content of the BIT STRING of a SubjectPublicKeyInfo without its count of unused bits: what
/// key identifiers are hashes of (RFC 5280 4.2.1.2). Empty if it is malformed.
[[nodiscard]] byte_view public_key_bits(byte_view public_key_info) noexcept;

} // namespace pfx::crypto
