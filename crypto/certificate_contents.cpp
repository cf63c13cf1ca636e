// What a certificate says in its subject and extensions. Malformed extensions read as absent
// rights: no usages, no names.
#include "crypto/certificate.hpp"

#include "crypto/der.hpp"
#include "crypto/name.hpp"
#include "crypto/oids.hpp"
#include "crypto/openssl.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

namespace pfx::crypto {

namespace {

using name_handle = handle<::X509_NAME, ::X509_NAME_free>;
using names_handle = handle<::GENERAL_NAMES, ::GENERAL_NAMES_free>;
using usages_handle = handle<::EXTENDED_KEY_USAGE, ::EXTENDED_KEY_USAGE_free>;

constexpr key_usages all_usages = (1U << 9) - 1;

std::string string_of(const ::ASN1_STRING* value) {
  return {reinterpret_cast<const char*>(::ASN1_STRING_get0_data(value)),
          static_cast<std::size_t>(::ASN1_STRING_length(value))};
}

std::string address_text(const ::ASN1_OCTET_STRING* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int size = ::ASN1_STRING_length(address);
  const int family = size == 4 ? AF_INET : size == 16 ? AF_INET6 : AF_UNSPEC;
  if (family == AF_UNSPEC)
    return {};
  const char* done
    = ::inet_ntop(family, ::ASN1_STRING_get0_data(address), text.data(), text.size());
  return done == nullptr ? std::string() : std::string(done);
}

/// One of the six types of ours, or an empty value for anything else.
alternative_name convert(const ::GENERAL_NAME* name) {
  switch (name->type) {
    case GEN_EMAIL:
      return {name_type::rfc822, string_of(name->d.rfc822Name)};
    case GEN_DNS:
      return {name_type::dns, string_of(name->d.dNSName)};
    case GEN_URI:
      return {name_type::uri, string_of(name->d.uniformResourceIdentifier)};
    case GEN_IPADD:
      return {name_type::ip, address_text(name->d.iPAddress)};
    case GEN_DIRNAME: {
      const bytes der = encode_der(&::i2d_X509_NAME, name->d.directoryName);
      auto text = name_to_text(der);
      return {name_type::directory_name, text ? std::move(*text) : std::string()};
    }
    case GEN_OTHERNAME: {
      const ::OTHERNAME* other = name->d.otherName;
      const byte_view type(::OBJ_get0_data(other->type_id), ::OBJ_length(other->type_id));
      if (std::ranges::equal(type, oids::user_principal_name)
          && ::ASN1_TYPE_get(other->value) == V_ASN1_UTF8STRING) {
        return {name_type::upn, string_of(other->value->value.utf8string)};
      }
      return {};
    }
    default:
      return {};
  }
}

} // namespace

std::string certificate::common_name() const {
  const queue_guard guard;
  const bytes& der = detail::access::subject_der(*this);
  const unsigned char* cursor = der.data();
  const name_handle subject(
    ::d2i_X509_NAME(nullptr, &cursor, static_cast<long>(der.size()))); // without the key's decoder
  const int at
    = subject == nullptr ? -1 : ::X509_NAME_get_index_by_NID(subject.get(), NID_commonName, -1);
  if (at < 0)
    return {};
  const ::ASN1_STRING* value
    = ::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(subject.get(), at)); // get0
  unsigned char* octets = nullptr;
  const int size = ::ASN1_STRING_to_UTF8(&octets, value);
  if (size < 0)
    return {};
  std::string out(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(size));
  OPENSSL_free(octets);
  return out;
}

bool certificate::is_ca() const noexcept {
  const queue_guard guard;
  ::X509* x = detail::access::x509(*this);
  return x != nullptr && (::X509_get_extension_flags(x) & EXFLAG_CA) != 0;
}

