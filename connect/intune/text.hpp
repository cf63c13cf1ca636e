// Lengths as the services count them. Internal to this folder. Refuses what is not UTF-8.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pfx::connect::intune {

/// Length in UTF-16 code units, which is what "characters" are where the services were written;
/// nothing if the text is not UTF-8 (RFC 3629).
[[nodiscard]] std::optional<std::size_t> utf16_units(std::string_view text) noexcept;
/// The longest beginning of at most `units_max` units that ends between two characters. For text
/// that is not UTF-8: without its non-ASCII octets.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t units_max);
/// Nothing in it but spaces, tabs and line ends.
[[nodiscard]] bool blank(std::string_view text) noexcept;

} // namespace pfx::connect::intune
