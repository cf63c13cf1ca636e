// The lengths of what a private key consists of, read before anything computes with it. Refuses
// kinds that are not worked with, curves that are spelt out, and numbers longer than a key's.
#include "crypto/key_bounds.hpp"

#include "crypto/der.hpp"
#include "crypto/key_der.hpp"
#include "crypto/openssl.hpp"

#include <openssl/core_names.h>

#include <algorithm>
#include <bit>

namespace pfx::crypto {

namespace {

constexpr std::uint8_t rsa_encryption[]
  = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01}; // 1.2.840.113549.1.1.1
constexpr std::uint8_t ec_public_key[]
  = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01}; // 1.2.840.10045.2.1

/// How much longer than half of the modulus a prime may be: those of others are of one length.
constexpr std::size_t prime_slack_bits = 64;
constexpr std::size_t scalar_bits_max = 521; ///< of the longest curve

tl::unexpected<error> malformed() { return failure(errc::bad_input, "", "the key is malformed"); }
tl::unexpected<error> other_kind() {
  return failure(errc::not_supported, "", "the key is neither RSA nor EC on a named NIST curve");
}

/// Of the magnitude: OpenSSL reads the numbers of keys without a sign, and skips zeros in front.
std::size_t bits_of(byte_view number) {
  const auto first = std::ranges::find_if(number, [](std::uint8_t octet) { return octet != 0; });
  if (first == number.end())
    return 0;
  return static_cast<std::size_t>(number.end() - first) * 8
    - static_cast<std::size_t>(std::countl_zero(*first));
}

/// RSAPrivateKey (RFC 8017 A.1.2), what is in its SEQUENCE.
result<void> check_rsa(byte_view content) {
  der::reader walk(content);
  const auto version = walk.next(der::integer);
  const auto modulus = walk.next(der::integer);
  const auto exponent = walk.next(der::integer);
  const auto secret = walk.next(der::integer);
  if (!version || !modulus || !exponent || !secret)
    return malformed();
  const std::size_t bits = bits_of(modulus->content);
  if (bits > static_cast<std::size_t>(rsa_private_bits_max))
    return failure(errc::too_large, "",
                   "the RSA key is longer than " + std::to_string(rsa_private_bits_max) + " bits");
  if (bits_of(exponent->content) > static_cast<std::size_t>(rsa_exponent_bits_max))
    return failure(errc::not_supported, "", "the RSA key's public exponent is over 64 bits");
  if (bits_of(secret->content) > bits)
    return malformed();
  for (int i = 0; i < 5; ++i) { // two primes, their exponents, the coefficient
    const auto number = walk.next(der::integer);
    if (!number || bits_of(number->content) > (bits + 1) / 2 + prime_slack_bits)
      return malformed();
  }
  if (bits_of(version->content) != 0 || !walk.at_end())
    return failure(errc::not_supported, "", "the RSA key has more than two primes");
  return {};
}

/// ECPrivateKey (RFC 5915), the same; `curve` is the OBJECT IDENTIFIER of one of the three.
result<void> check_ec(byte_view content, byte_view curve) {
  der::reader walk(content);
  const auto version = walk.next(der::integer);
  const auto scalar = walk.next(der::octet_string);
  if (!version || !scalar || bits_of(scalar->content) > scalar_bits_max)
    return malformed();
  // Parameters in here would be taken in place of those outside.
  if (walk.peek() != der::context_constructed(0))
    return {};
  const auto parameters = walk.next();
  if (!parameters || !std::ranges::equal(parameters->content, curve))
    return other_kind();
  return {};
}

} // namespace

result<void> check_key_bounds(byte_view private_key_info) {
  const auto outer = der::only(private_key_info, der::sequence);
  if (!outer)
    return malformed();
  der::reader walk(outer->content);
  const auto version = walk.next(der::integer);
  const auto algorithm = walk.next(der::sequence);
  const auto inner = walk.next(der::octet_string);
  if (!version || !algorithm || !inner)
    return malformed();
  der::reader names(algorithm->content);
  const auto type = names.next(der::object_identifier);
  der::reader around(inner->content);
  const auto key = around.next(der::sequence);
  if (!type)
    return malformed();
  if (std::ranges::equal(type->content, rsa_encryption))
    return key ? check_rsa(key->content) : malformed();
  const auto curve = names.next(der::object_identifier);
  if (!std::ranges::equal(type->content, ec_public_key) || !curve || !names.at_end())
    return other_kind();
  if (group_with_algorithm(der::tlv(der::sequence, algorithm->content)).empty())
    return other_kind();
  return key ? check_ec(key->content, curve->whole) : malformed();
}

bool verifies_quickly(const ::EVP_PKEY* key) noexcept {
  const queue_guard guard;
  switch (key == nullptr ? EVP_PKEY_NONE : ::EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS: {
      ::BIGNUM* e = nullptr;
      const bool known = ::EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1;
      const bignum_handle exponent(e);
      return known && BN_num_bits(e) <= rsa_exponent_bits_max
        && ::EVP_PKEY_get_bits(key) <= rsa_issuer_bits_max;
    }
    case EVP_PKEY_EC: // an explicit curve has no name (RFC 5480 2.1.1 forbids it)
      return ::EVP_PKEY_get_group_name(key, nullptr, 0, nullptr) == 1;
    case EVP_PKEY_NONE:
    case EVP_PKEY_DSA: // nobody's any more
      return false;
    default:
      return true; // of one fixed size
  }
}

} // namespace pfx::crypto
