// Picks among the files of others; their octets are in a generated source beside this one.
#include "sandbox/foreign_files.hpp"

#include <algorithm>

namespace pfx::sandbox {

const foreign_file& pick_file(dice& choice) noexcept {
  const auto all = foreign_files();
  std::size_t total = 0;
  for (const auto& one : all) {
    total += one.weight;
  }
  auto left = choice.below(total);
  for (const auto& one : all) {
    if (left < one.weight) {
      return one;
    }
    left -= one.weight;
  }
  return all.front();
}

const foreign_file* file_named(std::string_view name) noexcept {
  const auto all = foreign_files();
  const auto at
    = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
  return at == all.end() ? nullptr : &*at;
}

} // namespace pfx::sandbox
