// Octets and digests as values, and their hexadecimal form. No encoding that needs a library.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace pfx {

using bytes = std::vector<std::uint8_t>;
using byte_view = std::span<const std::uint8_t>;

/// A SHA-256 value (FIPS 180-4): 32 octets, ordered and comparable; all zero means "none".
struct digest {
  std::array<std::uint8_t, 32> octets{};

  auto operator<=>(const digest&) const = default;
  /// True if this is a real digest and not the all-zero "none".
  [[nodiscard]] bool present() const noexcept;
};

/// Views a string's characters as octets; the string must outlive the view.
[[nodiscard]] byte_view as_bytes(std::string_view text) noexcept;
/// Copies octets into a new buffer.
[[nodiscard]] bytes to_bytes(byte_view view);
[[nodiscard]] bytes to_bytes(std::string_view text);
/// Copies octets into a string, for texts that travel as octets.
[[nodiscard]] std::string to_text(byte_view view);

/// Lower-case hexadecimal, two characters per octet.
[[nodiscard]] std::string to_hex(byte_view view);
[[nodiscard]] std::string to_hex(const digest& value);
/// Strict: even length, digits of either case, nothing else.
[[nodiscard]] result<bytes> from_hex(std::string_view text);
/// Exactly 64 hexadecimal digits.
[[nodiscard]] result<digest> digest_from_hex(std::string_view text);

/// Compares in a time that depends on the lengths alone.
[[nodiscard]] bool equal_constant_time(byte_view left, byte_view right) noexcept;

} // namespace pfx
