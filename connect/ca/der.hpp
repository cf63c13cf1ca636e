// Just enough DER (X.690) to read a certificate's or a CSR's fields without a library: a check of
// what another implementation built should not be made by that implementation. Refuses indefinite
// and non-minimal lengths, tags above 30 and values over the end. Writes only what it can read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"

namespace pfx::connect::ca::der {

inline constexpr std::size_t extensions_max = 64;
inline constexpr std::size_t elements_max = 4096; ///< children of one value

/// One TLV; the views point into the octets it was read from.
struct element {
  std::uint8_t tag = 0; ///< identifier octet, constructed bit included (0x30 = SEQUENCE)
  byte_view value;
  byte_view whole; ///< tag and length too
};

/// The first TLV; `rest` is what follows it.
[[nodiscard]] std::optional<element> first(byte_view octets, byte_view& rest);
/// The one TLV that fills `octets`.
[[nodiscard]] std::optional<element> only(byte_view octets);
/// All TLVs of a constructed value's contents.
[[nodiscard]] std::optional<std::vector<element>> children(byte_view contents);
/// Dotted form of an OBJECT IDENTIFIER's contents; empty if malformed.
[[nodiscard]] std::string dotted(byte_view contents);
/// One TLV around `contents`.
[[nodiscard]] bytes wrap(std::uint8_t tag, byte_view contents);

struct extension {
  std::string oid;
  bool critical = false;
  byte_view value; ///< contents of the OCTET STRING
  byte_view whole; ///< the Extension as it stands
};
/// Reads `Extensions` (RFC 5280 4.1): no OID twice, at most extensions_max.
[[nodiscard]] std::optional<std::vector<extension>> extensions(byte_view octets);

} // namespace pfx::connect::ca::der
