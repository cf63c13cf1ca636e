// Certification requests. What goes out is written as DER from checked parts; what comes in is
// parsed by OpenSSL, and its raw parts are handed on untouched.
#include "crypto/request.hpp"

#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/extensions.hpp"
#include "crypto/key_der.hpp"
#include "crypto/name.hpp"
#include "crypto/oids.hpp"
#include "crypto/sign.hpp"

#include <algorithm>
#include <ranges>

namespace pfx::crypto {

namespace {

constexpr std::size_t request_octets_max = 64u << 10;
constexpr int rsa_bits_min = 2048;

using request_handle = handle<::X509_REQ, ::X509_REQ_free>;

auto malformed(std::string_view why) {
  return failure(errc::bad_input, "certificateRequest", std::string(why));
}

/// The Extensions inside the attributes of a request: at most one extensionRequest with one value.
result<bytes> requested_extensions(byte_view attributes) {
  bytes found;
  der::reader walk(attributes);
  while (!walk.at_end()) {
    const auto attribute = walk.next(der::sequence);
    if (!attribute)
      return malformed("a malformed attribute");
    der::reader parts(attribute->content);
    const auto type = parts.next(der::object_identifier);
    const auto values = parts.next(der::set);
    if (!type || !values || !parts.at_end())
      return malformed("a malformed attribute");
    if (!std::ranges::equal(type->content, oids::extension_request))
      continue;
    const auto extensions = der::only(values->content, der::sequence);
    if (!extensions || !found.empty())
      return malformed("more than one set of extensions");
    found = to_bytes(extensions->whole);
  }
  if (found.empty())
    return found;
  auto types = extension_types(found);
  if (!types)
    return failure(std::move(types).error());
  // RFC 5280 4.1.2.9 wants at least one; none asked for is none.
  if (types->empty())
    found.clear();
  return found;
}

/// OpenSSL's opinion: well-formed, a key that we take, and its signature.
result<void> verify_request(byte_view der) {
  const unsigned char* cursor = der.data();
  const request_handle parsed(::d2i_X509_REQ(nullptr, &cursor, static_cast<long>(der.size())));
  if (parsed == nullptr || cursor != der.data() + der.size()) {
    return failure(drain_errors(errc::bad_input, "certificateRequest", "is not one DER request"));
  }
  ::EVP_PKEY* key = ::X509_REQ_get0_pubkey(parsed.get()); // get0: owned by the request
  const key_kind kind = kind_of(key);
  if (kind == key_kind::rsa) {
    const int bits = ::EVP_PKEY_get_bits(key);
    if (bits < rsa_bits_min)
      return failure(errc::policy, "publicKey", "RSA below 2048 bits");
    if (bits > rsa_bits_max)
      return failure(errc::policy, "publicKey", "RSA above 16384 bits");
  } else if (kind != key_kind::ec || !on_known_curve(key)) {
    return failure(errc::not_supported, "publicKey", "neither RSA nor EC on P-256, -384 or -521");
  }
  if (::X509_REQ_verify(parsed.get(), key) != 1) {
    return failure(
      drain_errors(errc::crypto, "certificateRequest", "the signature does not verify"));
  }
  return {};
}

} // namespace

result<bytes> build_csr(const private_key& key, const csr_options& options) {
  ::EVP_PKEY* pair = detail::access::pkey(key);
  auto encoded = encode_options(options, kind_of(pair) == key_kind::ec);
  if (!encoded)
    return failure(std::move(encoded).error());
  auto public_info = key.public_key();
  if (!public_info)
    return public_info;
  bytes attribute;
  if (!encoded->extensions.empty()) {
    attribute = der::tlv(der::sequence,
                         {der::tlv(der::object_identifier, oids::extension_request),
                          der::tlv(der::set, encoded->extensions)});
  }
  // CertificationRequestInfo (RFC 2986 4.1): version 0, subject, key, [0] attributes.
  static constexpr std::uint8_t version[] = {der::integer, 0x01, 0x00};
  const bytes info = der::tlv(
    der::sequence,
    {version, encoded->subject, *public_info, der::tlv(der::context_constructed(0), attribute)});
  return sign_structure(info, pair, options.hash);
}

result<void> check_csr_options(const csr_options& options) {
  auto encoded = encode_options(options, std::nullopt);
  if (!encoded)
    return failure(std::move(encoded).error());
  return {};
}

result<void> check_csr_options(const csr_options& options, key_algorithm key) {
  auto encoded = encode_options(options, !is_rsa(key));
  if (!encoded)
    return failure(std::move(encoded).error());
  return {};
}

result<csr> parse_csr(byte_view der) {
  const queue_guard guard;
  if (der.size() > request_octets_max) {
    return failure(errc::too_large, "certificateRequest", "is larger than 64 KiB");
  }
  if (auto verified = verify_request(der); !verified)
    return failure(std::move(verified).error());
  const auto outer = der::only(der, der::sequence);
  const auto info = outer ? der::reader(outer->content).next(der::sequence) : std::nullopt;
  if (!info)
    return malformed("is not DER");
  der::reader walk(info->content);
  const auto version = walk.next(der::integer);
  const auto subject = walk.next(der::sequence);
  const auto public_key = walk.next(der::sequence);
  const auto attributes = walk.next(der::context_constructed(0));
  if (!version || version->content.size() != 1 || version->content[0] != 0) {
    return malformed("is not of version 1");
  }
  if (!subject || !public_key || !walk.at_end())
    return malformed("is not DER");
  auto extensions = requested_extensions(attributes ? attributes->content : byte_view());
  if (!extensions)
    return failure(std::move(extensions).error());
  csr out;
  out.der = to_bytes(der);
  out.subject = to_bytes(subject->whole);
  out.public_key = to_bytes(public_key->whole);
  out.public_key_hash = sha256(out.public_key);
  out.extensions = std::move(*extensions);
  return out;
}

} // namespace pfx::crypto
