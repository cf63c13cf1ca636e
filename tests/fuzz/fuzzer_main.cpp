// libFuzzer's entry: `--target=NAME` among the arguments chooses what is fed; `--list` lists,
// `--seeds=DIR` writes the inputs to begin with.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/fuzz/seeds.hpp"
#include "tests/fuzz/target.hpp"

namespace {

pfx::fuzz::target_function chosen_target = nullptr;

} // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr std::string_view option = "--target=";
  constexpr std::string_view seeds = "--seeds=";
  for (int at = 1; at < *argc; ++at) {
    const std::string_view word = (*argv)[at];
    if (word == "--list") {
      for (const auto& one : pfx::fuzz::all_targets())
        std::printf("%s\n", std::string(one.name).c_str());
      std::exit(0);
    }
    if (word.substr(0, seeds.size()) == seeds) {
      pfx::fuzz::write_seeds(std::string(word.substr(seeds.size())));
      std::exit(0);
    }
    if (word.substr(0, option.size()) == option)
      chosen_target = pfx::fuzz::target_of(word.substr(option.size()));
  }
  if (chosen_target == nullptr) {
    std::fprintf(stderr, "which one? --target=NAME of --list\n");
    std::exit(2);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen_target({data, size});
  return 0;
}
