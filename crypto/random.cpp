// Random octets; a machine without a working generator ends the process.
#include "crypto/random.hpp"

#include "crypto/openssl.hpp"

#include <openssl/rand.h>

#include <array>
#include <climits>

namespace pfx::crypto {

namespace {

using generator = int (*)(unsigned char*, int);

void fill(generator fill_octets, std::uint8_t* out, std::size_t size) {
  if (size == 0)
    return;
  // OpenSSL counts in int; nobody asks for 2 GiB of randomness but a bug.
  if (size > static_cast<std::size_t>(INT_MAX) || fill_octets(out, static_cast<int>(size)) != 1) {
    give_up("the random generator failed");
  }
}

} // namespace

bytes random_bytes(std::size_t size) {
  bytes out(size);
  fill(&::RAND_bytes, out.data(), size);
  return out;
}

secret_bytes random_secret(std::size_t size) {
  secret_bytes out(size);
  fill(&::RAND_priv_bytes, out.data(), size);
  return out;
}

std::uint64_t random_u64() {
  std::array<std::uint8_t, 8> octets{};
  fill(&::RAND_bytes, octets.data(), octets.size());
  std::uint64_t out = 0;
  for (const std::uint8_t octet : octets)
    out = out << 8 | octet;
  return out;
}

std::string random_uuid() {
  bytes octets = random_bytes(16);
  octets[6] = static_cast<std::uint8_t>((octets[6] & 0x0fu) | 0x40u);
  octets[8] = static_cast<std::uint8_t>((octets[8] & 0x3fu) | 0x80u);
  const std::string hex = to_hex(octets);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-"
    + hex.substr(16, 4) + "-" + hex.substr(20);
}

secret_bytes random_password(std::size_t characters) {
  constexpr std::string_view alphabet
    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  // Octets from 248 on are thrown away: 248 is the largest multiple of 62 that fits, so that every
  // character is equally likely.
  constexpr unsigned unbiased_below = 256 / alphabet.size() * alphabet.size();
  secret_bytes out(characters);
  secret_bytes pool;
  std::size_t used = 0;
  for (std::size_t done = 0; done < characters;) {
    if (used == pool.size()) {
      pool = random_secret(characters - done + 16);
      used = 0;
    }
    const std::uint8_t octet = pool.data()[used++];
    if (octet >= unbiased_below)
      continue;
    out.data()[done++] = static_cast<std::uint8_t>(alphabet[octet % alphabet.size()]);
  }
  return out;
}

} // namespace pfx::crypto
