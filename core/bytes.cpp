// Octets and digests: copies, hexadecimal, comparison. Refuses every text that is not strict hex.
#include "core/bytes.hpp"

#include <algorithm>

namespace pfx {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

/// Value of a hexadecimal digit, or -1.
int nibble(char c) noexcept {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

} // namespace

bool digest::present() const noexcept {
  return std::any_of(octets.begin(), octets.end(), [](std::uint8_t octet) { return octet != 0; });
}

byte_view as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

bytes to_bytes(byte_view view) { return {view.begin(), view.end()}; }

bytes to_bytes(std::string_view text) { return to_bytes(as_bytes(text)); }

std::string to_text(byte_view view) {
  return {reinterpret_cast<const char*>(view.data()), view.size()};
}

std::string to_hex(byte_view view) {
  std::string out;
  out.reserve(view.size() * 2);
  for (const auto octet : view) {
    out.push_back(hex_digits[octet >> 4]);
    out.push_back(hex_digits[octet & 0x0f]);
  }
  return out;
}

std::string to_hex(const digest& value) { return to_hex(byte_view(value.octets)); }

result<bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) {
    return failure(errc::bad_input, "", "hexadecimal text has an odd number of digits");
  }
  bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t at = 0; at < text.size(); at += 2) {
    const int high = nibble(text[at]);
    const int low = nibble(text[at + 1]);
    if (high < 0 || low < 0) {
      return failure(errc::bad_input, "", "text holds a character that is no hexadecimal digit");
    }
    out.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return out;
}

result<digest> digest_from_hex(std::string_view text) {
  digest out;
  if (text.size() != out.octets.size() * 2) {
    return failure(errc::bad_input, "", "a SHA-256 digest has 64 hexadecimal digits");
  }
  auto octets = from_hex(text);
  if (!octets) {
    return failure(std::move(octets.error()));
  }
  std::copy(octets->begin(), octets->end(), out.octets.begin());
  return out;
}

bool equal_constant_time(byte_view left, byte_view right) noexcept {
  if (left.size() != right.size()) {
    return false;
  }
  // volatile: the compiler may not leave the loop at the first difference.
  volatile std::uint8_t difference = 0;
  for (std::size_t at = 0; at < left.size(); ++at) {
    difference = static_cast<std::uint8_t>(difference | (left[at] ^ right[at]));
  }
  return difference == 0;
}

} // namespace pfx
