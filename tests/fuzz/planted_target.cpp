// A bug on purpose, behind four octets: a fuzzer that does not find it within seconds would find
// nothing else either.
#include <memory>

#include "tests/fuzz/target.hpp"

PFX_FUZZ_TARGET(planted) {
  if (input.size() < 5 || input[0] != 'P' || input[1] != 'F' || input[2] != 'X' || input[3] != '!')
    return;
  const auto small = std::make_unique<std::uint8_t[]>(4);
  volatile std::uint8_t sink = small[input[4] | 4U];
  static_cast<void>(sink);
}
