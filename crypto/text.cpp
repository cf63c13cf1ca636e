// Checks of characters.
#include "crypto/text.hpp"

#include <algorithm>
#include <cstdint>

namespace pfx::crypto {

std::optional<std::size_t> utf8_characters(std::string_view text) noexcept {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++characters) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t more = first < 0x80 ? 0
      : first >= 0xc2 && first < 0xe0     ? 1
      : first >= 0xe0 && first < 0xf0     ? 2
      : first >= 0xf0 && first < 0xf5     ? 3
                                          : 4;
    if (more == 4 || more >= text.size() - i)
      return std::nullopt;
    std::uint32_t point = more == 0 ? first : first & (0x3fU >> more);
    for (std::size_t k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80)
        return std::nullopt;
      point = point << 6 | (next & 0x3fU);
    }
    const bool overlong = (more == 2 && point < 0x800) || (more == 3 && point < 0x10000);
    if (overlong || (point >= 0xd800 && point < 0xe000) || point > 0x10ffff)
      return std::nullopt;
    i += more + 1;
  }
  return characters;
}

bool is_printable_string(std::string_view text) noexcept {
  constexpr std::string_view others = " '()+,-./:=?";
  return std::all_of(text.begin(), text.end(), [others](char c) {
    return is_letter(c) || is_digit(c) || others.find(c) != std::string_view::npos;
  });
}

bool is_ascii(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool has_control(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool equal_ignoring_case(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size()
    && std::equal(left.begin(), left.end(), right.begin(),
                  [](char a, char b) { return lower(a) == lower(b); });
}

} // namespace pfx::crypto
