// What must hold in a state; what a single step must not do is said by the moves.
#pragma once

#include "tests/model/plan.hpp"
#include "tests/model/state.hpp"

namespace pfx::model {

/// Recorded, everybody has ended, nothing is on its way, nothing is left to do.
[[nodiscard]] bool quiet(const plan& by, const state& s);
/// The property that does not hold, or null.
[[nodiscard]] const char* broken_in(const plan& by, const state& s);

} // namespace pfx::model
