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

/// The other direction: the signature of such a structure, by the algorithms above. `algorithm` is
/// the AlgorithmIdentifier, `signature` the content of the BIT STRING. errc::crypto if it does not
/// verify, errc::not_supported for other algorithms and keys.
[[nodiscard]] result<void> verify_structure(byte_view to_be_signed, byte_view algorithm,
                                            byte_view signature, ::EVP_PKEY* key);

} // namespace pfx::crypto
