// The attribute types of distinguished names that this room knows by name. Private to this room.
#pragma once

#include <string_view>

#include "core/bytes.hpp"

namespace pfx::crypto {

enum class attribute_syntax : std::uint8_t { directory, printable, country, ia5 };

struct attribute_type {
  std::string_view name; ///< as written by us
  std::string_view also; ///< other accepted spellings, separated by spaces
  std::string_view oid;  ///< content octets of the OBJECT IDENTIFIER
  attribute_syntax syntax = attribute_syntax::directory;
  std::size_t characters_max = 0; ///< RFC 5280 A.1, or a bound of ours where it has none
};

/// Null if unknown. Names are compared without regard to case (RFC 4512 1.4).
[[nodiscard]] const attribute_type* attribute_named(std::string_view name) noexcept;
[[nodiscard]] const attribute_type* attribute_with_oid(byte_view content) noexcept;

} // namespace pfx::crypto
