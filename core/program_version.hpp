// The version of the program that this is part of (one object of the whole build knows it), and of
// the data that it leaves behind.
#pragma once

#include <cstdint>
#include <string>

namespace pfx {

/// "major.minor.patch", from the build (`-DPFX_VERSION=`, or the project's own).
[[nodiscard]] std::string program_version();

/// Of the data directory. It grows with any record that an older program could not read, and is
/// written down there before the first such record: then there is no way back to that program.
inline constexpr std::uint32_t store_format_version = 1;

} // namespace pfx
