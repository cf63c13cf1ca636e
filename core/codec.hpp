// The one binary form of our own records: big-endian numbers and length-prefixed octets.
// Readers never throw and never read past the end; the first fault sticks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.hpp"

namespace pfx {

class writer {
public:
  writer& u8(std::uint8_t value);
  writer& u16(std::uint16_t value);
  writer& u32(std::uint32_t value);
  writer& u64(std::uint64_t value);
  writer& i64(std::int64_t value) { return u64(static_cast<std::uint64_t>(value)); }
  writer& flag(bool value) { return u8(value ? 1 : 0); }
  /// 32-bit length, then the octets.
  writer& blob(byte_view octets);
  writer& text(std::string_view value) { return blob(as_bytes(value)); }
  writer& fixed(const digest& value);

  [[nodiscard]] byte_view view() const noexcept { return out_; }
  [[nodiscard]] bytes take() noexcept { return std::move(out_); }

private:
  bytes out_;
};

class reader {
public:
  explicit reader(byte_view in) noexcept : in_(in) {}

  std::uint8_t u8() noexcept;
  std::uint16_t u16() noexcept;
  std::uint32_t u32() noexcept;
  std::uint64_t u64() noexcept;
  std::int64_t i64() noexcept { return static_cast<std::int64_t>(u64()); }
  bool flag() noexcept;
  bytes blob();
  std::string text();
  digest fixed() noexcept;

  /// True while nothing was read past the end and every flag was 0 or 1.
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  /// True if all octets were read and none was missing.
  [[nodiscard]] bool finished() const noexcept { return ok_ && position_ == in_.size(); }

private:
  [[nodiscard]] byte_view take(std::size_t size) noexcept;

  byte_view in_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

} // namespace pfx
