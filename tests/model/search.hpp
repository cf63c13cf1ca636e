// Breadth first through every state that can be reached, so that the first story found is a
// shortest one; then backwards from every good end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/model/flow.hpp"
#include "tests/model/plan.hpp"

namespace pfx::model {

struct verdict {
  std::uint64_t states = 0, transitions = 0, depth = 0;
  std::string broken;             ///< empty: everything holds
  std::vector<std::string> story; ///< the shortest way there
  bool too_big = false;           ///< the search was given up; proves nothing
};

struct limits_of_search {
  std::uint64_t states_max = 60'000'000;
};

[[nodiscard]] verdict search(const plan& by, coverage* met, const limits_of_search& within);

} // namespace pfx::model
