// Reading back what to_json(status) wrote. For the program's commands; a host asks the engine
// itself.
#pragma once

#include "engine/engine.hpp"

namespace pfx::engine {

/// errc::bad_input if a field is missing or of another kind.
[[nodiscard]] result<status> status_from_json(std::string_view text);

} // namespace pfx::engine
