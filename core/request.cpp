// Words and octets of a request. Refuses to decode whatever an encoder of ours cannot have written:
// unknown versions and enumerators, counts and lengths over their limits, octets left over.
#include "core/request.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/codec.hpp"
#include "core/limits.hpp"

namespace pfx {

namespace {

/// First octet of the form. A change of the fields takes a new one and keeps reading the old.
constexpr std::uint8_t format_version = 1;
/// Length prefixes make the form a little longer than the text it came as.
constexpr std::size_t encoded_bytes_max = 2 * limits::request_bytes_max;
constexpr key_usages all_usages = (1 << 9) - 1;

template <class Value>
using word = std::pair<Value, std::string_view>;

// The order is that of the enumerators, from 1 without a gap: decoding checks by the table's size.
constexpr std::array<word<request_kind>, 2> kinds = {{
  {request_kind::pfx_create, "pfxCreate"},
  {request_kind::pfx_import, "pfxImport"},
}};
constexpr std::array<word<key_algorithm>, 6> keys = {{
  {key_algorithm::rsa2048, "rsa2048"},
  {key_algorithm::rsa3072, "rsa3072"},
  {key_algorithm::rsa4096, "rsa4096"},
  {key_algorithm::ec_p256, "ecP256"},
  {key_algorithm::ec_p384, "ecP384"},
  {key_algorithm::ec_p521, "ecP521"},
}};
constexpr std::array<word<hash_algorithm>, 3> hashes = {{
  {hash_algorithm::sha256, "sha256"},
  {hash_algorithm::sha384, "sha384"},
  {hash_algorithm::sha512, "sha512"},
}};
constexpr std::array<word<name_type>, 6> name_types = {{
  {name_type::rfc822, "rfc822"},
  {name_type::upn, "upn"},
  {name_type::dns, "dns"},
  {name_type::uri, "uri"},
  {name_type::ip, "ip"},
  {name_type::directory_name, "directoryName"},
}};
constexpr std::array<word<validity_unit>, 3> units = {{
  {validity_unit::days, "days"},
  {validity_unit::months, "months"},
  {validity_unit::years, "years"},
}};
constexpr std::array<word<key_transport>, 3> transports = {{
  {key_transport::rsa_pkcs1, "rsaPkcs1"},
  {key_transport::rsa_oaep_sha256, "rsaOaepSha256"},
  {key_transport::ecdh, "ecdh"},
}};
constexpr std::array<word<pfx_profile>, 4> profiles = {{
  {pfx_profile::modern, "modern"},
  {pfx_profile::compatible, "compatible"},
  {pfx_profile::legacy, "legacy"},
  {pfx_profile::unchanged, "unchanged"},
}};
constexpr std::array<word<key_usage>, 9> usages = {{
  {key_usage::digital_signature, "digitalSignature"},
  {key_usage::non_repudiation, "nonRepudiation"},
  {key_usage::key_encipherment, "keyEncipherment"},
  {key_usage::data_encipherment, "dataEncipherment"},
  {key_usage::key_agreement, "keyAgreement"},
  {key_usage::key_cert_sign, "keyCertSign"},
  {key_usage::crl_sign, "cRLSign"},
  {key_usage::encipher_only, "encipherOnly"},
  {key_usage::decipher_only, "decipherOnly"},
}};

template <class Value, std::size_t N>
std::string_view word_of(const std::array<word<Value>, N>& table, Value value) noexcept {
  const auto at = std::find_if(table.begin(), table.end(),
                               [value](const auto& one) { return one.first == value; });
  return at == table.end() ? std::string_view("unknown") : at->second;
}

template <class Value, std::size_t N>
std::optional<Value> value_of(const std::array<word<Value>, N>& table,
                              std::string_view text) noexcept {
  const auto at = std::find_if(table.begin(), table.end(),
                               [text](const auto& one) { return one.second == text; });
  return at == table.end() ? std::nullopt : std::optional<Value>(at->first);
}

template <class Value>
std::uint8_t octet_of(Value value) noexcept {
  return static_cast<std::uint8_t>(value);
}

template <class Sequence>
void put_count(writer& out, const Sequence& values) {
  out.u32(static_cast<std::uint32_t>(values.size()));
}

void put(writer& out, const create_order& order) {
  out.text(order.subject);
  put_count(out, order.alternative_names);
  for (const auto& name : order.alternative_names) {
    out.u8(octet_of(name.type)).text(name.value);
  }
  out.u8(octet_of(order.key)).u8(octet_of(order.hash)).u16(order.usages);
  put_count(out, order.extended_usages);
  for (const auto& usage : order.extended_usages) {
    out.text(usage);
  }
  out.u32(order.validity.value).u8(octet_of(order.validity.unit));
  out.text(order.security_identifier).text(order.authority).text(order.certificate_template);
}

void put(writer& out, const import_order& order) {
  out.text(order.thumbprint).text(order.intended_purpose).text(order.provider_name);
  out.text(order.key_name).text(order.padding_scheme);
  out.blob(order.encrypted_pfx).blob(order.encrypted_password);
}

/// A reader that also keeps the name of the first field that was wrong.
class checked_reader {
public:
  explicit checked_reader(byte_view octets) noexcept : in(octets) {}

