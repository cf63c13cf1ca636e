// OCSPRequest ::= SEQUENCE { tbsRequest, [0] signature OPTIONAL }, read octet by octet.
#include "crypto/ocsp.hpp"

#include "crypto/digest.hpp"
#include "crypto/key_der.hpp"
#include "crypto/oids.hpp"
#include "crypto/x509_values.hpp"

#include <algorithm>

namespace pfx::crypto {

namespace {

auto malformed(std::string_view what) {
  return failure(errc::bad_input, "request", "malformed " + std::string(what));
}

bool is(byte_view left, byte_view right) { return std::ranges::equal(left, right); }

/// AlgorithmIdentifier of a hash; parameters may be absent or NULL.
std::optional<ocsp_hash> hash_of(const der::element& algorithm) {
  der::reader walk(algorithm.content);
  const auto type = walk.next(der::object_identifier);
  const auto parameters = walk.at_end() ? std::nullopt : walk.next();
  if (!type || !walk.at_end())
    return std::nullopt;
  const auto hash = is(type->content, oids::sha1) ? ocsp_hash::sha1
    : is(type->content, oids::sha256)             ? ocsp_hash::sha256
                                                  : ocsp_hash::other;
  if (hash != ocsp_hash::other && parameters
      && (parameters->tag != der::null || !parameters->content.empty())) {
    return std::nullopt;
  }
  return hash;
}

bool has_size_of(ocsp_hash hash, std::size_t size) {
  switch (hash) {
    case ocsp_hash::sha1:
      return size == 20;
    case ocsp_hash::sha256:
      return size == 32;
    case ocsp_hash::other:
      break;
  }
  return size <= ocsp_hash_bytes_max;
}

result<ocsp_certificate_id> read_id(const der::element& id) {
  der::reader walk(id.content);
  const auto algorithm = walk.next(der::sequence);
  const auto name = walk.next(der::octet_string);
  const auto key = walk.next(der::octet_string);
  const auto serial = walk.next(der::integer);
  if (!algorithm || !name || !key || !serial || !walk.at_end())
    return malformed("certID");
  const auto hash = hash_of(*algorithm);
  if (!hash || !has_size_of(*hash, name->content.size())
      || !has_size_of(*hash, key->content.size())) {
    return malformed("hash of a certID");
  }
  if (serial->content.empty() || serial->content.size() > serial_octets_max + 1)
    return malformed("serial of a certID");
  return ocsp_certificate_id{to_bytes(id.whole), *hash, to_bytes(name->content),
                             to_bytes(key->content), serial_text(serial->content)};
}

/// RFC 6960 4.4: what is critical and not understood ends it, the rest is ignored.
result<void> read_request_extensions(byte_view content, bool may_have_nonce, bytes& nonce) {
  const auto list = der::only(content, der::sequence);
  const auto all = list ? read_extensions(list->content) : std::nullopt;
  if (!all)
    return malformed("extensions");
  for (const auto& one : *all) {
    if (may_have_nonce && is(one.oid, oids::ocsp_nonce)) {
      const auto value = der::only(one.value, der::octet_string);
      if (!value || value->content.empty() || value->content.size() > ocsp_nonce_bytes_max)
        return malformed("nonce");
      nonce = to_bytes(value->content);
    } else if (one.critical) {
      return malformed("extensions: one is critical and unknown");
    }
  }
  return {};
}

result<ocsp_certificate_id> read_one(const der::element& request) {
  der::reader walk(request.content);
  const auto id = walk.next(der::sequence);
  const auto extensions = walk.next(der::context_constructed(0));
  if (!id || !walk.at_end())
    return malformed("request of one certificate");
  bytes no_nonce;
  if (extensions) {
    if (auto read = read_request_extensions(extensions->content, false, no_nonce); !read)
      return failure(read.error());
  }
  return read_id(*id);
}

result<ocsp_request> read_list(byte_view content) {
  ocsp_request out;
  der::reader walk(content);
  while (!walk.at_end()) {
    const auto one = walk.next(der::sequence);
    if (!one)
      return malformed("list");
    if (out.asked.size() == ocsp_certificates_max)
      return failure(errc::too_large, "request", "asks for more than 32 certificates");
    auto id = read_one(*one);
    if (!id)
      return failure(id.error());
    out.asked.push_back(std::move(*id));
  }
  if (out.asked.empty())
    return malformed("list: it is empty");
  return out;
}

/// Version 1, written or left out (it is the default).
bool is_version_1(const der::element& version) {
  const auto number = der::only(version.content, der::integer);
  return number && number->content.size() == 1 && number->content[0] == 0;
}

} // namespace

result<ocsp_request> read_ocsp_request(byte_view der) {
  if (der.size() > ocsp_request_bytes_max)
    return failure(errc::too_large, "request", "is larger than 16 KiB");
  const auto outer = der::only(der, der::sequence);
  if (!outer)
    return malformed("frame");
  der::reader frame(outer->content);
  const auto tbs = frame.next(der::sequence);
  const auto signature = frame.next(der::context_constructed(0));
  if (!tbs || !frame.at_end() || (signature && !der::only(signature->content, der::sequence)))
    return malformed("frame");
  der::reader walk(tbs->content);
  const auto version = walk.next(der::context_constructed(0));
  const auto requestor = walk.next(der::context_constructed(1));
  const auto list = walk.next(der::sequence);
  const auto extensions = walk.next(der::context_constructed(2));
  if ((version && !is_version_1(*version)) || !list || !walk.at_end())
    return malformed("version, list or end");
  static_cast<void>(requestor); // who asks makes no difference
  auto out = read_list(list->content);
  if (out && extensions) {
    if (auto read = read_request_extensions(extensions->content, true, out->nonce); !read)
      return failure(read.error());
  }
  return out;
}

ocsp_issuer::ocsp_issuer(const certificate& ca)
    : name_sha1_(sha1(detail::access::subject_der(ca))),
      key_sha1_(sha1(public_key_bits(detail::access::public_key_der(ca)))),
      name_sha256_(sha256(detail::access::subject_der(ca))),
      key_sha256_(sha256(public_key_bits(detail::access::public_key_der(ca)))) {}

bool ocsp_issuer::is_named_by(const ocsp_certificate_id& id) const {
  switch (id.hash) {
    case ocsp_hash::sha1:
      return is(id.issuer_name_hash, name_sha1_) && is(id.issuer_key_hash, key_sha1_);
    case ocsp_hash::sha256:
      return is(id.issuer_name_hash, name_sha256_.octets)
        && is(id.issuer_key_hash, key_sha256_.octets);
    case ocsp_hash::other:
      break;
  }
  return false;
}

} // namespace pfx::crypto
