// The binary form of our own records. Refuses to read past the end: the first fault sticks.
#include "core/codec.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace pfx {

namespace {

template <class T>
void put(bytes& out, T value) {
  for (std::size_t at = sizeof(T); at-- > 0;) {
    out.push_back(static_cast<std::uint8_t>(value >> (8 * at)));
  }
}

template <class T>
T number(byte_view octets) noexcept {
  std::uint64_t value = 0;
  for (const auto octet : octets) {
    value = (value << 8) | octet;
  }
  return static_cast<T>(value);
}

} // namespace

writer& writer::u8(std::uint8_t value) {
  out_.push_back(value);
  return *this;
}

writer& writer::u16(std::uint16_t value) {
  put(out_, value);
  return *this;
}

writer& writer::u32(std::uint32_t value) {
  put(out_, value);
  return *this;
}

writer& writer::u64(std::uint64_t value) {
  put(out_, value);
  return *this;
}

writer& writer::blob(byte_view octets) {
  // Every value was checked against a limit far below; a longer one is a bug, and writing a wrong
  // length would make it a corrupt record.
  if (octets.size() > std::numeric_limits<std::uint32_t>::max()) {
    std::abort();
  }
  u32(static_cast<std::uint32_t>(octets.size()));
  out_.insert(out_.end(), octets.begin(), octets.end());
  return *this;
}

writer& writer::fixed(const digest& value) {
  out_.insert(out_.end(), value.octets.begin(), value.octets.end());
  return *this;
}

byte_view reader::take(std::size_t size) noexcept {
  if (!ok_ || size > in_.size() - position_) {
    ok_ = false;
    return {};
  }
  const auto out = in_.subspan(position_, size);
  position_ += size;
  return out;
}

std::uint8_t reader::u8() noexcept { return number<std::uint8_t>(take(1)); }
std::uint16_t reader::u16() noexcept { return number<std::uint16_t>(take(2)); }
std::uint32_t reader::u32() noexcept { return number<std::uint32_t>(take(4)); }
std::uint64_t reader::u64() noexcept { return number<std::uint64_t>(take(8)); }

bool reader::flag() noexcept {
  const auto value = u8();
  ok_ = ok_ && value <= 1;
  return ok_ && value == 1;
}

bytes reader::blob() {
  const auto size = u32();
  return to_bytes(take(size));
}

std::string reader::text() {
  const auto size = u32();
  return to_text(take(size));
}

digest reader::fixed() noexcept {
  digest out;
  const auto octets = take(out.octets.size());
  std::copy(octets.begin(), octets.end(), out.octets.begin());
  return out;
}

} // namespace pfx
