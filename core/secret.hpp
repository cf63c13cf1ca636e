// Octets that must not leak: keys, passwords, tokens. Cannot be copied, printed or compared by
// accident; wiped when they end; kept in locked memory that is left out of core dumps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/bytes.hpp"

namespace pfx {

/// Owner of secret octets. Moving leaves the source empty. Life: as short as the work allows.
/// Memory comes from pages that are mlock'ed and MADV_DONTDUMP where the system permits; where the
/// lock limit is exhausted the octets lie in ordinary memory and are still wiped
/// (`secret_memory_locked()` tells).
class secret_bytes {
public:
  secret_bytes() noexcept = default;
  explicit secret_bytes(std::size_t size);
  /// Copies the octets in; the caller wipes its own copy.
  explicit secret_bytes(byte_view octets);
  secret_bytes(secret_bytes&& other) noexcept;
  secret_bytes& operator=(secret_bytes&& other) noexcept;
  secret_bytes(const secret_bytes&) = delete;
  secret_bytes& operator=(const secret_bytes&) = delete;
  ~secret_bytes();

  [[nodiscard]] std::uint8_t* data() noexcept { return data_; }
  [[nodiscard]] const std::uint8_t* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] byte_view view() const noexcept { return {data_, size_}; }
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(data_), size_};
  }
  /// A second owner of the same octets, asked for by name because it is rarely right.
  [[nodiscard]] secret_bytes duplicate() const { return secret_bytes(view()); }
  /// Wipes the tail and shortens; never grows.
  void shrink(std::size_t size) noexcept;
  void wipe() noexcept;

private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Overwrites octets in a way the compiler keeps (explicit_bzero).
void wipe(void* data, std::size_t size) noexcept;
inline void wipe(bytes& octets) noexcept { wipe(octets.data(), octets.size()); octets.clear(); }
inline void wipe(std::string& text) noexcept { wipe(text.data(), text.size()); text.clear(); }

/// False as soon as one secret had to be put into memory that could not be locked.
[[nodiscard]] bool secret_memory_locked() noexcept;

} // namespace pfx
