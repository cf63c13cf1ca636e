// The frame that requests and certificates share: to-be-signed octets, algorithm, signature.
// Private to this room.
#pragma once

#include "crypto/openssl.hpp"

namespace pfx::crypto {

/// AlgorithmIdentifier of a signature: RSA PKCS#1 v1.5 with NULL (RFC 4055 5) or ECDSA without
/// parameters (RFC 5758 3.2). errc::not_supported for other keys.
[[nodiscard]] result<bytes> signature_algorithm(const ::EVP_PKEY* key, hash_algorithm hash);

/// SEQUENCE { to_be_signed, signatureAlgorithm, BIT STRING signature }.
[[nodiscard]] result<bytes> sign_structure(byte_view to_be_signed, ::EVP_PKEY* key,
                                           hash_algorithm hash);

} // namespace pfx::crypto
