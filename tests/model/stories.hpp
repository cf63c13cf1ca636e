// Steps and states in words.
#pragma once

#include <string>

#include "tests/model/moves.hpp"

namespace pfx::model {

[[nodiscard]] std::string sentence(const successor& step);
[[nodiscard]] std::string describe(const plan& by, const state& s);

} // namespace pfx::model
