// BER (X.690) brought into the one form that der.hpp reads: PKCS#12 files of NSS, Windows and
// Java have indefinite lengths and strings in pieces. Refuses tags above 30, pieces of anything but
// OCTET STRINGs and deep nesting. Private to this room.
#pragma once

#include <optional>

#include "core/bytes.hpp"

namespace pfx::crypto::ber {

inline constexpr std::size_t depth_max = 64;
/// How much longer than its source a rewritten element can be while it is made.
inline constexpr std::size_t growth_octets_max = 8 * depth_max;

/// True if `in` is one element with minimal, definite lengths throughout and no string in pieces.
[[nodiscard]] bool is_definite(byte_view in) noexcept;

/// Writes the one element that fills `in` with definite, minimal lengths and whole strings to the
/// front of `out` (in.size() + growth_octets_max is always enough) and returns its size. Nothing if
/// it is malformed. Values, the order in sets among them, stay as they are.
[[nodiscard]] std::optional<std::size_t> make_definite(byte_view in,
                                                       std::span<std::uint8_t> out) noexcept;

} // namespace pfx::crypto::ber
