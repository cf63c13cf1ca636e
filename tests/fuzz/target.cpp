// The list of targets and what they share.
#include "tests/fuzz/target.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace pfx::fuzz {

namespace {

std::vector<target>& list() {
  static std::vector<target> all;
  return all;
}

} // namespace

registration::registration(std::string_view name, target_function run) {
  list().push_back({name, run});
}

std::vector<target> all_targets() {
  auto out = list();
  std::sort(out.begin(), out.end(),
            [](const target& left, const target& right) { return left.name < right.name; });
  return out;
}

target_function target_of(std::string_view name) {
  for (const auto& one : list()) {
    if (one.name == name)
      return one.run;
  }
  return nullptr;
}

void promise(bool kept, const char* what) {
  if (!kept)
    throw std::logic_error(what);
}

chosen choose(byte_view input, unsigned choices) noexcept {
  if (input.empty())
    return {};
  return {static_cast<std::uint8_t>(input[0] % choices), input.subspan(1)};
}

std::string data_text(const std::string& name) {
  std::ifstream file(std::string(PFX_TEST_DATA) + "/" + name, std::ios::binary);
  promise(file.good(), "a file of tests/data is missing");
  return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace pfx::fuzz
