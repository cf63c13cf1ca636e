// Whether a key of others may be handed to OpenSSL: it computes with some kinds of keys while it
// decodes them (DSA and DH: g^x mod p, whatever the length of p), for hours if asked to. Private to
// this room.
#pragma once

#include "core/result.hpp"
#include "crypto/openssl.hpp"

namespace pfx::crypto {

/// Largest RSA modulus of a private key that is taken from outside: to prove its numbers costs
/// tens of milliseconds, twice the length eight times as much.
inline constexpr int rsa_private_bits_max = 8192;
/// Longest public exponent; OpenSSL takes no longer one either above 3,072 bits of modulus.
inline constexpr int rsa_exponent_bits_max = 64;
/// Largest RSA modulus of an issuer that a file of others names.
inline constexpr int rsa_issuer_bits_max = 8192;

/// Judges a PrivateKeyInfo (RFC 5208) by its octets alone. Good are RSA keys of two primes of
/// about one length and EC keys on P-256, -384 and -521 by their curves' names, with numbers no
/// longer than they can be. errc::not_supported for other kinds, errc::too_large over
/// rsa_private_bits_max, errc::bad_input for the rest.
[[nodiscard]] result<void> check_key_bounds(byte_view private_key_info);

/// True if a signature is verified with this key within milliseconds, whoever made it.
[[nodiscard]] bool verifies_quickly(const ::EVP_PKEY* key) noexcept;

} // namespace pfx::crypto
