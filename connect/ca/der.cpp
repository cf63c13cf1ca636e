// Reads and writes TLVs. Refuses what X.690 chapter 10 forbids in DER lengths.
#include "connect/ca/der.hpp"

namespace pfx::connect::ca::der {

namespace {

constexpr std::size_t length_octets_max = 4;

/// The length at the head of `octets`; `used` is how many octets it took.
std::optional<std::size_t> length_of(byte_view octets, std::size_t& used) {
  if (octets.empty()) {
    return std::nullopt;
  }
  if (octets[0] < 0x80) {
    used = 1;
    return octets[0];
  }
  const std::size_t count = octets[0] & 0x7fu;
  if (count == 0 || count > length_octets_max || octets.size() < 1 + count || octets[1] == 0) {
    return std::nullopt;
  }
  std::size_t length = 0;
  for (std::size_t at = 1; at <= count; ++at) {
    length = (length << 8) | octets[at];
  }
  if (length < 0x80) {
    return std::nullopt;
  }
  used = 1 + count;
  return length;
}

} // namespace

std::optional<element> first(byte_view octets, byte_view& rest) {
  if (octets.empty() || (octets[0] & 0x1fu) == 0x1f) {
    return std::nullopt;
  }
  std::size_t used = 0;
  const auto length = length_of(octets.subspan(1), used);
  if (!length || *length > octets.size() - 1 - used) {
    return std::nullopt;
  }
  const std::size_t head = 1 + used;
  rest = octets.subspan(head + *length);
  return element{octets[0], octets.subspan(head, *length), octets.first(head + *length)};
}

std::optional<element> only(byte_view octets) {
  byte_view rest;
  auto out = first(octets, rest);
  return out && rest.empty() ? out : std::nullopt;
}

std::optional<std::vector<element>> children(byte_view contents) {
  std::vector<element> out;
  while (!contents.empty()) {
    auto one = first(contents, contents);
    if (!one || out.size() == elements_max) {
      return std::nullopt;
    }
    out.push_back(*one);
  }
  return out;
}

std::string dotted(byte_view contents) {
  std::string out;
  std::uint64_t arc = 0;
  bool inside = false;
  for (const auto octet : contents) {
    if ((!inside && octet == 0x80) || arc > (UINT64_MAX >> 8)) {
      return {};
    }
    arc = (arc << 7) | (octet & 0x7fu);
    inside = (octet & 0x80u) != 0;
    if (inside) {
      continue;
    }
    if (out.empty()) {
      const std::uint64_t top = arc < 40 ? 0 : arc < 80 ? 1 : 2;
      out = std::to_string(top) + "." + std::to_string(arc - top * 40);
    } else {
      out += "." + std::to_string(arc);
    }
    arc = 0;
  }
  return inside ? std::string() : out;
}

bytes wrap(std::uint8_t tag, byte_view contents) {
  bytes out{tag};
  const std::size_t size = contents.size();
  if (size < 0x80) {
    out.push_back(static_cast<std::uint8_t>(size));
  } else {
    bytes length;
    for (std::size_t left = size; left > 0; left >>= 8) {
      length.insert(length.begin(), static_cast<std::uint8_t>(left & 0xff));
    }
    out.push_back(static_cast<std::uint8_t>(0x80 | length.size()));
    out.insert(out.end(), length.begin(), length.end());
  }
  out.insert(out.end(), contents.begin(), contents.end());
  return out;
}

std::optional<std::vector<extension>> extensions(byte_view octets) {
  const auto list = only(octets);
  const auto items = list && list->tag == 0x30 ? children(list->value) : std::nullopt;
  if (!items || items->size() > extensions_max) {
    return std::nullopt;
  }
  std::vector<extension> out;
  for (const auto& item : *items) {
    const auto parts = item.tag == 0x30 ? children(item.value) : std::nullopt;
    if (!parts || parts->size() < 2 || parts->size() > 3 || parts->front().tag != 0x06
        || parts->back().tag != 0x04) {
      return std::nullopt;
    }
    extension one{dotted(parts->front().value), false, parts->back().value, item.whole};
    if (parts->size() == 3) {
      const auto& flag = (*parts)[1];
      if (flag.tag != 0x01 || flag.value.size() != 1) {
        return std::nullopt;
      }
      one.critical = flag.value[0] != 0;
    }
    for (const auto& earlier : out) {
      if (earlier.oid == one.oid) {
        return std::nullopt;
      }
    }
    if (one.oid.empty()) {
      return std::nullopt;
    }
    out.push_back(std::move(one));
  }
  return out;
}

} // namespace pfx::connect::ca::der
