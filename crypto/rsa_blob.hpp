// RSA keys in the form of Windows CNG (BCRYPT_RSAKEY_BLOB): six little-endian 32-bit numbers, then
// big-endian ones. Bit-exact in and out; refuses lengths that do not add up and numbers that are no
// key.
#pragma once

#include "crypto/private_key.hpp"

namespace pfx::crypto {

/// RSAPUBLICBLOB, magic "RSA1": public exponent, modulus. From and to SubjectPublicKeyInfo, DER.
[[nodiscard]] result<bytes> to_rsa_public_blob(byte_view public_key_info);
[[nodiscard]] result<bytes> from_rsa_public_blob(byte_view blob);

/// RSAFULLPRIVATEBLOB, magic "RSA3": public exponent, modulus, prime1, prime2, exponent1,
/// exponent2, coefficient, private exponent.
[[nodiscard]] result<secret_bytes> to_rsa_full_private_blob(const private_key& key);
[[nodiscard]] result<private_key> from_rsa_full_private_blob(byte_view blob);

} // namespace pfx::crypto
