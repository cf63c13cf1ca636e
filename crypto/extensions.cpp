// The extensions of requests and certificates; see RFC 5280 4.2.1 for each.
#include "crypto/extensions.hpp"

#include "core/limits.hpp"
#include "crypto/der.hpp"
#include "crypto/name.hpp"
#include "crypto/oids.hpp"

#include <algorithm>
#include <array>

namespace pfx::crypto {

namespace {

constexpr key_usages known_usages = (1U << 9) - 1;
/// What may be asked for must still fit a certificate of limits::certificate_bytes_max together
/// with the largest key, its signature and what a CA adds: better refused before a key is made.
constexpr std::size_t encoded_octets_max = limits::certificate_bytes_max - (8u << 10);

constexpr bool has(key_usages usages, key_usage wanted) {
  return (usages & static_cast<key_usages>(wanted)) != 0;
}

result<void> check_usages(key_usages usages, std::optional<bool> ec_key) {
  const auto refuse
    = [](std::string why) { return failure(errc::bad_input, "keyUsages", std::move(why)); };
  if ((usages & ~known_usages) != 0)
    return refuse("holds an unknown bit");
  // RFC 8813 section 3: neither may stand in a certificate for an EC key.
  if (ec_key.value_or(false)
      && (has(usages, key_usage::key_encipherment) || has(usages, key_usage::data_encipherment))) {
    return refuse("keyEncipherment and dataEncipherment do not fit an EC key (RFC 8813)");
  }
  // RFC 5280 4.2.1.3: their meaning is undefined in the absence of keyAgreement.
  if ((has(usages, key_usage::encipher_only) || has(usages, key_usage::decipher_only))
      && !has(usages, key_usage::key_agreement)) {
    return refuse("encipherOnly and decipherOnly need keyAgreement");
  }
  return {};
}

result<bytes> encode_names(const std::vector<alternative_name>& names) {
  if (names.size() > limits::alternative_names_max) {
    return failure(errc::too_large, "subjectAlternativeNames", "more than 500 names");
  }
  bytes content;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string field = "subjectAlternativeNames[" + std::to_string(i) + "].value";
    auto one = encode_alternative_name(names[i], field);
    if (!one)
      return one;
    der::append(content, *one);
  }
  return der::tlv(der::sequence, content);
}

result<bytes> encode_extended_usages(const std::vector<std::string>& usages) {
  if (usages.size() > limits::extended_key_usages_max) {
    return failure(errc::too_large, "extendedKeyUsages", "more than 500 usages");
  }
  bytes content;
  for (std::size_t i = 0; i < usages.size(); ++i) {
    const auto one = der::oid(usages[i]);
    if (!one) {
      return failure(errc::bad_input, "extendedKeyUsages[" + std::to_string(i) + "]",
                     "is no dotted object identifier");
    }
    der::append(content, *one);
  }
  return der::tlv(der::sequence, content);
}

/// All extensions, one after the other, without the SEQUENCE around them.
result<bytes> encode_all(const csr_options& options) {
  bytes all;
  if (options.usages != 0) {
    der::append(all, encode_extension(oids::key_usage, true, encode_key_usage(options.usages)));
  }
  if (!options.extended_usages.empty()) {
    auto value = encode_extended_usages(options.extended_usages);
    if (!value)
      return value;
    der::append(all, encode_extension(oids::extended_key_usage, false, *value));
  }
  if (!options.alternative_names.empty()) {
    auto value = encode_names(options.alternative_names);
    if (!value)
      return value;
    // RFC 5280 4.2.1.6: critical if the subject is empty.
    der::append(all,
                encode_extension(oids::subject_alternative_name, options.subject.empty(), *value));
  }
  if (!options.security_identifier.empty()) {
    auto value = encode_security_identifier(options.security_identifier);
    if (!value)
      return value;
    der::append(all, encode_extension(oids::security_identifier_extension, false, *value));
  }
  return all;
}

} // namespace

bytes encode_extension(byte_view oid, bool critical, byte_view value) {
  static constexpr std::uint8_t true_octets[] = {der::boolean, 0x01, 0xff};
  const byte_view flag(true_octets, critical ? 3U : 0U); // DEFAULT FALSE is left out in DER
  return der::tlv(
    der::sequence,
    {der::tlv(der::object_identifier, oid), flag, der::tlv(der::octet_string, value)});
}

bytes encode_key_usage(key_usages usages) {
  // Bit 0 of the ASN.1 type is the most significant bit of the first octet.
  std::array<std::uint8_t, 3> content{};
  std::uint8_t last = 0;
  for (std::uint8_t bit = 0; bit < 9; ++bit) {
    if ((usages >> bit & 1) == 0)
      continue;
    content[1U + bit / 8U] = static_cast<std::uint8_t>(content[1U + bit / 8U] | 0x80U >> bit % 8U);
    last = bit;
  }
  content[0] = static_cast<std::uint8_t>(7 - last % 8);
  return der::tlv(der::bit_string, byte_view(content).first(last < 8 ? 2 : 3));
}

result<std::vector<bytes>> extension_types(byte_view extensions) {
  const auto malformed
    = [](std::string why) { return failure(errc::bad_input, "extensions", std::move(why)); };
  const auto outer = der::only(extensions, der::sequence);
  if (!outer)
    return malformed("are no SEQUENCE");
  std::vector<bytes> found;
  der::reader walk(outer->content);
  while (!walk.at_end()) {
    const auto one = walk.next(der::sequence);
    if (!one)
      return malformed("hold a malformed extension");
    der::reader parts(one->content);
    const auto type = parts.next(der::object_identifier);
    const auto critical = parts.peek() == der::boolean ? parts.next() : std::nullopt;
    const auto value = parts.next(der::octet_string);
    if (!type || !value || !parts.at_end() || (critical && critical->content.size() != 1)) {
      return malformed("hold a malformed extension");
    }
    bytes oid = to_bytes(type->content);
    // RFC 5280 4.2: not more than one instance of a particular extension.
    if (std::find(found.begin(), found.end(), oid) != found.end()) {
      return malformed("hold " + der::dotted(oid) + " twice");
    }
    found.push_back(std::move(oid));
  }
  return found;
}

result<encoded_options> encode_options(const csr_options& options, std::optional<bool> ec_key) {
  encoded_options out;
  auto subject = name_from_text(options.subject);
  if (!subject)
    return failure(std::move(subject).error());
  if (options.subject.empty() && options.alternative_names.empty()) {
    return failure(errc::bad_input, "subject", "is empty, and there are no alternative names");
  }
  if (auto checked = check_usages(options.usages, ec_key); !checked) {
    return failure(std::move(checked).error());
  }
  if (options.hash < hash_algorithm::sha256 || options.hash > hash_algorithm::sha512) {
    return failure(errc::bad_input, "hashAlgorithm", "is unknown");
  }
  auto all = encode_all(options);
  if (!all)
    return failure(std::move(all).error());
  if (subject->size() + all->size() > encoded_octets_max) {
    return failure(errc::too_large, "subjectAlternativeNames",
                   "names and usages are larger than 24 KiB");
  }
  out.subject = std::move(*subject);
  if (!all->empty())
    out.extensions = der::tlv(der::sequence, *all);
  return out;
}

} // namespace pfx::crypto
