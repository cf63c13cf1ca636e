// The table of PFX profiles (docs/protocol.md) as the judge knows it: written down once more here,
// so that a slip of the builder is seen.
#pragma once

#include <string>
#include <vector>

#include "core/request.hpp"
#include "core/secret.hpp"

namespace pfx::sandbox {

/// What is not as `profile` asks; one of the three that are written.
[[nodiscard]] std::vector<std::string> check_profile(pfx_profile profile, byte_view file,
                                                     const secret_bytes& password);

} // namespace pfx::sandbox
