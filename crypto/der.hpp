// DER (X.690), as little as this room needs: a reader that never leaves its octets, writers for
// what goes out raw. Refuses indefinite and over-long lengths and tags above 30. Private to this
// room.
#pragma once

#include <initializer_list>
#include <optional>

#include "core/bytes.hpp"

namespace pfx::crypto::der {

inline constexpr std::uint8_t boolean = 0x01;
inline constexpr std::uint8_t integer = 0x02;
inline constexpr std::uint8_t bit_string = 0x03;
inline constexpr std::uint8_t octet_string = 0x04;
inline constexpr std::uint8_t null = 0x05;
inline constexpr std::uint8_t object_identifier = 0x06;
inline constexpr std::uint8_t enumerated = 0x0a;
inline constexpr std::uint8_t utf8_string = 0x0c;
inline constexpr std::uint8_t printable_string = 0x13;
inline constexpr std::uint8_t ia5_string = 0x16;
inline constexpr std::uint8_t utc_time = 0x17;
inline constexpr std::uint8_t generalized_time = 0x18;
inline constexpr std::uint8_t bmp_string = 0x1e;
inline constexpr std::uint8_t sequence = 0x30;
inline constexpr std::uint8_t set = 0x31;
/// [n] primitive and constructed, n <= 30.
[[nodiscard]] constexpr std::uint8_t context(unsigned n) {
  return static_cast<std::uint8_t>(0x80U | n);
}
[[nodiscard]] constexpr std::uint8_t context_constructed(unsigned n) {
  return static_cast<std::uint8_t>(0xa0U | n);
}

struct element {
  std::uint8_t tag = 0;
  byte_view content;
  byte_view whole; ///< tag, length and content
};

/// Walks the elements of one level. Views point into the octets it was made with.
class reader {
public:
  explicit reader(byte_view in) noexcept : in_(in) {}

  [[nodiscard]] bool at_end() const noexcept { return in_.empty(); }
  /// The tag of the next element, 0 at the end.
  [[nodiscard]] std::uint8_t peek() const noexcept { return in_.empty() ? 0 : in_[0]; }
  /// Nothing at the end or if what follows is no DER; the reader stays where it is then.
  [[nodiscard]] std::optional<element> next() noexcept;
  /// The next element if it has this tag.
  [[nodiscard]] std::optional<element> next(std::uint8_t tag) noexcept;

private:
  byte_view in_;
};

/// The one element that fills `in` exactly, with this tag.
[[nodiscard]] std::optional<element> only(byte_view in, std::uint8_t tag) noexcept;

/// Tag, length, and the parts one after the other.
[[nodiscard]] bytes tlv(std::uint8_t tag, std::initializer_list<byte_view> parts);
[[nodiscard]] bytes tlv(std::uint8_t tag, byte_view content);
/// An INTEGER from an unsigned big-endian magnitude.
[[nodiscard]] bytes unsigned_integer(byte_view magnitude);
/// An OBJECT IDENTIFIER from its dotted form. Strict syntax, at most 128 characters.
[[nodiscard]] std::optional<bytes> oid(std::string_view dotted);
/// The dotted form of an OBJECT IDENTIFIER's content; empty if it is malformed.
[[nodiscard]] std::string dotted(byte_view content);
void append(bytes& out, byte_view more);

/// Writes DER from the end of a buffer to its start, so that lengths are known when they are
/// written and secrets are never copied to a larger buffer. The buffer is the caller's, who wipes
/// it.
class back_writer {
public:
  explicit back_writer(std::span<std::uint8_t> buffer) noexcept
      : buffer_(buffer), position_(buffer.size()) {}

  /// Octets in front of what is written so far.
  back_writer& raw(byte_view octets) noexcept;
  /// Header for everything that was written since `mark`.
  back_writer& wrap(std::uint8_t tag, std::size_t mark) noexcept;
  [[nodiscard]] std::size_t mark() const noexcept { return position_; }
  /// False if the buffer was too small; nothing was written past it.
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] byte_view written() const noexcept { return buffer_.subspan(position_); }

private:
  std::span<std::uint8_t> buffer_;
  std::size_t position_;
  bool ok_ = true;
};

} // namespace pfx::crypto::der
