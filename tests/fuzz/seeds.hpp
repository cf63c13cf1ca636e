// Inputs to begin with, as files.
#pragma once

#include <string>

namespace pfx::fuzz {

/// One folder per target below `directory`.
void write_seeds(const std::string& directory);

} // namespace pfx::fuzz
