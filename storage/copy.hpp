// Copies of a store that live on their own: no file shared with the original, and on the disk when
// they are called made.
#pragma once

#include <filesystem>

#include "core/result.hpp"

namespace pfx::storage {

/// Each file of the folder that has other names elsewhere (a checkpoint links the tables of the
/// store) becomes a file of its own: damage of the one leaves the other whole. errc::io.
[[nodiscard]] result<void> part_from_links(const std::filesystem::path& folder);

/// syncfs(2) of what `path` lies on: its files, their names, and everything else there. errc::io.
[[nodiscard]] result<void> sync_file_system(const std::filesystem::path& path);

} // namespace pfx::storage
