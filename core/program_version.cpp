// The one source that is compiled with PFX_VERSION (cmake/PfxRoom.cmake): another version costs one
// object.
#include "core/program_version.hpp"

namespace pfx {

std::string program_version() { return PFX_VERSION; }

} // namespace pfx
