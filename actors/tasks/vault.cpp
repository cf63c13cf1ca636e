// Stored blobs of a request, opened and sealed; their binary forms. Refuses newer forms.
#include "actors/tasks/vault.hpp"

#include <cstring>

#include "core/codec.hpp"
#include "core/limits.hpp"

namespace pfx::actors::tasks {

namespace {

constexpr std::uint8_t intent_version = 1;
constexpr std::uint8_t issued_version = 1;

} // namespace

result<bytes> seal_blob(const plant& p, const request_key& key, blob_kind kind, byte_view plain) {
  const auto place_key = storage::store::blob_key(key, kind);
  return p.sealer->seal({static_cast<std::uint8_t>(kind), place_key}, plain);
}

result<secret_bytes> open_blob(const plant& p, const request_key& key, blob_kind kind) {
  auto sealed = p.store->find_blob(key, kind);
  if (!sealed) {
    return failure(sealed.error());
  }
  if (!*sealed) {
    return failure(errc::not_found, "", "the store has no such blob");
  }
  const auto place_key = storage::store::blob_key(key, kind);
  return p.sealer->open({static_cast<std::uint8_t>(kind), place_key}, **sealed);
}

result<pfx_request> load_request(const plant& p, const request_key& key) {
  auto plain = open_blob(p, key, blob_kind::request);
  if (!plain) {
    return failure(plain.error());
  }
  return decode_request(plain->view());
}

result<intent> load_intent(const plant& p, const request_key& key) {
  auto plain = open_blob(p, key, blob_kind::intent);
  if (!plain) {
    return failure(plain.error());
  }
  return decode_intent(plain->view());
}

result<issued_certificate> load_certificate(const plant& p, const request_key& key) {
  auto plain = open_blob(p, key, blob_kind::certificate);
  if (!plain) {
    return failure(plain.error());
  }
  return decode_issued(plain->view());
}

/// The public part, then the key at the end, so that no growing buffer leaves copies of it behind.
secret_bytes encode(const intent& value) {
  writer head;
  head.u8(intent_version).fixed(value.public_key_hash).blob(value.certificate_request);
  head.text(value.authority).text(value.certificate_template);
  head.u32(value.validity.value).u8(static_cast<std::uint8_t>(value.validity.unit));
  head.text(value.security_identifier).u8(static_cast<std::uint8_t>(value.profile));
  head.u32(static_cast<std::uint32_t>(value.key_pkcs8.size()));
  secret_bytes out(head.view().size() + value.key_pkcs8.size());
  std::memcpy(out.data(), head.view().data(), head.view().size());
  std::memcpy(out.data() + head.view().size(), value.key_pkcs8.data(), value.key_pkcs8.size());
  return out;
}

result<intent> decode_intent(byte_view octets) {
  reader in(octets);
  const auto version = in.u8();
  if (version != intent_version) {
    return failure(errc::store_newer, "intent", "was written by a newer program");
  }
  intent out;
  out.public_key_hash = in.fixed();
  out.certificate_request = in.blob();
  out.authority = in.text();
  out.certificate_template = in.text();
  out.validity.value = in.u32();
  out.validity.unit = static_cast<validity_unit>(in.u8());
  out.security_identifier = in.text();
  out.profile = static_cast<pfx_profile>(in.u8());
  const std::size_t key_size = in.u32();
  if (!in.ok() || key_size > octets.size()) {
    return failure(errc::corrupt, "intent", "is damaged");
  }
  out.key_pkcs8 = secret_bytes(octets.last(key_size));
  return out;
}

bytes encode(const issued_certificate& value) {
  writer out;
  out.u8(issued_version)
    .blob(value.certificate)
    .u32(static_cast<std::uint32_t>(value.chain.size()));
  for (const auto& link : value.chain) {
    out.blob(link);
  }
  return out.take();
}

result<issued_certificate> decode_issued(byte_view octets) {
  reader in(octets);
  if (in.u8() != issued_version) {
    return failure(errc::store_newer, "certificate", "was written by a newer program");
  }
  issued_certificate out;
  out.certificate = in.blob();
  const auto count = in.u32();
  for (std::uint32_t i = 0; in.ok() && i < count && i < limits::chain_certificates_max; ++i) {
    out.chain.push_back(in.blob());
  }
  if (!in.finished()) {
    return failure(errc::corrupt, "certificate", "is damaged");
  }
  return out;
}

} // namespace pfx::actors::tasks
