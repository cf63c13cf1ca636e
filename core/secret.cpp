// Memory for secrets: one arena for the process, of pages that are locked and left out of dumps.
// Bounded; when it or the lock limit is used up, secrets lie in ordinary memory and are still
// wiped.
#include "core/secret.hpp"

#include <string.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <mutex>

#if defined(__SANITIZE_ADDRESS__)
#  include <sanitizer/asan_interface.h>
#endif

namespace pfx {

namespace {

constexpr std::size_t arena_bytes_max = 4u << 20; ///< half of Debian's default lock limit
constexpr std::size_t slab_bytes = 16u << 10;     ///< unit of locking; a multiple of the page size
constexpr std::size_t slabs_max = arena_bytes_max / slab_bytes;
constexpr std::size_t block_bytes_min = 64;
constexpr std::size_t blocks_per_slab_max = slab_bytes / block_bytes_min;

/// Under AddressSanitizer, octets that nobody owns trap when touched.
void close_octets([[maybe_unused]] void* data, [[maybe_unused]] std::size_t size) noexcept {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(data, size);
#endif
}

void open_octets([[maybe_unused]] void* data, [[maybe_unused]] std::size_t size) noexcept {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(data, size);
#endif
}

/// One stretch of the arena. Either free, or cut into blocks of one size, or part of a long run.
struct slab {
  enum class use : std::uint8_t { never_locked, free, blocks, run_head, run_tail };
  use in = use::never_locked;
  std::size_t block_bytes = 0; ///< size of a block; for a run's head: octets of the whole run
  std::size_t taken = 0;       ///< blocks in use
  std::array<std::uint64_t, blocks_per_slab_max / 64> map{};
};

/// Process-wide and never destroyed: secrets of static objects may end after everything else.
/// Octets it hands out are zero.
class arena {
public:
  arena() noexcept {
    void* at = ::mmap(nullptr, arena_bytes_max, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
      return;
    }
    base_ = static_cast<std::uint8_t*>(at);
    ::madvise(base_, arena_bytes_max, MADV_DONTDUMP);
    close_octets(base_, arena_bytes_max);
  }

  /// Null if there is no locked room.
  std::uint8_t* take(std::size_t size) noexcept {
    const std::lock_guard guard(mutex_);
    if (base_ == nullptr || size > arena_bytes_max) {
      return nullptr;
    }
    const std::size_t rounded = size < block_bytes_min ? block_bytes_min : std::bit_ceil(size);
    std::uint8_t* at = rounded < slab_bytes ? take_block(rounded) : take_run(size);
    if (at != nullptr) {
      open_octets(at, size);
    }
    return at;
  }

  [[nodiscard]] bool owns(const std::uint8_t* at) const noexcept {
    return base_ != nullptr && at >= base_ && at < base_ + arena_bytes_max;
  }

  /// Takes back octets that were wiped.
  void give(std::uint8_t* at) noexcept {
    const std::lock_guard guard(mutex_);
    const auto offset = static_cast<std::size_t>(at - base_);
    auto& home = slabs_[offset / slab_bytes];
    close_octets(at, home.block_bytes);
    if (home.in == slab::use::run_head) {
      const std::size_t count = (home.block_bytes + slab_bytes - 1) / slab_bytes;
      for (std::size_t next = 0; next < count; ++next) {
        slabs_[offset / slab_bytes + next].in = slab::use::free;
      }
      return;
    }
    const std::size_t block = offset % slab_bytes / home.block_bytes;
    home.map[block / 64] &= ~(std::uint64_t{1} << (block % 64));
    if (--home.taken == 0) {
      home.in = slab::use::free;
    }
  }

private:
  std::uint8_t* take_block(std::size_t block_bytes) noexcept {
    const std::size_t capacity = slab_bytes / block_bytes;
    for (std::size_t at = 0; at < slabs_max; ++at) {
      auto& one = slabs_[at];
      if (one.in == slab::use::blocks && one.block_bytes == block_bytes && one.taken < capacity) {
        return block_in(at);
      }
    }
    for (std::size_t at = 0; at < slabs_max; ++at) {
      if (is_free(at)) {
        slabs_[at] = slab{slab::use::blocks, block_bytes, 0, {}};
        return block_in(at);
      }
    }
    return nullptr;
  }

