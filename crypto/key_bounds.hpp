// Whether a private key of others may be handed to OpenSSL: it computes with some kinds of keys
// while it decodes them (DSA and DH: g^x mod p, whatever the length of p), for hours if asked to.
// Private to this room.
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"

namespace pfx::crypto {

/// Largest RSA modulus of a private key that is taken from outside: to prove its numbers costs
/// tens of milliseconds, twice the length eight times as much.
inline constexpr int rsa_private_bits_max = 8192;
/// Longest public exponent; OpenSSL takes no longer one either above 3,072 bits of modulus.
inline constexpr int rsa_exponent_bits_max = 64;

/// Judges a PrivateKeyInfo (RFC 5208) by its octets alone. Good are RSA keys of two primes of
/// about one length and EC keys on P-256, -384 and -521 by their curves' names, with numbers no
/// longer than they can be. errc::not_supported for other kinds, errc::too_large over
/// rsa_private_bits_max, errc::bad_input for the rest.
[[nodiscard]] result<void> check_key_bounds(byte_view private_key_info);

} // namespace pfx::crypto
