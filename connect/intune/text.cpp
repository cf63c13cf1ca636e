// UTF-8 and UTF-16 lengths.
#include "connect/intune/text.hpp"

#include <algorithm>

namespace pfx::connect::intune {

namespace {

struct character {
  std::size_t octets = 0; ///< 0 = malformed
  std::size_t units = 0;
};

/// RFC 3629 4: no overlong forms, no surrogates, nothing above U+10FFFF.
character next_of(std::string_view text) noexcept {
  auto octet = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  auto more = [&](std::size_t count, unsigned low, unsigned high) {
    if (text.size() <= count || octet(1) < low || octet(1) > high)
      return false;
    for (std::size_t i = 2; i <= count; ++i)
      if ((octet(i) & 0xc0u) != 0x80u)
        return false;
    return true;
  };
  const unsigned first = octet(0);
  if (first < 0x80)
    return {1, 1};
  if (first >= 0xc2 && first <= 0xdf && more(1, 0x80, 0xbf))
    return {2, 1};
  if (first >= 0xe0 && first <= 0xef
      && more(2, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf))
    return {3, 1};
  if (first >= 0xf0 && first <= 0xf4
      && more(3, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf))
    return {4, 2};
  return {};
}

} // namespace

std::optional<std::size_t> utf16_units(std::string_view text) noexcept {
  std::size_t out = 0;
  while (!text.empty()) {
    const character one = next_of(text);
    if (one.octets == 0)
      return std::nullopt;
    out += one.units;
    text.remove_prefix(one.octets);
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t units_max) {
  std::string out;
  std::size_t units = 0;
  while (!text.empty()) {
    const character one = next_of(text);
    if (one.octets != 0) {
      if (units + one.units > units_max)
        break;
      out += text.substr(0, one.octets);
      units += one.units;
    }
    text.remove_prefix(std::max<std::size_t>(one.octets, 1));
  }
  return out;
}

bool blank(std::string_view text) noexcept {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

} // namespace pfx::connect::intune
