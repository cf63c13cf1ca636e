// The states met so far: an arena of equal pieces, an open hash table over it, and who led where.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "tests/model/state.hpp"

namespace pfx::model {

class store {
public:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  store(std::size_t connectors, bool with_copies);

  /// The number of the state, and whether it is new.
  std::pair<std::uint32_t, bool> insert(const state& what, std::uint32_t from);
  [[nodiscard]] state at(std::uint32_t number) const;
  [[nodiscard]] std::uint32_t parent(std::uint32_t number) const { return parents_[number]; }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(parents_.size()); }

private:
  static constexpr std::uint32_t chunk_states = 1U << 15;
  [[nodiscard]] const std::uint8_t* place(std::uint32_t number) const;
  void pack(const state& what);
  void grow();

  std::size_t front_, back_, stride_; ///< octets before the copies, after them, and both
  std::vector<std::uint8_t> packed_;
  std::vector<std::unique_ptr<std::uint8_t[]>> chunks_;
  std::vector<std::uint32_t> parents_;
  std::vector<std::uint32_t> table_; ///< 1 + number
};

} // namespace pfx::model
