// The outer parts of a PKCS#12 file: PFX, AuthenticatedSafe and its safes (RFC 7292 section 4),
// before any password. Refuses what is signed or enveloped with public keys.
#include "crypto/pfx_ber.hpp"
#include "crypto/pfx_parts.hpp"

#include <algorithm>

namespace pfx::crypto::pfx_parts {

namespace {

using namespace std::string_view_literals;

constexpr auto data = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"sv;
constexpr auto encrypted_data = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06"sv;
constexpr std::uint8_t pfx_version[] = {3};

/// Views of the octets in a form that der.hpp reads; `keeper` owns a copy if one was needed.
pfx_result<byte_view> definite(byte_view octets, std::vector<bytes>& keeper) {
  if (ber::is_definite(octets))
    return octets;
  bytes out(octets.size() + ber::growth_octets_max);
  const auto size = ber::make_definite(octets, out);
  if (!size)
    return refuse(reason::malformed, "is not BER, or nested too deeply");
  out.resize(*size);
  keeper.push_back(std::move(out));
  return byte_view(keeper.back());
}

struct content_info {
  byte_view type;
  std::optional<der::element> content; ///< inside [0]
};

std::optional<content_info> read_content_info(const der::element& whole) {
  der::reader walk(whole.content);
  const auto type = walk.next(der::object_identifier);
  if (!type)
    return std::nullopt;
  content_info out{type->content, std::nullopt};
  if (walk.at_end())
    return out;
  const auto wrapped = walk.next(der::context_constructed(0));
  if (!wrapped || !walk.at_end())
    return std::nullopt;
  der::reader inside(wrapped->content);
  out.content = inside.next();
  if (!out.content || !inside.at_end())
    return std::nullopt;
  return out;
}

/// [0] IMPLICIT OCTET STRING, whole or in pieces.
std::optional<byte_view> encrypted_octets(der::reader& from, std::vector<bytes>& keeper) {
  if (const auto whole = from.next(der::context(0)))
    return whole->content;
  const auto pieces = from.next(der::context_constructed(0));
  if (!pieces)
    return std::nullopt;
  bytes joined;
  der::reader walk(pieces->content);
  while (!walk.at_end()) {
    const auto piece = walk.next(der::octet_string);
    if (!piece)
      return std::nullopt;
    der::append(joined, piece->content);
  }
  keeper.push_back(std::move(joined));
  return byte_view(keeper.back());
}

/// EncryptedData (RFC 2315 section 13).
pfx_result<encryption> read_encrypted_data(const der::element& whole, std::vector<bytes>& keeper) {
  der::reader walk(whole.content);
  const auto version = walk.next(der::integer);
  const auto info = walk.next(der::sequence);
  if (whole.tag != der::sequence || !version || !info)
    return refuse(reason::malformed, "an encrypted safe is malformed");
  // What may follow are unprotected attributes: of no meaning here, and under the MAC like the
  // rest.
  der::reader inside(info->content);
  const auto type = inside.next(der::object_identifier);
  const auto how = type ? read_algorithm(inside) : std::nullopt;
  const auto octets = how ? encrypted_octets(inside, keeper) : std::nullopt;
  if (!octets || !inside.at_end() || !is(type->content, data))
    return refuse(reason::malformed, "an encrypted safe is malformed, or has no content");
  return read_encryption(*how, *octets);
}

pfx_result<void> read_safe(const der::element& whole, frame& into) {
  const auto info = read_content_info(whole);
  if (!info)
    return refuse(reason::malformed, "a safe is malformed");
  if (!is(info->type, data) && !is(info->type, encrypted_data)) {
    return refuse(reason::unsupported,
                  "a safe that is neither plain nor encrypted with a password");
  }
  if (!info->content)
    return refuse(reason::malformed, "a safe has no content");
  safe made;
  if (is(info->type, encrypted_data)) {
    auto lock = read_encrypted_data(*info->content, into.octets);
    if (!lock)
      return tl::unexpected(std::move(lock).error());
    if (auto added = into.seen.add(lock->key.iterations); !added)
      return added;
    made.lock = *lock;
  } else {
    if (info->content->tag != der::octet_string)
      return refuse(reason::malformed, "a plain safe is no OCTET STRING");
    auto contents = definite(info->content->content, into.octets);
    if (!contents)
      return tl::unexpected(std::move(contents).error());
    if (auto read = read_bags(*contents, into.seen, made.bags); !read)
      return read;
  }
  into.safes.push_back(std::move(made));
  return {};
}

pfx_result<void> read_safes(byte_view octets, frame& into) {
  auto contents = definite(octets, into.octets);
  if (!contents)
    return tl::unexpected(std::move(contents).error());
  const auto outer = der::only(*contents, der::sequence);
  if (!outer)
    return refuse(reason::malformed, "the authenticated safe is malformed");
  der::reader walk(outer->content);
  while (!walk.at_end()) {
    if (into.safes.size() == pfx_limits::safes_max)
      return refuse(reason::too_much, "the file has more than 16 safes");
    const auto whole = walk.next(der::sequence);
    if (!whole)
      return refuse(reason::malformed, "a safe is malformed");
    if (auto read = read_safe(*whole, into); !read)
      return read;
  }
  return {};
}

} // namespace

frame::~frame() {
  for (bytes& one : octets)
    wipe(one);
}

pfx_result<frame> read_frame(byte_view file) {
  if (file.size() > pfx_limits::octets_max)
    return refuse(reason::too_much, "the file is larger than 128 KiB");
  frame out;
  out.octets.push_back(to_bytes(file));
  auto octets = definite(out.octets[0], out.octets);
  if (!octets)
    return tl::unexpected(std::move(octets).error());
  const auto outer = der::only(*octets, der::sequence);
  if (!outer)
    return refuse(reason::malformed, "is not one PKCS#12 file");
  der::reader walk(outer->content);
  const auto version = walk.next(der::integer);
  const auto content = walk.next(der::sequence);
  const bool has_mac = !walk.at_end();
  const auto mac = walk.next(der::sequence);
  if (!version || !std::ranges::equal(version->content, pfx_version) || !content
      || has_mac != mac.has_value() || !walk.at_end())
    return refuse(reason::malformed, "is not a PKCS#12 file of version 3");
  const auto info = read_content_info(*content);
  if (!info)
    return refuse(reason::malformed, "the content is malformed");
  if (!is(info->type, data))
    return refuse(reason::unsupported, "the file is not authenticated with a password");
  if (!info->content || info->content->tag != der::octet_string)
    return refuse(reason::malformed, "the file has no content"); // CVE-2024-0727
  out.authenticated = info->content->content;
  if (mac) {
    auto check = read_mac(*mac);
    if (!check)
      return tl::unexpected(std::move(check).error());
    if (auto added = out.seen.add(check->key.iterations); !added)
      return tl::unexpected(std::move(added).error());
    out.mac = *check;
  }
  if (auto read = read_safes(out.authenticated, out); !read)
    return tl::unexpected(std::move(read).error());
  return out;
}

} // namespace pfx::crypto::pfx_parts
