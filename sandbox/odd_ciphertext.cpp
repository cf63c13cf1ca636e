// Encoding (RFC 8017 7.1.1, B.2.1) and textbook exponentiation with 32-bit limbs.
#include "sandbox/odd_ciphertext.hpp"

#include <algorithm>
#include <optional>

#include "connect/ca/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/random.hpp"

namespace pfx::sandbox {

namespace der = connect::ca::der;

namespace {

constexpr std::size_t modulus_octets_max = 2048; ///< RSA with 16,384 bits
constexpr std::size_t exponent_octets_max = 8;

using limbs = std::vector<std::uint32_t>; ///< least significant first

limbs to_limbs(byte_view number, std::size_t count) {
  limbs out(count, 0);
  for (std::size_t at = 0; at < number.size() && at / 4 < count; ++at) {
    out[at / 4] |= static_cast<std::uint32_t>(number[number.size() - 1 - at]) << (at % 4 * 8);
  }
  return out;
}

bytes to_octets(const limbs& number, std::size_t size) {
  bytes out(size, 0);
  for (std::size_t at = 0; at < size && at / 4 < number.size(); ++at) {
    out[size - 1 - at] = static_cast<std::uint8_t>(number[at / 4] >> (at % 4 * 8) & 0xff);
  }
  return out;
}

bool less(const limbs& left, const limbs& right) {
  return std::lexicographical_compare(left.rbegin(), left.rend(), right.rbegin(), right.rend());
}

/// left + right mod modulus; both are below it.
void add(limbs& left, const limbs& right, const limbs& modulus) {
  std::uint64_t carry = 0;
  for (std::size_t at = 0; at < left.size(); ++at) {
    carry += static_cast<std::uint64_t>(left[at]) + right[at];
    left[at] = static_cast<std::uint32_t>(carry);
    carry >>= 32;
  }
  if (carry == 0 && less(left, modulus)) {
    return;
  }
  std::int64_t borrow = 0;
  for (std::size_t at = 0; at < left.size(); ++at) {
    borrow += static_cast<std::int64_t>(left[at]) - modulus[at];
    left[at] = static_cast<std::uint32_t>(borrow);
    borrow >>= 32;
  }
}

bool bit(const limbs& number, std::size_t at) { return (number[at / 32] >> (at % 32) & 1) != 0; }

limbs multiply(const limbs& left, const limbs& right, const limbs& modulus) {
  limbs out(left.size(), 0);
  for (std::size_t at = left.size() * 32; at-- > 0;) {
    add(out, limbs(out), modulus);
    if (bit(left, at)) {
      add(out, right, modulus);
    }
  }
  return out;
}

limbs power(const limbs& base, byte_view exponent, const limbs& modulus) {
  limbs out(base.size(), 0);
  out[0] = 1;
  for (const auto octet : exponent) {
    for (int at = 8; at-- > 0;) {
      out = multiply(out, out, modulus);
      if ((octet >> at & 1) != 0) {
        out = multiply(out, base, modulus);
      }
    }
  }
  return out;
}

struct public_numbers {
  bytes modulus;
  bytes exponent;
};

bytes magnitude(byte_view integer) {
  while (!integer.empty() && integer.front() == 0) {
    integer = integer.subspan(1);
  }
  return to_bytes(integer);
}

/// SubjectPublicKeyInfo { algorithm, BIT STRING { SEQUENCE { modulus, publicExponent } } }.
std::optional<public_numbers> numbers_of(byte_view public_key_info) {
  const auto whole = der::only(public_key_info);
  const auto parts = whole ? der::children(whole->value) : std::nullopt;
  if (!parts || parts->size() != 2 || (*parts)[1].tag != 0x03 || (*parts)[1].value.empty()) {
    return std::nullopt;
  }
  const auto key = der::only((*parts)[1].value.subspan(1));
  const auto numbers = key && key->tag == 0x30 ? der::children(key->value) : std::nullopt;
  if (!numbers || numbers->size() != 2) {
    return std::nullopt;
  }
  public_numbers out{magnitude((*numbers)[0].value), magnitude((*numbers)[1].value)};
  const bool fit = !out.modulus.empty() && out.modulus.size() <= modulus_octets_max
    && !out.exponent.empty() && out.exponent.size() <= exponent_octets_max;
  return fit ? std::optional(std::move(out)) : std::nullopt;
}

bytes hash(oaep_hash with, byte_view octets) {
  return with == oaep_hash::sha1 ? crypto::sha1(octets) : to_bytes(crypto::sha256(octets).octets);
}

/// target ^= MGF1(seed) (RFC 8017 B.2.1).
void mask(oaep_hash with, byte_view seed, std::span<std::uint8_t> target) {
  std::size_t at = 0;
  for (std::uint32_t counter = 0; at < target.size(); ++counter) {
    auto block = to_bytes(seed);
    for (int shift = 24; shift >= 0; shift -= 8) {
      block.push_back(static_cast<std::uint8_t>(counter >> shift & 0xff));
    }
    for (const auto octet : hash(with, block)) {
      if (at < target.size()) {
        target[at++] ^= octet;
      }
    }
  }
}

/// EM = 0x00 || maskedSeed || maskedDB; DB = lHash || PS || 0x01 || M.
std::optional<bytes> encode(const oaep_form& form, byte_view plaintext, std::size_t size) {
  const auto label = hash(form.hash, as_bytes(form.label));
  if (plaintext.size() + 2 * label.size() + 2 > size) {
    return std::nullopt;
  }
  bytes out(size, 0);
  const auto seed = std::span(out).subspan(1, label.size());
  const auto block = std::span(out).subspan(1 + label.size());
  const auto random = crypto::random_bytes(seed.size());
  std::copy(random.begin(), random.end(), seed.begin());
  std::copy(label.begin(), label.end(), block.begin());
  block[block.size() - plaintext.size() - 1] = 0x01;
  std::copy(plaintext.begin(), plaintext.end(), block.end() - static_cast<long>(plaintext.size()));
  mask(form.mask, seed, block);
  mask(form.mask, block, seed);
  return out;
}

} // namespace

result<bytes> encrypt_oddly(byte_view public_key_info, const oaep_form& form, byte_view plaintext) {
  const auto numbers = numbers_of(public_key_info);
  if (!numbers) {
    return failure(errc::bad_input, "publicKey", "is not an RSA key");
  }
  const auto size = numbers->modulus.size();
  const auto encoded = encode(form, plaintext, size);
  if (!encoded) {
    return failure(errc::too_large, "plaintext", "does not fit the key");
  }
  const auto count = (size + 3) / 4;
  const auto modulus = to_limbs(numbers->modulus, count);
  return to_octets(power(to_limbs(*encoded, count), numbers->exponent, modulus), size);
}

} // namespace pfx::sandbox
