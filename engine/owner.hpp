// Whose data directory it is: a command that makes files there under another user's name would lock
// the engine out of them.
#pragma once

#include <optional>
#include <string>

#include "engine/configuration.hpp"

namespace pfx::engine {

/// The user who the store belongs to (before there is one: the data directory), if this process
/// runs as another: a name, or "#" and the number of a user without one. Nothing where there is no
/// directory yet.
[[nodiscard]] std::optional<std::string> foreign_owner(const configuration& settings);

} // namespace pfx::engine
