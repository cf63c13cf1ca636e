// The table of attribute types: names of RFC 4514 section 3 and 4519, bounds of RFC 5280 A.1.
#include "crypto/attributes.hpp"

#include "core/limits.hpp"
#include "crypto/text.hpp"

#include <algorithm>
#include <array>

namespace pfx::crypto {

namespace {

using namespace std::string_view_literals;
using enum attribute_syntax;

constexpr std::array<attribute_type, 19> attributes{{
  {"CN", "commonName", "\x55\x04\x03"sv, directory, limits::common_name_characters_max},
  {"OU", "organizationalUnitName", "\x55\x04\x0b"sv, directory, 64},
  {"O", "organizationName", "\x55\x04\x0a"sv, directory, 64},
  {"C", "countryName", "\x55\x04\x06"sv, country, 2},
  {"ST", "S stateOrProvinceName", "\x55\x04\x08"sv, directory, 128},
  {"L", "localityName", "\x55\x04\x07"sv, directory, 128},
  {"STREET", "streetAddress", "\x55\x04\x09"sv, directory, 128},
  {"DC", "domainComponent", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"sv, ia5, 63},
  {"UID", "userId", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"sv, directory, 256},
  {"emailAddress", "E email", "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"sv, ia5, 255},
  {"GN", "G givenName", "\x55\x04\x2a"sv, directory, 64},
  {"SN", "surname", "\x55\x04\x04"sv, directory, 64},
  {"serialNumber", "", "\x55\x04\x05"sv, printable, 64},
  {"title", "T", "\x55\x04\x0c"sv, directory, 64},
  {"initials", "", "\x55\x04\x2b"sv, directory, 64},
  {"generationQualifier", "", "\x55\x04\x2c"sv, directory, 64},
  {"dnQualifier", "", "\x55\x04\x2e"sv, printable, 64},
  {"pseudonym", "", "\x55\x04\x41"sv, directory, 128},
  {"postalCode", "", "\x55\x04\x11"sv, directory, 40},
}};

bool is_one_of(std::string_view name, std::string_view words) noexcept {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (equal_ignoring_case(name, words.substr(0, end)))
      return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

} // namespace

const attribute_type* attribute_named(std::string_view name) noexcept {
  for (const attribute_type& known : attributes) {
    if (equal_ignoring_case(name, known.name) || is_one_of(name, known.also))
      return &known;
  }
  return nullptr;
}

const attribute_type* attribute_with_oid(byte_view content) noexcept {
  const std::string_view wanted(reinterpret_cast<const char*>(content.data()), content.size());
  for (const attribute_type& known : attributes) {
    if (known.oid == wanted)
      return &known;
  }
  return nullptr;
}

} // namespace pfx::crypto
