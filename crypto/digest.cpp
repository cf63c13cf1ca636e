// SHA-256, SHA-1 for foreign thumbprints, and strict base64.
#include "crypto/digest.hpp"

#include "crypto/openssl.hpp"

#include <algorithm>
#include <array>

namespace pfx::crypto {

namespace {

constexpr std::uint8_t not_base64 = 0xff;

constexpr std::array<std::uint8_t, 256> base64_values() {
  std::array<std::uint8_t, 256> table{};
  table.fill(not_base64);
  constexpr std::string_view alphabet
    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}

auto bad_base64(std::string_view why) {
  return failure(errc::bad_input, "", "not base64: " + std::string(why));
}

} // namespace

digest sha256(byte_view octets) noexcept {
  digest out;
  unsigned int size = 0;
  if (::EVP_Digest(octets.data(), octets.size(), out.octets.data(), &size, fetched().sha256,
                   nullptr)
        != 1
      || size != out.octets.size()) {
    give_up("SHA-256 failed");
  }
  return out;
}

struct sha256_stream::state {
  digest_context context{::EVP_MD_CTX_new()};
};

sha256_stream::sha256_stream() : state_(std::make_unique<state>()) {
  if (state_->context == nullptr
      || ::EVP_DigestInit_ex2(state_->context.get(), fetched().sha256, nullptr) != 1)
    give_up("SHA-256 failed");
}
sha256_stream::sha256_stream(sha256_stream&&) noexcept = default;
sha256_stream::~sha256_stream() = default;

void sha256_stream::add(byte_view octets) noexcept {
  if (::EVP_DigestUpdate(state_->context.get(), octets.data(), octets.size()) != 1)
    give_up("SHA-256 failed");
}

digest sha256_stream::finish() noexcept {
  digest out;
  unsigned int size = 0;
  if (::EVP_DigestFinal_ex(state_->context.get(), out.octets.data(), &size) != 1
      || size != out.octets.size())
    give_up("SHA-256 failed");
  return out;
}

bytes sha1(byte_view octets) {
  bytes out(20);
  unsigned int size = 0;
  if (::EVP_Digest(octets.data(), octets.size(), out.data(), &size, fetched().sha1, nullptr) != 1
      || size != out.size()) {
    give_up("SHA-1 failed");
  }
  return out;
}

std::string to_base64(byte_view octets) {
  constexpr std::string_view alphabet
    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((octets.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < octets.size(); i += 3) {
    const std::size_t left = std::min<std::size_t>(3, octets.size() - i);
    const std::uint32_t group = static_cast<std::uint32_t>(octets[i]) << 16
      | (left > 1 ? static_cast<std::uint32_t>(octets[i + 1]) << 8 : 0U)
      | (left > 2 ? static_cast<std::uint32_t>(octets[i + 2]) : 0U);
    out += alphabet[group >> 18];
    out += alphabet[group >> 12 & 63];
    out += left > 1 ? alphabet[group >> 6 & 63] : '=';
    out += left > 2 ? alphabet[group & 63] : '=';
  }
  return out;
}

std::string to_base64url(byte_view octets) {
  std::string out = to_base64(octets);
  out.erase(std::min(out.find('='), out.size()));
  for (char& c : out)
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

result<bytes> from_base64(std::string_view text) {
  static constexpr auto values = base64_values();
  if (text.size() % 4 != 0)
    return bad_base64("the length is no multiple of four");
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=')
    ++padding;
  const std::size_t digits = text.size() - padding;
  bytes out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  unsigned bits = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const std::uint8_t value = values[static_cast<unsigned char>(text[i])];
    if (value == not_base64) {
      return bad_base64("a foreign character at position " + std::to_string(i + 1));
    }
    group = (group << 6 | value) & 0xffffU;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<std::uint8_t>(group >> bits));
    }
  }
  // RFC 4648 3.5: what is left over must be zero, or one value would have several texts.
  if ((group & ((1U << bits) - 1)) != 0)
    return bad_base64("the trailing bits are not zero");
  return out;
}

} // namespace pfx::crypto
