// The version of the program that this is part of: one object of the whole build knows it.
#pragma once

#include <string>

namespace pfx {

/// "major.minor.patch", from the build (`-DPFX_VERSION=`, or the project's own).
[[nodiscard]] std::string program_version();

} // namespace pfx
