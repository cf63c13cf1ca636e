// Checks of characters that several encodings of this room share. Private to this room.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace pfx::crypto {

/// Number of characters of well-formed UTF-8 (RFC 3629: no over-long forms, no surrogates, at most
/// U+10FFFF); nothing if it is malformed.
[[nodiscard]] std::optional<std::size_t> utf8_characters(std::string_view text) noexcept;
/// PrintableString of X.680.
[[nodiscard]] bool is_printable_string(std::string_view text) noexcept;
[[nodiscard]] bool is_ascii(std::string_view text) noexcept;
/// True if there is a character below U+0020, or U+007F.
[[nodiscard]] bool has_control(std::string_view text) noexcept;
[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
[[nodiscard]] constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
/// Equal but for the case of ASCII letters.
[[nodiscard]] bool equal_ignoring_case(std::string_view left, std::string_view right) noexcept;

} // namespace pfx::crypto
