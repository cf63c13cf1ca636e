// Percentiles of what a run measured. Sorts what it is given.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace pfx::sandbox {

/// Nearest rank; 0 for nothing.
inline double percentile(std::vector<double>& values, double share) {
  if (values.empty()) {
    return 0;
  }
  std::sort(values.begin(), values.end());
  const auto rank = std::ceil(share * static_cast<double>(values.size()));
  return values[static_cast<std::size_t>(std::max(1.0, rank)) - 1];
}

} // namespace pfx::sandbox
