// How often one AES-GCM subkey may still be used with random nonces. Private to this room.
#pragma once

#include <atomic>
#include <cstdint>

namespace pfx::crypto {

/// NIST SP 800-38D 8.3: at most 2^32 invocations with random 96-bit nonces. Thread-safe.
class seal_budget {
public:
  static constexpr std::uint64_t seals_max = 1ULL << 32;

  explicit seal_budget(std::uint64_t used = 0) noexcept : used_(used) {}

  /// True if one more seal is allowed; counts it then. Never wraps.
  [[nodiscard]] bool take() noexcept {
    std::uint64_t used = used_.load(std::memory_order_relaxed);
    while (used < seals_max) {
      if (used_.compare_exchange_weak(used, used + 1, std::memory_order_relaxed))
        return true;
    }
    return false;
  }

private:
  std::atomic<std::uint64_t> used_;
};

} // namespace pfx::crypto
