// Prints every label at which a campaign can kill the engine, one a line: made from the tables of
// the lifecycle, so that none can be forgotten.
#include <cstdio>

#include "core/lifecycle.hpp"

int main() {
  for (const auto& label : pfx::lifecycle::fault_labels()) {
    std::puts(label.c_str());
  }
}
