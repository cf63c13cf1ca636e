// How many octets an operation can take in a write, so that no batch grows over what the store
// takes.
#pragma once

#include <cstddef>

#include "storage/store.hpp"

namespace pfx::actors::tasks {

/// An upper bound where a text of others is in it; a usual size where all of it is ours.
[[nodiscard]] std::size_t write_size(const storage::operation& what);

} // namespace pfx::actors::tasks
