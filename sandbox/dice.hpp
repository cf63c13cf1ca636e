// Repeatable choices: a number from a seed and an index, the same on every machine. Not random
// enough for anything secret.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pfx::sandbox {

class dice {
public:
  dice(std::uint64_t seed, std::uint64_t index) noexcept
      : state_(seed * 0x9e3779b97f4a7c15ULL ^ (index + 1) * 0xbf58476d1ce4e5b9ULL) {}

  /// SplitMix64 (Steele, Lea, Flood 2014).
  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  /// 0 <= n < bound.
  std::size_t below(std::size_t bound) noexcept { return static_cast<std::size_t>(next() % bound); }
  /// 0 <= x < 1.
  double share() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  template <class T>
  const T& one_of(const std::vector<T>& values) noexcept {
    return values[below(values.size())];
  }
  /// A UUID's form (version 4 in looks only).
  std::string uuid();

private:
  std::uint64_t state_;
};

} // namespace pfx::sandbox