key_usages certificate::usages() const noexcept {
  const queue_guard guard;
  ::X509* x = detail::access::x509(*this);
  if (x == nullptr)
    return 0;
  const std::uint32_t bits = ::X509_get_key_usage(x);
  if (bits == UINT32_MAX)
    return all_usages;
  // OpenSSL's constants carry the bits as they lie in the octets of the BIT STRING.
  static constexpr std::array<std::pair<std::uint32_t, key_usage>, 9> pairs{{
    {KU_DIGITAL_SIGNATURE, key_usage::digital_signature},
    {KU_NON_REPUDIATION, key_usage::non_repudiation},
    {KU_KEY_ENCIPHERMENT, key_usage::key_encipherment},
    {KU_DATA_ENCIPHERMENT, key_usage::data_encipherment},
    {KU_KEY_AGREEMENT, key_usage::key_agreement},
    {KU_KEY_CERT_SIGN, key_usage::key_cert_sign},
    {KU_CRL_SIGN, key_usage::crl_sign},
    {KU_ENCIPHER_ONLY, key_usage::encipher_only},
    {KU_DECIPHER_ONLY, key_usage::decipher_only},
  }};
  key_usages out = 0;
  for (const auto& [theirs, ours] : pairs) {
    if ((bits & theirs) != 0)
      out = static_cast<key_usages>(out | static_cast<key_usages>(ours));
  }
  return out;
}

std::vector<std::string> certificate::extended_usages() const {
  const queue_guard guard;
  std::vector<std::string> out;
  ::X509* x = detail::access::x509(*this);
  if (x == nullptr)
    return out;
  const usages_handle found(
    static_cast<::EXTENDED_KEY_USAGE*>(::X509_get_ext_d2i(x, NID_ext_key_usage, nullptr, nullptr)));
  for (int i = 0; found != nullptr && i < sk_ASN1_OBJECT_num(found.get()); ++i) {
    const ::ASN1_OBJECT* object = sk_ASN1_OBJECT_value(found.get(), i);
    out.push_back(der::dotted({::OBJ_get0_data(object), ::OBJ_length(object)}));
  }
  return out;
}

std::vector<alternative_name> certificate::alternative_names() const {
  const queue_guard guard;
  std::vector<alternative_name> out;
  ::X509* x = detail::access::x509(*this);
  if (x == nullptr)
    return out;
  const names_handle found(
    static_cast<::GENERAL_NAMES*>(::X509_get_ext_d2i(x, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; found != nullptr && i < sk_GENERAL_NAME_num(found.get()); ++i) {
    alternative_name name = convert(sk_GENERAL_NAME_value(found.get(), i));
    if (!name.value.empty())
      out.push_back(std::move(name));
  }
  return out;
}

std::string certificate::security_identifier() const {
  const queue_guard guard;
  ::X509* x = detail::access::x509(*this);
  if (x == nullptr)
    return {};
  const bytes type = der::tlv(der::object_identifier, oids::security_identifier_extension);
  const unsigned char* cursor = type.data();
  const object_handle object(::d2i_ASN1_OBJECT(nullptr, &cursor, static_cast<long>(type.size())));
  const int at = object == nullptr ? -1 : ::X509_get_ext_by_OBJ(x, object.get(), -1);
  if (at < 0)
    return {};
  const ::ASN1_OCTET_STRING* value = ::X509_EXTENSION_get_data(::X509_get_ext(x, at)); // get0
  const auto names = der::only(
    {::ASN1_STRING_get0_data(value), static_cast<std::size_t>(::ASN1_STRING_length(value))},
    der::sequence);
  if (!names)
    return {};
  der::reader all(names->content);
  while (const auto name = all.next()) {
    if (name->tag != der::context_constructed(0))
      continue;
    der::reader parts(name->content);
    const auto kind = parts.next(der::object_identifier);
    const auto wrapped = parts.next(der::context_constructed(0));
    if (!kind || !wrapped || !std::ranges::equal(kind->content, oids::security_identifier))
      continue;
    if (const auto sid = der::only(wrapped->content, der::octet_string))
      return to_text(sid->content);
  }
  return {};
}

} // namespace pfx::crypto
