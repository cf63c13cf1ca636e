// What a fuzz target is: a function of hostile octets that must come back, in time and with its
// promises kept. Refuses to judge which error an input gets; that is for the tests of the rooms.
#pragma once

#include <string_view>
#include <vector>

#include "core/bytes.hpp"

namespace pfx::fuzz {

using target_function = void (*)(byte_view input);

struct target {
  std::string_view name;
  target_function run = nullptr;
};

/// Targets of this program, by name.
[[nodiscard]] std::vector<target> all_targets();
/// Null if there is none of this name.
[[nodiscard]] target_function target_of(std::string_view name);

struct registration {
  registration(std::string_view name, target_function run);
};

/// A promise of the code under test. Throws if it is broken: a crash to libFuzzer, a failure to the
/// test that replays inputs.
void promise(bool kept, const char* what);

/// The first octet, which chooses between things to do, and the rest.
struct chosen {
  std::uint8_t which = 0;
  byte_view rest;
};
[[nodiscard]] chosen choose(byte_view input, unsigned choices) noexcept;

/// A file of tests/data, for keys that seeds were encrypted to.
[[nodiscard]] std::string data_text(const std::string& name);

} // namespace pfx::fuzz

/// Defines and announces a target: PFX_FUZZ_TARGET(name) { … `input` … }
#define PFX_FUZZ_TARGET(name)                                                                      \
  static void fuzz_##name(::pfx::byte_view input);                                                 \
  static const ::pfx::fuzz::registration announce_##name(#name, &fuzz_##name);                     \
  static void fuzz_##name([[maybe_unused]] ::pfx::byte_view input)
