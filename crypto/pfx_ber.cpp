// Rewriting BER with definite lengths; see pfx_ber.hpp for what is refused.
#include "crypto/pfx_ber.hpp"

#include "crypto/der.hpp"

#include <algorithm>
#include <cstring>

namespace pfx::crypto::ber {

namespace {

constexpr std::uint8_t constructed = 0x20;
constexpr std::uint8_t pieces_of_octets = der::octet_string | constructed;
constexpr std::size_t header_octets_max = 6;

struct header {
  std::uint8_t tag = 0;
  bool indefinite = false;
  std::size_t length = 0;
};

/// Takes a header off the front; the length was checked against what follows.
std::optional<header> take_header(byte_view& in) noexcept {
  if (in.size() < 2 || (in[0] & 0x1f) == 0x1f || in[0] == 0)
    return std::nullopt;
  header out{in[0], in[1] == 0x80, in[1]};
  std::size_t used = 2;
  if (out.indefinite) {
    if ((out.tag & constructed) == 0)
      return std::nullopt;
    out.length = 0;
  } else if (in[1] > 0x80) {
    const std::size_t octets = in[1] & 0x7f;
    if (octets > sizeof(std::size_t) || in.size() < 2 + octets)
      return std::nullopt;
    out.length = 0;
    for (std::size_t i = 0; i < octets; ++i)
      out.length = out.length << 8 | in[2 + i];
    used += octets;
  }
  if (out.length > in.size() - used)
    return std::nullopt;
  in = in.subspan(used);
  return out;
}

bool at_end_of_contents(byte_view in) noexcept {
  return in.size() >= 2 && in[0] == 0 && in[1] == 0;
}

/// Of the universal tags only sequences and sets are constructed, and strings of octets in pieces.
bool may_be(std::uint8_t tag, bool pieces_allowed) noexcept {
  if ((tag & 0xc0) != 0)
    return true;
  if ((tag & constructed) == 0)
    return tag != 0;
  return tag == der::sequence || tag == der::set || (pieces_allowed && tag == pieces_of_octets);
}

class rewriter {
public:
  explicit rewriter(std::span<std::uint8_t> out) noexcept : out_(out) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Takes one element off the front of `in`.
  bool element(byte_view& in, std::size_t depth) noexcept {
    const auto head = take_header(in);
    if (!head || depth == 0 || !may_be(head->tag, true))
      return false;
    const bool pieces = head->tag == pieces_of_octets;
    const std::size_t start = size_;
    if (header_octets_max > out_.size() - size_)
      return false;
    size_ += header_octets_max; // the header is written when the length of what follows is known
    if (!content(*head, in, depth - 1, pieces))
      return false;
    close(start, pieces ? der::octet_string : head->tag);
    return true;
  }

private:
  bool content(const header& head, byte_view& in, std::size_t depth, bool pieces) noexcept {
    if ((head.tag & constructed) == 0)
      return copy(in, head.length);
    byte_view inside = head.indefinite ? in : in.first(head.length);
    while (head.indefinite ? !at_end_of_contents(inside) : !inside.empty()) {
      if (!(pieces ? piece(inside, depth) : element(inside, depth)))
        return false;
    }
    in = head.indefinite ? inside.subspan(2) : in.subspan(head.length);
    return true;
  }

  /// The content alone of one piece of a string; pieces may have pieces (X.690 8.7.3.2).
  bool piece(byte_view& in, std::size_t depth) noexcept {
    const auto head = take_header(in);
    const bool nested = head && head->tag == pieces_of_octets;
    if (!head || depth == 0 || (!nested && head->tag != der::octet_string))
      return false;
    return content(*head, in, depth - 1, nested);
  }

  bool copy(byte_view& in, std::size_t length) noexcept {
    if (length > out_.size() - size_)
      return false;
    std::copy_n(in.begin(), length, out_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += length;
    in = in.subspan(length);
    return true;
  }

  void close(std::size_t start, std::uint8_t tag) noexcept {
    const std::size_t length = size_ - start - header_octets_max;
    std::uint8_t* at = out_.data() + start;
    std::size_t octets = 0;
    while (length >= 0x80 && length >> (8 * octets) != 0)
      ++octets;
    *at++ = tag;
    *at++ = static_cast<std::uint8_t>(length < 0x80 ? length : 0x80U | octets);
    for (std::size_t i = octets; i-- > 0;)
      *at++ = static_cast<std::uint8_t>(length >> (8 * i));
    std::memmove(at, out_.data() + start + header_octets_max, length);
    size_ = start + 2 + octets + length;
  }

  std::span<std::uint8_t> out_;
  std::size_t size_ = 0;
};

bool definite_inside(byte_view content, std::size_t depth) noexcept {
  der::reader walk(content);
  while (!walk.at_end()) {
    const auto next = walk.next();
    if (!next || depth == 0 || !may_be(next->tag, false))
      return false;
    if ((next->tag & constructed) != 0 && !definite_inside(next->content, depth - 1))
      return false;
  }
  return true;
}

} // namespace

bool is_definite(byte_view in) noexcept {
  der::reader walk(in);
  return walk.next() && walk.at_end() && definite_inside(in, depth_max);
}

std::optional<std::size_t> make_definite(byte_view in, std::span<std::uint8_t> out) noexcept {
  rewriter write(out);
  // Lengths of four octets hold what any caller has: the header room above relies on it.
  if (in.size() > UINT32_MAX / 2 || !write.element(in, depth_max) || !in.empty())
    return std::nullopt;
  return write.size();
}

} // namespace pfx::crypto::ber