  /// The first block of a slab with a free one.
  std::uint8_t* block_in(std::size_t at) noexcept {
    auto& home = slabs_[at];
    std::size_t block = 0;
    while ((home.map[block / 64] >> (block % 64) & 1) != 0) {
      ++block;
    }
    home.map[block / 64] |= std::uint64_t{1} << (block % 64);
    ++home.taken;
    return base_ + at * slab_bytes + block * home.block_bytes;
  }

  /// Neighbouring slabs for one long secret.
  std::uint8_t* take_run(std::size_t size) noexcept {
    const std::size_t count = (size + slab_bytes - 1) / slab_bytes;
    std::size_t found = 0;
    for (std::size_t at = 0; at < slabs_max; ++at) {
      found = is_free(at) ? found + 1 : 0;
      if (found < count) {
        continue;
      }
      const std::size_t head = at + 1 - count;
      for (std::size_t next = head; next <= at; ++next) {
        slabs_[next] = slab{slab::use::run_tail, 0, 0, {}};
      }
      slabs_[head] = slab{slab::use::run_head, size, 0, {}};
      return base_ + head * slab_bytes;
    }
    return nullptr;
  }

  /// Locks a slab when it is wanted for the first time. It stays locked for the life of the
  /// process.
  bool is_free(std::size_t at) noexcept {
    auto& one = slabs_[at];
    if (one.in == slab::use::never_locked && ::mlock(base_ + at * slab_bytes, slab_bytes) == 0) {
      one.in = slab::use::free;
    }
    return one.in == slab::use::free;
  }

  std::mutex mutex_;
  std::uint8_t* base_ = nullptr;
  std::array<slab, slabs_max> slabs_{};
};

arena& the_arena() noexcept {
  alignas(arena) static std::array<unsigned char, sizeof(arena)> room;
  static arena* the = new (room.data()) arena;
  return *the;
}

std::atomic<bool> all_locked = true;

std::uint8_t* take(std::size_t size) {
  if (std::uint8_t* at = the_arena().take(size)) {
    return at;
  }
  all_locked.store(false, std::memory_order_relaxed);
  return new std::uint8_t[size]();
}

void give(std::uint8_t* at) noexcept {
  if (the_arena().owns(at)) {
    the_arena().give(at);
  } else {
    delete[] at;
  }
}

} // namespace

secret_bytes::secret_bytes(std::size_t size)
    : data_(size == 0 ? nullptr : take(size)), size_(size) {}

secret_bytes::secret_bytes(byte_view octets) : secret_bytes(octets.size()) {
  if (!octets.empty()) {
    std::memcpy(data_, octets.data(), octets.size());
  }
}

secret_bytes::secret_bytes(secret_bytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

secret_bytes& secret_bytes::operator=(secret_bytes&& other) noexcept {
  if (this != &other) {
    wipe();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

secret_bytes::~secret_bytes() { wipe(); }

void secret_bytes::shrink(std::size_t size) noexcept {
  if (size >= size_) {
    return;
  }
  if (size == 0) {
    wipe();
    return;
  }
  pfx::wipe(data_ + size, size_ - size);
  size_ = size;
}

void secret_bytes::wipe() noexcept {
  if (data_ != nullptr) {
    pfx::wipe(data_, size_);
    give(data_);
  }
  data_ = nullptr;
  size_ = 0;
}

void wipe(void* data, std::size_t size) noexcept {
  if (size != 0) {
    ::explicit_bzero(data, size);
  }
}

bool secret_memory_locked() noexcept { return all_locked.load(std::memory_order_relaxed); }

} // namespace pfx
