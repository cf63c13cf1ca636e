// DER Names as RFC 4514 strings. Unknown types and values that are no text come out as `oid=#hex`.
#include "crypto/name.hpp"

#include "crypto/attributes.hpp"
#include "crypto/der.hpp"
#include "crypto/openssl.hpp"
#include "crypto/text.hpp"

#include <algorithm>

namespace pfx::crypto {

namespace {

using name_handle = handle<::X509_NAME, ::X509_NAME_free>;

/// RFC 4514 2.4: what must be escaped is, control characters too; other UTF-8 stays as it is.
std::string escape(std::string_view value) {
  constexpr std::string_view specials = "\"+,;<>\\";
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const bool edge_space = c == ' ' && (i == 0 || i + 1 == value.size());
    const auto octet = static_cast<std::uint8_t>(c);
    if (octet < 0x20 || octet == 0x7f) {
      constexpr std::string_view digits = "0123456789ABCDEF";
      out += {'\\', digits[octet >> 4], digits[octet & 15]};
      continue;
    }
    if (edge_space || (i == 0 && c == '#') || specials.find(c) != std::string_view::npos)
      out += '\\';
    out += c;
  }
  return out;
}

/// The value as UTF-8; nothing for types that are no text or not what they say.
std::optional<std::string> text_of(const ::ASN1_STRING* value) {
  switch (::ASN1_STRING_type(value)) {
    case V_ASN1_UTF8STRING:
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_IA5STRING:
    case V_ASN1_T61STRING:
    case V_ASN1_NUMERICSTRING:
    case V_ASN1_VISIBLESTRING:
    case V_ASN1_BMPSTRING:
    case V_ASN1_UNIVERSALSTRING:
      break;
    default:
      return std::nullopt;
  }
  unsigned char* octets = nullptr;
  const int size = ::ASN1_STRING_to_UTF8(&octets, value);
  if (size < 0)
    return std::nullopt;
  std::string out(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(size));
  OPENSSL_free(octets);
  if (!utf8_characters(out))
    return std::nullopt;
  return out;
}

/// `#` and the DER of the value in hexadecimal.
std::string hex_of(const ::ASN1_STRING* value) {
  ::ASN1_TYPE any{};
  any.type = ::ASN1_STRING_type(value);
  any.value.asn1_string = const_cast<::ASN1_STRING*>(value); // i2d only reads
  std::string out = "#" + to_hex(encode_der(&::i2d_ASN1_TYPE, &any));
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  return out;
}

std::string assertion_text(const ::X509_NAME_ENTRY* entry) {
  const ::ASN1_OBJECT* type = ::X509_NAME_ENTRY_get_object(entry); // get0
  const ::ASN1_STRING* value = ::X509_NAME_ENTRY_get_data(entry);  // get0
  const byte_view oid(::OBJ_get0_data(type), ::OBJ_length(type));
  const attribute_type* known = attribute_with_oid(oid);
  if (known == nullptr)
    return der::dotted(oid) + "=" + hex_of(value);
  const auto text = text_of(value);
  return std::string(known->name) + "=" + (text ? escape(*text) : hex_of(value));
}

} // namespace

result<std::string> name_to_text(byte_view der) {
  const queue_guard guard;
  const unsigned char* cursor = der.data();
  const name_handle name(::d2i_X509_NAME(nullptr, &cursor, static_cast<long>(der.size())));
  if (name == nullptr || cursor != der.data() + der.size()) {
    return failure(drain_errors(errc::bad_input, "", "reading a distinguished name"));
  }
  std::string out;
  int previous_set = -1;
  for (int i = ::X509_NAME_entry_count(name.get()); i-- > 0;) {
    const ::X509_NAME_ENTRY* entry = ::X509_NAME_get_entry(name.get(), i); // get0
    const int set = ::X509_NAME_ENTRY_set(entry);
    if (previous_set >= 0)
      out += set == previous_set ? '+' : ',';
    out += assertion_text(entry);
    previous_set = set;
  }
  return out;
}

} // namespace pfx::crypto
