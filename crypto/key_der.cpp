// Key pairs as DER, from their numbers; secrets pass only through buffers that are wiped.
#include "crypto/key_der.hpp"

#include "crypto/der.hpp"

#include <openssl/core_names.h>

#include <algorithm>
#include <array>
#include <ranges>

namespace pfx::crypto {

namespace {

/// AlgorithmIdentifier rsaEncryption with NULL parameters (RFC 3279 2.3.1).
constexpr std::uint8_t rsa_algorithm[]
  = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
/// AlgorithmIdentifier id-ecPublicKey with the named curve (RFC 5480 2.1.1).
constexpr std::uint8_t p256_algorithm[]
  = {0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
     0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
constexpr std::uint8_t p384_algorithm[] = {0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
                                           0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
constexpr std::uint8_t p521_algorithm[] = {0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
                                           0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};

struct curve {
  std::string_view name; ///< OpenSSL's group name
  byte_view algorithm;
  std::size_t scalar_octets; ///< ceil(log2(n) / 8), RFC 5915 section 3
};
const std::array<curve, 3> curves{{{"prime256v1", p256_algorithm, 32},
                                   {"secp384r1", p384_algorithm, 48},
                                   {"secp521r1", p521_algorithm, 66}}};

const curve* curve_of(const ::EVP_PKEY* key) noexcept {
  std::array<char, 32> name{};
  std::size_t size = 0;
  if (::EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) != 1)
    return nullptr;
  for (const curve& known : curves) {
    if (known.name == std::string_view(name.data(), size))
      return &known;
  }
  return nullptr;
}

bignum_handle number(const ::EVP_PKEY* key, const char* name) {
  ::BIGNUM* out = nullptr;
  if (::EVP_PKEY_get_bn_param(key, name, &out) != 1)
    return nullptr;
  return bignum_handle(out);
}

/// Writes the INTEGER of a non-negative number in front; `scratch` is a buffer that gets wiped.
void write_integer(der::back_writer& out, const ::BIGNUM* value, secret_bytes& scratch) {
  const auto size = static_cast<std::size_t>(BN_num_bytes(value));
  const std::size_t mark = out.mark();
  ::BN_bn2binpad(value, scratch.data(), static_cast<int>(size));
  const byte_view magnitude = scratch.view().first(size);
  static constexpr std::uint8_t zero = 0;
  out.raw(magnitude);
  if (size == 0 || (magnitude[0] & 0x80) != 0)
    out.raw(byte_view(&zero, 1));
  out.wrap(der::integer, mark);
}

/// The uncompressed point of an EC key; from its coordinates, because a key that was loaded with a
/// compressed point would be written as one again.
result<bytes> point(const ::EVP_PKEY* key, const curve& on) {
  const auto x = number(key, OSSL_PKEY_PARAM_EC_PUB_X);
  const auto y = number(key, OSSL_PKEY_PARAM_EC_PUB_Y);
  const auto size = static_cast<int>(on.scalar_octets); // field and order are of one length here
  bytes out(1 + 2 * on.scalar_octets);
  out[0] = 0x04;
  if (x == nullptr || y == nullptr || ::BN_bn2binpad(x.get(), out.data() + 1, size) != size
      || ::BN_bn2binpad(y.get(), out.data() + 1 + on.scalar_octets, size) != size) {
    return failure(drain_errors(errc::crypto, "", "reading a public point"));
  }
  return out;
}

result<bytes> rsa_public_key_info(const ::EVP_PKEY* key) {
  const auto n = number(key, OSSL_PKEY_PARAM_RSA_N);
  const auto e = number(key, OSSL_PKEY_PARAM_RSA_E);
  if (n == nullptr || e == nullptr) {
    return failure(drain_errors(errc::crypto, "", "reading a public key"));
  }
  const auto magnitude = [](const ::BIGNUM* value) {
    bytes out(static_cast<std::size_t>(BN_num_bytes(value)));
    ::BN_bn2bin(value, out.data());
    return der::unsigned_integer(out);
  };
  static constexpr std::uint8_t no_unused_bits = 0;
  const bytes inner = der::tlv(der::sequence, {magnitude(n.get()), magnitude(e.get())});
  const bytes bits = der::tlv(der::bit_string, {byte_view(&no_unused_bits, 1), inner});
  return der::tlv(der::sequence, {rsa_algorithm, bits});
}

result<bytes> ec_public_key_info(const ::EVP_PKEY* key) {
  const curve* on = curve_of(key);
  if (on == nullptr)
    return failure(errc::not_supported, "", "the curve is not P-256, -384 or -521");
  auto octets = point(key, *on);
  if (!octets)
    return octets;
  static constexpr std::uint8_t no_unused_bits = 0;
  const bytes bits = der::tlv(der::bit_string, {byte_view(&no_unused_bits, 1), *octets});
  return der::tlv(der::sequence, {on->algorithm, bits});
}

/// PrivateKeyInfo around the inner key that lies in `out` since `mark`.
result<secret_bytes> finish_private(der::back_writer& out, std::size_t mark, byte_view algorithm) {
  static constexpr std::uint8_t version[] = {der::integer, 0x01, 0x00};
  out.wrap(der::octet_string, mark);
  out.raw(algorithm).raw(version).wrap(der::sequence, mark);
  if (!out.ok())
    return failure(errc::internal, "", "a private key outgrew its buffer");
  return secret_bytes(out.written());
}

result<secret_bytes> rsa_private_key_info(const ::EVP_PKEY* key) {
  // RSAPrivateKey (RFC 8017 A.1.2), last number first.
  static constexpr std::array<const char*, 8> names{OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
                                                    OSSL_PKEY_PARAM_RSA_EXPONENT2,
                                                    OSSL_PKEY_PARAM_RSA_EXPONENT1,
                                                    OSSL_PKEY_PARAM_RSA_FACTOR2,
                                                    OSSL_PKEY_PARAM_RSA_FACTOR1,
                                                    OSSL_PKEY_PARAM_RSA_D,
                                                    OSSL_PKEY_PARAM_RSA_E,
                                                    OSSL_PKEY_PARAM_RSA_N};
  const auto modulus = static_cast<std::size_t>(EVP_PKEY_get_size(key));
  secret_bytes buffer(modulus * 6 + 256); // n, d; p, q, dp, dq, qi are half as long; headers
  secret_bytes scratch(modulus + 1);
  der::back_writer out(std::span(buffer.data(), buffer.size()));
  const std::size_t mark = out.mark();
  for (const char* name : names) {
    const auto value = number(key, name);
    if (value == nullptr || BN_num_bytes(value.get()) > static_cast<int>(modulus)) {
      return failure(drain_errors(errc::crypto, "", "reading a private key"));
    }
    write_integer(out, value.get(), scratch);
  }
  static constexpr std::uint8_t version[] = {der::integer, 0x01, 0x00};
  out.raw(version).wrap(der::sequence, mark);
  return finish_private(out, mark, rsa_algorithm);
}

result<secret_bytes> ec_private_key_info(const ::EVP_PKEY* key) {
  const curve* on = curve_of(key);
  if (on == nullptr)
    return failure(errc::not_supported, "", "the curve is not P-256, -384 or -521");
  const auto scalar = number(key, OSSL_PKEY_PARAM_PRIV_KEY);
  auto octets = point(key, *on);
  if (scalar == nullptr)
    return failure(drain_errors(errc::crypto, "", "reading a private key"));
  if (!octets)
    return failure(std::move(octets).error());
  secret_bytes buffer(512);
  secret_bytes padded(on->scalar_octets);
  if (::BN_bn2binpad(scalar.get(), padded.data(), static_cast<int>(padded.size()))
      != static_cast<int>(padded.size())) {
    return failure(drain_errors(errc::crypto, "", "reading a private key"));
  }
  // ECPrivateKey (RFC 5915): version 1, the scalar, [1] the public point; the curve is outside.
  static constexpr std::uint8_t version[] = {der::integer, 0x01, 0x01};
  static constexpr std::uint8_t no_unused_bits = 0;
  der::back_writer out(std::span(buffer.data(), buffer.size()));
  const std::size_t mark = out.mark();
  out.raw(*octets).raw(byte_view(&no_unused_bits, 1));
  out.wrap(der::bit_string, mark).wrap(der::context_constructed(1), mark);
  const std::size_t scalar_mark = out.mark();
  out.raw(padded.view()).wrap(der::octet_string, scalar_mark);
  out.raw(version).wrap(der::sequence, mark);
  return finish_private(out, mark, on->algorithm);
}

} // namespace

key_kind kind_of(const ::EVP_PKEY* key) noexcept {
  if (key == nullptr)
    return key_kind::other;
  switch (::EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return key_kind::rsa;
    case EVP_PKEY_EC:
      return key_kind::ec;
    default:
      return key_kind::other;
  }
}

bool on_known_curve(const ::EVP_PKEY* key) noexcept {
  const queue_guard guard;
  return kind_of(key) == key_kind::ec && curve_of(key) != nullptr;
}

std::string_view group_with_algorithm(byte_view algorithm) noexcept {
  for (const curve& known : curves) {
    if (std::ranges::equal(known.algorithm, algorithm))
      return known.name;
  }
  return {};
}

result<bytes> public_key_info(const ::EVP_PKEY* key) {
  const queue_guard guard;
  switch (kind_of(key)) {
    case key_kind::rsa:
      return rsa_public_key_info(key);
    case key_kind::ec:
      return ec_public_key_info(key);
    case key_kind::other:
      break;
  }
  return failure(errc::not_supported, "", "the key is neither RSA nor EC");
}

result<secret_bytes> private_key_info(const ::EVP_PKEY* key) {
  const queue_guard guard;
  switch (kind_of(key)) {
    case key_kind::rsa:
      return rsa_private_key_info(key);
    case key_kind::ec:
      return ec_private_key_info(key);
    case key_kind::other:
      break;
  }
  return failure(errc::not_supported, "", "the key is neither RSA nor EC");
}

byte_view public_key_bits(byte_view public_key_info) noexcept {
  const auto outer = der::only(public_key_info, der::sequence);
  if (!outer)
    return {};
  der::reader inner(outer->content);
  if (!inner.next(der::sequence))
    return {};
  const auto bits = inner.next(der::bit_string);
  if (!bits || bits->content.empty() || bits->content[0] != 0 || !inner.at_end())
    return {};
  return bits->content.subspan(1);
}

} // namespace pfx::crypto
