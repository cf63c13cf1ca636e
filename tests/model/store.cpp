// Hashing and comparing octets; a state is copied in once and never moves.
#include "tests/model/store.hpp"

namespace pfx::model {

namespace {

std::uint64_t hash_of(const std::uint8_t* octets, std::size_t size) {
  std::uint64_t h = 0x243f6a8885a308d3ULL;
  for (std::size_t i = 0; i + 8 <= size; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, octets + i, 8);
    h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
    h ^= h >> 29U;
  }
  return h ^ (h >> 32U);
}

} // namespace

static_assert(sizeof(connector) % 8 == 0 && offsetof(state, at) % 8 == 0);

store::store(std::size_t connectors, bool with_copies)
    : front_(with_copies ? offsetof(state, at) : offsetof(state, copies)),
      back_(connectors * sizeof(connector)), stride_(front_ + back_), packed_(stride_),
      table_(1U << 16U) {}

void store::pack(const state& what) {
  std::memcpy(packed_.data(), &what, front_);
  std::memcpy(packed_.data() + front_, what.at.data(), back_);
}

const std::uint8_t* store::place(std::uint32_t number) const {
  return chunks_[number / chunk_states].get() + (number % chunk_states) * stride_;
}

state store::at(std::uint32_t number) const {
  state out{};
  std::memcpy(&out, place(number), front_);
  std::memcpy(out.at.data(), place(number) + front_, back_);
  return out;
}

std::pair<std::uint32_t, bool> store::insert(const state& what, std::uint32_t from) {
  pack(what);
  const auto* octets = packed_.data();
  const std::size_t mask = table_.size() - 1;
  std::size_t i = hash_of(octets, stride_) & mask;
  for (; table_[i] != 0; i = (i + 1) & mask) {
    if (std::memcmp(place(table_[i] - 1), octets, stride_) == 0) {
      return {table_[i] - 1, false};
    }
  }
  const auto number = size();
  if (number % chunk_states == 0) {
    chunks_.push_back(std::make_unique<std::uint8_t[]>(chunk_states * stride_));
  }
  std::memcpy(chunks_.back().get() + (number % chunk_states) * stride_, octets, stride_);
  parents_.push_back(from);
  table_[i] = number + 1;
  if (std::size_t{size()} * 10 > table_.size() * 7) {
    grow();
  }
  return {number, true};
}

void store::grow() {
  std::vector<std::uint32_t> larger(table_.size() * 2);
  table_.swap(larger);
  larger = {};
  const std::size_t mask = table_.size() - 1;
  for (std::uint32_t number = 0; number < size(); ++number) {
    std::size_t i = hash_of(place(number), stride_) & mask;
    while (table_[i] != 0) {
      i = (i + 1) & mask;
    }
    table_[i] = number + 1;
  }
}

} // namespace pfx::model
