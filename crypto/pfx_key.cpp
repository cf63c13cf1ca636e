// Private keys out of PKCS#12 files. Refuses kinds of keys that this room does not work with.
#include "crypto/pfx_parts.hpp"

#include <algorithm>

namespace pfx::crypto::pfx_parts {

namespace {

struct key_info {
  der::element version;
  der::element algorithm;
  der::element inner; ///< the OCTET STRING around RSAPrivateKey or ECPrivateKey
};

/// PrivateKeyInfo (RFC 5208 5) without the attributes that may follow.
std::optional<key_info> read_key_info(byte_view octets) {
  const auto outer = der::only(octets, der::sequence);
  if (!outer)
    return std::nullopt;
  der::reader walk(outer->content);
  const auto version = walk.next(der::integer);
  const auto algorithm = walk.next(der::sequence);
  const auto inner = walk.next(der::octet_string);
  if (!version || !algorithm || !inner)
    return std::nullopt;
  return key_info{*version, *algorithm, *inner};
}

/// ECPrivateKey (RFC 5915) whose parameters say once more what the algorithm says already.
struct ec_key {
  der::element version;
  der::element scalar;
  der::element point;
};

std::optional<ec_key> read_ec_key(const key_info& info) {
  der::reader names(info.algorithm.content);
  const auto type = names.next(der::object_identifier);
  const auto curve = names.next(der::object_identifier);
  const auto outer = der::only(info.inner.content, der::sequence);
  if (!type || !curve || !outer)
    return std::nullopt;
  der::reader walk(outer->content);
  const auto version = walk.next(der::integer);
  const auto scalar = walk.next(der::octet_string);
  const auto parameters = walk.next(der::context_constructed(0));
  const auto point = walk.next(der::context_constructed(1));
  if (!version || !scalar || !parameters || !point || !walk.at_end()
      || !std::ranges::equal(parameters->content, curve->whole))
    return std::nullopt;
  return ec_key{*version, *scalar, *point};
}

/// The same key in the form that private_key reads without leaving copies behind: no attributes
/// (Windows has some), no second name of the curve (BouncyCastle, GnuTLS). Empty if it is not one.
secret_bytes bare_form(byte_view octets) {
  const auto info = read_key_info(octets);
  if (!info)
    return {};
  secret_bytes room(octets.size());
  der::back_writer out(std::span(room.data(), room.size()));
  const std::size_t mark = out.mark();
  if (const auto ec = read_ec_key(*info)) {
    out.raw(ec->point.whole).raw(ec->scalar.whole).raw(ec->version.whole);
    out.wrap(der::sequence, mark).wrap(der::octet_string, mark);
  } else {
    out.raw(info->inner.whole);
  }
  out.raw(info->algorithm.whole).raw(info->version.whole).wrap(der::sequence, mark);
  return out.ok() ? secret_bytes(out.written()) : secret_bytes();
}

} // namespace

pfx_result<private_key> adopt_key(byte_view private_key_info) {
  const secret_bytes bare = bare_form(private_key_info);
  auto key = private_key::from_pkcs8(bare.empty() ? private_key_info : bare.view());
  if (key)
    return std::move(*key);
  switch (key.error().code) {
    case errc::not_supported:
      return refuse(reason::unsupported, "a key that is neither RSA nor EC on a NIST curve");
    case errc::too_large:
      return refuse(reason::too_much, "a key that is too large");
    default:
      return refuse(reason::malformed, "a private key is malformed");
  }
}

} // namespace pfx::crypto::pfx_parts
