// Walks SafeContents and judges every bag and attribute in it. Refuses more of them than the
// limits say as soon as one is too many, attributes of the wrong type, and kinds of bags that are
// not read here; CRLs and secrets are counted and passed over.
#include "crypto/pfx_parts.hpp"

namespace pfx::crypto::pfx_parts {

namespace {

using namespace std::string_view_literals;

constexpr auto key_bag = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x01"sv;
constexpr auto shrouded_key_bag = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02"sv;
constexpr auto certificate_bag = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x03"sv;
constexpr auto crl_bag = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x04"sv;
constexpr auto secret_bag = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x05"sv;
constexpr auto safe_contents_bag = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x06"sv;
constexpr auto x509_certificate = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x16\x01"sv;
constexpr auto friendly_name = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x14"sv;
constexpr auto local_key_id = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x15"sv;

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&out](std::uint32_t octet) { out.push_back(static_cast<char>(octet)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

/// BMPString is UCS-2 by X.680; writers put UTF-16 there, so pairs of surrogates are read.
std::optional<std::string> utf8_of_bmp(byte_view units) {
  if (units.size() % 2 != 0)
    return std::nullopt;
  const auto unit = [units](std::size_t at) -> std::uint32_t {
    return static_cast<std::uint32_t>(units[at] << 8 | units[at + 1]);
  };
  std::string out;
  for (std::size_t at = 0; at < units.size(); at += 2) {
    std::uint32_t point = unit(at);
    if (point >= 0xdc00 && point < 0xe000)
      return std::nullopt;
    if (point >= 0xd800 && point < 0xdc00) {
      at += 2;
      const std::uint32_t low = at < units.size() ? unit(at) : 0;
      if (low < 0xdc00 || low >= 0xe000)
        return std::nullopt;
      point = 0x10000 + ((point & 0x3ff) << 10 | (low & 0x3ff));
    }
    append_utf8(out, point);
  }
  return out;
}

pfx_result<void> read_attribute(const der::element& attribute, bag& out, bool& named,
                                bool& marked) {
  der::reader walk(attribute.content);
  const auto oid = walk.next(der::object_identifier);
  const auto values = walk.next(der::set);
  if (attribute.tag != der::sequence || !oid || !values || !walk.at_end())
    return refuse(reason::malformed, "an attribute is malformed");
  const bool is_name = is(oid->content, friendly_name);
  const bool is_mark = is(oid->content, local_key_id);
  if (!is_name && !is_mark)
    return {};
  bool& seen = is_name ? named : marked;
  const auto value = der::only(values->content, is_name ? der::bmp_string : der::octet_string);
  if (!value || seen) {
    return refuse(reason::malformed,
                  is_name ? "friendlyName is not one BMPString"
                          : "localKeyID is not one OCTET STRING");
  }
  seen = true;
  if (is_mark) {
    out.local_key_id = to_bytes(value->content);
    return {};
  }
  auto text = utf8_of_bmp(value->content);
  if (!text)
    return refuse(reason::malformed, "friendlyName has half a character");
  out.friendly_name = std::move(*text);
  return {};
}

pfx_result<void> read_attributes(byte_view set, bag& out) {
  der::reader walk(set);
  bool named = false;
  bool marked = false;
  for (std::size_t count = 0; !walk.at_end(); ++count) {
    if (count == pfx_limits::bag_attributes_max)
      return refuse(reason::too_much, "a bag has more than 16 attributes");
    const auto attribute = walk.next();
    if (!attribute)
      return refuse(reason::malformed, "an attribute is malformed");
    if (attribute->whole.size() > pfx_limits::attribute_octets_max)
      return refuse(reason::too_much, "an attribute is longer than 1,024 octets");
    if (auto read = read_attribute(*attribute, out, named, marked); !read)
      return read;
  }
  return {};
}

pfx_result<void> add_key(tally& seen) {
  if (++seen.keys > pfx_limits::keys_max)
    return refuse(reason::too_much, "the file has more than 8 keys");
  return {};
}

/// EncryptedPrivateKeyInfo (RFC 5958 section 3).
pfx_result<void> read_shrouded_key(const der::element& value, tally& seen, bag& out) {
  der::reader walk(value.content);
  const auto how = read_algorithm(walk);
  const auto octets = walk.next(der::octet_string);
  if (value.tag != der::sequence || !how || !octets || !walk.at_end())
    return refuse(reason::malformed, "an encrypted key is malformed");
  auto lock = read_encryption(*how, octets->content);
  if (!lock)
    return tl::unexpected(std::move(lock).error());
  if (auto added = seen.add(lock->key.iterations); !added)
    return added;
  out.of = bag::kind::shrouded_key;
  out.lock = *lock;
  return add_key(seen);
}

/// CertBag (RFC 7292 4.2.3).
pfx_result<void> read_certificate(const der::element& value, bag& out) {
  der::reader walk(value.content);
  const auto oid = walk.next(der::object_identifier);
  const auto wrapped = walk.next(der::context_constructed(0));
  if (value.tag != der::sequence || !oid || !wrapped || !walk.at_end())
    return refuse(reason::malformed, "a certificate bag is malformed");
  if (!is(oid->content, x509_certificate))
    return refuse(reason::unsupported, "a certificate that is not X.509");
  const auto octets = der::only(wrapped->content, der::octet_string);
  if (!octets)
    return refuse(reason::malformed, "a certificate bag is malformed");
  out.of = bag::kind::certificate;
  out.value = octets->content;
  return {};
}

pfx_result<void> read_safe_contents(byte_view octets, std::size_t nesting, tally& seen,
                                    std::vector<bag>& out);

pfx_result<void> read_value(byte_view oid, const der::element& value, std::size_t nesting,
                            tally& seen, bag& into, std::vector<bag>& out) {
  if (is(oid, key_bag)) {
    if (value.tag != der::sequence)
      return refuse(reason::malformed, "a key bag is malformed");
    into.of = bag::kind::key;
    into.value = value.whole;
    return add_key(seen);
  }
  if (is(oid, shrouded_key_bag))
    return read_shrouded_key(value, seen, into);
  if (is(oid, certificate_bag))
    return read_certificate(value, into);
  if (is(oid, crl_bag) || is(oid, secret_bag))
    return {};
  if (!is(oid, safe_contents_bag))
    return refuse(reason::unsupported, "a kind of bag that is not read here");
  if (nesting == 0)
    return refuse(reason::too_much, "safes are nested more than 4 deep");
  return read_safe_contents(value.whole, nesting - 1, seen, out);
}

pfx_result<void> read_bag(const der::element& whole, std::size_t nesting, tally& seen,
                          std::vector<bag>& out) {
  der::reader walk(whole.content);
  const auto oid = walk.next(der::object_identifier);
  const auto wrapped = walk.next(der::context_constructed(0));
  if (!oid || !wrapped)
    return refuse(reason::malformed, "a bag without content");
  der::reader content(wrapped->content);
  const auto value = content.next();
  const bool has_attributes = walk.peek() == der::set;
  const auto attributes = has_attributes ? walk.next() : std::nullopt;
  if (!value || !content.at_end() || has_attributes != attributes.has_value() || !walk.at_end())
    return refuse(reason::malformed, "a bag is malformed");
  bag made;
  if (attributes) {
    if (auto read = read_attributes(attributes->content, made); !read)
      return read;
  }
  if (auto read = read_value(oid->content, *value, nesting, seen, made, out); !read)
    return read;
  if (made.of != bag::kind::other)
    out.push_back(std::move(made));
  return {};
}

pfx_result<void> read_safe_contents(byte_view octets, std::size_t nesting, tally& seen,
                                    std::vector<bag>& out) {
  const auto outer = der::only(octets, der::sequence);
  if (!outer)
    return refuse(reason::malformed, "a safe's contents are malformed");
  der::reader walk(outer->content);
  while (!walk.at_end()) {
    const auto whole = walk.next(der::sequence);
    if (!whole)
      return refuse(reason::malformed, "a bag is malformed");
    if (++seen.bags > pfx_limits::bags_max)
      return refuse(reason::too_much, "the file has more than 64 bags");
    if (auto read = read_bag(*whole, nesting, seen, out); !read)
      return read;
  }
  return {};
}

} // namespace

pfx_result<void> tally::add(std::int64_t more) {
  iterations += more; // each is at most iterations_max and their number is bounded
  if (iterations > pfx_limits::iterations_max)
    return refuse(reason::too_much, "the iteration counts are over 2,000,000 in sum");
  return {};
}

pfx_result<void> read_bags(byte_view safe_contents, tally& seen, std::vector<bag>& out) {
  return read_safe_contents(safe_contents, pfx_limits::nesting_max, seen, out);
}

} // namespace pfx::crypto::pfx_parts
