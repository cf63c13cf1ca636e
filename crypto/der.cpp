// Reading and writing DER; see der.hpp for what is refused.
#include "crypto/der.hpp"

#include "crypto/openssl.hpp"

#include <algorithm>
#include <array>

namespace pfx::crypto::der {

namespace {

constexpr std::size_t oid_characters_max = 128;
constexpr std::size_t header_octets_max = 6;

struct header {
  std::array<std::uint8_t, header_octets_max> octets{};
  std::size_t size = 0;
};

header make_header(std::uint8_t tag, std::size_t length) {
  header out;
  out.octets[out.size++] = tag;
  if (length < 0x80) {
    out.octets[out.size++] = static_cast<std::uint8_t>(length);
    return out;
  }
  std::size_t octets = 1;
  while (octets < 4 && length >> (8 * octets) != 0)
    ++octets;
  out.octets[out.size++] = static_cast<std::uint8_t>(0x80U | octets);
  for (std::size_t i = octets; i-- > 0;) {
    out.octets[out.size++] = static_cast<std::uint8_t>(length >> (8 * i));
  }
  return out;
}

/// RFC-like syntax before OpenSSL sees it: OBJ_txt2obj takes spaces and other things for
/// separators.
bool is_dotted(std::string_view text) {
  if (text.empty() || text.size() > oid_characters_max)
    return false;
  std::size_t arcs = 0;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('.', start), text.size());
    const std::string_view arc = text.substr(start, end - start);
    const bool digits = !arc.empty()
      && std::all_of(arc.begin(), arc.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits || (arc.size() > 1 && arc[0] == '0'))
      return false;
    if (arcs == 0 && (arc.size() != 1 || arc[0] > '2'))
      return false;
    if (arcs == 1 && text[0] < '2' && (arc.size() > 2 || (arc.size() == 2 && arc[0] > '3'))) {
      return false;
    }
    ++arcs;
    start = end + 1;
  }
  return arcs >= 2;
}

} // namespace

std::optional<element> reader::next() noexcept {
  if (in_.size() < 2 || (in_[0] & 0x1f) == 0x1f)
    return std::nullopt;
  std::size_t header = 2;
  std::size_t length = in_[1];
  if (length >= 0x80) {
    const std::size_t octets = length & 0x7f;
    if (octets == 0 || octets > 4 || in_.size() < 2 + octets)
      return std::nullopt;
    length = 0;
    for (std::size_t i = 0; i < octets; ++i)
      length = length << 8 | in_[2 + i];
    header += octets;
    if (length < 0x80 || in_[2] == 0)
      return std::nullopt;
  }
  if (length > in_.size() - header)
    return std::nullopt;
  const element out{in_[0], in_.subspan(header, length), in_.first(header + length)};
  in_ = in_.subspan(header + length);
  return out;
}

std::optional<element> reader::next(std::uint8_t tag) noexcept {
  if (peek() != tag)
    return std::nullopt;
  return next();
}

std::optional<element> only(byte_view in, std::uint8_t tag) noexcept {
  reader walk(in);
  auto out = walk.next(tag);
  if (!walk.at_end())
    return std::nullopt;
  return out;
}

bytes tlv(std::uint8_t tag, std::initializer_list<byte_view> parts) {
  std::size_t length = 0;
  for (const byte_view part : parts)
    length += part.size();
  const header head = make_header(tag, length);
  bytes out;
  out.reserve(head.size + length);
  append(out, byte_view(head.octets).first(head.size));
  for (const byte_view part : parts)
    append(out, part);
  return out;
}

bytes tlv(std::uint8_t tag, byte_view content) { return tlv(tag, {content}); }

bytes unsigned_integer(byte_view magnitude) {
  while (magnitude.size() > 1 && magnitude[0] == 0)
    magnitude = magnitude.subspan(1);
  static constexpr std::uint8_t zero = 0;
  if (magnitude.empty())
    return tlv(integer, byte_view(&zero, 1));
  const byte_view sign(&zero, (magnitude[0] & 0x80) != 0 ? 1U : 0U);
  return tlv(integer, {sign, magnitude});
}

std::optional<bytes> oid(std::string_view text) {
  if (!is_dotted(text))
    return std::nullopt;
  const queue_guard guard;
  const object_handle object(::OBJ_txt2obj(std::string(text).c_str(), 1));
  if (object == nullptr)
    return std::nullopt;
  return tlv(object_identifier,
             byte_view(::OBJ_get0_data(object.get()), ::OBJ_length(object.get())));
}

std::string dotted(byte_view content) {
  const queue_guard guard;
  const bytes whole = tlv(object_identifier, content);
  const unsigned char* cursor = whole.data();
  const object_handle object(::d2i_ASN1_OBJECT(nullptr, &cursor, static_cast<long>(whole.size())));
  if (object == nullptr)
    return {};
  const int size = ::OBJ_obj2txt(nullptr, 0, object.get(), 1);
  if (size <= 0)
    return {};
  std::string out(static_cast<std::size_t>(size) + 1, '\0'); // OpenSSL writes a NUL behind it
  ::OBJ_obj2txt(out.data(), size + 1, object.get(), 1);
  out.pop_back();
  return out;
}

void append(bytes& out, byte_view more) { out.insert(out.end(), more.begin(), more.end()); }

back_writer& back_writer::raw(byte_view octets) noexcept {
  if (octets.size() > position_) {
    ok_ = false;
    return *this;
  }
  position_ -= octets.size();
  std::copy(octets.begin(), octets.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(position_));
  return *this;
}

back_writer& back_writer::wrap(std::uint8_t tag, std::size_t mark) noexcept {
  const header head = make_header(tag, mark - position_);
  return raw(byte_view(head.octets).first(head.size));
}

} // namespace pfx::crypto::der
