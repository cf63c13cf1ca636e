// Whether the numbers of an RSA key pair belong together: for keys that come from outside. Private
// to this room.
#pragma once

#include "core/result.hpp"
#include "crypto/openssl.hpp"

namespace pfx::crypto {

/// n = p q, the exponents and the coefficient fit, and one random number comes back through both
/// halves (which numbers that are no primes do not survive). errc::bad_input, field "key".
[[nodiscard]] result<void> check_rsa_pair(::EVP_PKEY* key);

} // namespace pfx::crypto