  /// An enumerator of `table`, or of `none` where 0 is allowed too.
  template <class Value, std::size_t N>
  Value enumerator(const std::array<word<Value>, N>&, const char* field,
                   std::uint8_t lowest = 1) noexcept {
    const auto value = in.u8();
    check(value >= lowest && value <= N, field);
    return static_cast<Value>(value);
  }

  /// A number of elements; 0 after a fault, so that no loop runs on a wrong one.
  std::uint32_t count(std::size_t max, const char* field) noexcept {
    const auto value = in.u32();
    check(value <= max, field);
    return fault() == nullptr ? value : 0;
  }

  std::string text(std::size_t octets_max, const char* field) {
    auto value = in.text();
    check(value.size() <= octets_max, field);
    return value;
  }

  bytes blob(std::size_t octets_max, const char* field) {
    auto value = in.blob();
    check(value.size() <= octets_max, field);
    return value;
  }

  void check(bool good, const char* field) noexcept {
    if (fault_ == nullptr && !(good && in.ok())) {
      fault_ = field;
    }
  }

  [[nodiscard]] const char* fault() const noexcept { return fault_; }

  reader in;

private:
  const char* fault_ = nullptr;
};

/// Texts have no limit of their own: the form they lie in has one.
constexpr std::size_t text_bytes_max = limits::request_bytes_max;

create_order read_create(checked_reader& from) {
  create_order order;
  order.subject = from.text(text_bytes_max, "certificate.subject");
  const auto names = from.count(limits::alternative_names_max, "subjectAlternativeNames");
  for (std::uint32_t at = 0; at < names && from.fault() == nullptr; ++at) {
    auto& name = order.alternative_names.emplace_back();
    name.type = from.enumerator(name_types, "subjectAlternativeNames.type");
    name.value = from.text(text_bytes_max, "subjectAlternativeNames.value");
  }
  order.key = from.enumerator(keys, "keyAlgorithm");
  order.hash = from.enumerator(hashes, "hashAlgorithm");
  order.usages = from.in.u16();
  from.check(order.usages <= all_usages, "keyUsages");
  const auto extended = from.count(limits::extended_key_usages_max, "extendedKeyUsages");
  for (std::uint32_t at = 0; at < extended && from.fault() == nullptr; ++at) {
    order.extended_usages.push_back(from.text(text_bytes_max, "extendedKeyUsages"));
  }
  order.validity.value = from.in.u32();
  order.validity.unit = from.enumerator(units, "validity.unit");
  order.security_identifier = from.text(text_bytes_max, "securityIdentifier");
  order.authority = from.text(text_bytes_max, "certificateAuthority");
  order.certificate_template = from.text(text_bytes_max, "certificateTemplate");
  return order;
}

import_order read_import(checked_reader& from) {
  import_order order;
  order.thumbprint = from.text(text_bytes_max, "thumbprint");
  order.intended_purpose = from.text(text_bytes_max, "intendedPurpose");
  order.provider_name = from.text(text_bytes_max, "providerName");
  order.key_name = from.text(text_bytes_max, "keyName");
  order.padding_scheme = from.text(text_bytes_max, "paddingScheme");
  order.encrypted_pfx = from.blob(limits::pfx_bytes_max, "encryptedPfxBlob");
  order.encrypted_password = from.blob(text_bytes_max, "encryptedPfxPassword");
  return order;
}

std::vector<recipient> read_recipients(checked_reader& from) {
  std::vector<recipient> out;
  const auto count = from.count(limits::recipients_max, "recipients");
  for (std::uint32_t at = 0; at < count && from.fault() == nullptr; ++at) {
    auto& one = out.emplace_back();
    one.id = from.text(text_bytes_max, "recipientId");
    one.certificate = from.blob(limits::certificate_bytes_max, "recipients.certificate");
    one.transport = from.enumerator(transports, "keyTransport");
  }
  return out;
}

pfx_request read_request(checked_reader& from) {
  pfx_request request;
  request.context = from.text(limits::request_context_bytes_max, "requestContext");
  from.check(!request.context.empty(), "requestContext");
  request.kind = from.enumerator(kinds, "kind", 0);
  request.kind_word = from.text(text_bytes_max, "kind");
  request.created = from.in.i64();
  request.expires = from.in.i64();
  request.device_id = from.text(text_bytes_max, "deviceId");
  request.user_id = from.text(text_bytes_max, "userId");
  request.user_principal_name = from.text(text_bytes_max, "userPrincipalName");
  request.profile_id = from.text(text_bytes_max, "profileId");
  request.recipients = read_recipients(from);
  request.profile = from.enumerator(profiles, "pfxProfile");
  request.create = read_create(from);
  request.import = read_import(from);
  return request;
}

} // namespace

// -- words ------------------------------------------------------------------

std::string_view name_of(request_kind value) noexcept { return word_of(kinds, value); }
std::string_view name_of(key_algorithm value) noexcept { return word_of(keys, value); }
std::string_view name_of(hash_algorithm value) noexcept { return word_of(hashes, value); }
std::string_view name_of(name_type value) noexcept { return word_of(name_types, value); }
std::string_view name_of(validity_unit value) noexcept { return word_of(units, value); }
std::string_view name_of(key_transport value) noexcept { return word_of(transports, value); }
std::string_view name_of(pfx_profile value) noexcept { return word_of(profiles, value); }
std::string_view name_of(key_usage value) noexcept { return word_of(usages, value); }

std::optional<request_kind> request_kind_of(std::string_view text) noexcept {
  return value_of(kinds, text);
}

std::optional<key_algorithm> key_algorithm_of(std::string_view text) noexcept {
  return value_of(keys, text);
}

std::optional<hash_algorithm> hash_algorithm_of(std::string_view text) noexcept {
  return value_of(hashes, text);
}

std::optional<name_type> name_type_of(std::string_view text) noexcept {
  return value_of(name_types, text);
}

std::optional<validity_unit> validity_unit_of(std::string_view text) noexcept {
  return value_of(units, text);
}

std::optional<key_transport> key_transport_of(std::string_view text) noexcept {
  return value_of(transports, text);
}

std::optional<pfx_profile> pfx_profile_of(std::string_view text) noexcept {
  return value_of(profiles, text);
}

std::optional<key_usage> key_usage_of(std::string_view text) noexcept {
  return value_of(usages, text);
}

bool is_rsa(key_algorithm value) noexcept {
  return value == key_algorithm::rsa2048 || value == key_algorithm::rsa3072
    || value == key_algorithm::rsa4096;
}

// -- octets -----------------------------------------------------------------

bytes encode(const pfx_request& request) {
  writer out;
  out.u8(format_version).text(request.context);
  out.u8(octet_of(request.kind)).text(request.kind_word);
  out.i64(request.created).i64(request.expires);
  out.text(request.device_id).text(request.user_id);
  out.text(request.user_principal_name).text(request.profile_id);
  put_count(out, request.recipients);
  for (const auto& one : request.recipients) {
    out.text(one.id).blob(one.certificate).u8(octet_of(one.transport));
  }
  out.u8(octet_of(request.profile));
  put(out, request.create);
  put(out, request.import);
  return out.take();
}

result<pfx_request> decode_request(byte_view octets) {
  if (octets.size() > encoded_bytes_max) {
    return failure(errc::too_large, "request", "the stored request is longer than any request");
  }
  checked_reader from(octets);
  const auto version = from.in.u8();
  if (from.in.ok() && version > format_version) {
    return failure(errc::store_newer, "request", "was written by a newer program");
  }
  from.check(version == format_version, "request.version");
  auto request = from.fault() == nullptr ? read_request(from) : pfx_request{};
  from.check(from.in.finished(), "request.end");
  if (from.fault() != nullptr) {
    return failure(errc::corrupt, from.fault(), "the stored request is damaged at this field");
  }
  return request;
}

bytes transaction_id_preimage(std::string_view tenant, std::string_view context,
                              std::string_view authority, std::uint8_t generation) {
  constexpr std::string_view purpose = "pfxengine-txid-1"; // fixed length: needs no prefix
  writer rest;
  rest.text(tenant).text(context).text(authority).u32(1).u8(generation);
  auto out = to_bytes(purpose);
  out.insert(out.end(), rest.view().begin(), rest.view().end());
  return out;
}

} // namespace pfx
