// Certificates of our own signing: written as DER from raw parts (the key and the extensions are
// copied octet for octet, never decoded), because OpenSSL 3.0's key coders cost more than the
// signature.
#include "crypto/issue.hpp"

#include "crypto/der.hpp"
#include "crypto/extensions.hpp"
#include "crypto/key_der.hpp"
#include "crypto/name.hpp"
#include "crypto/oids.hpp"
#include "crypto/random.hpp"
#include "crypto/sign.hpp"
#include "crypto/x509_values.hpp"

#include <algorithm>
#include <array>

namespace pfx::crypto {

namespace {

auto refuse(std::string field, std::string why) {
  return failure(errc::bad_input, std::move(field), std::move(why));
}

struct to_be_signed {
  byte_view serial;
  byte_view issuer;
  byte_view subject;
  byte_view public_key;
  byte_view extensions; ///< Extensions, DER, or empty
  unix_ms not_before;
  unix_ms not_after;
};

result<certificate> sign(const to_be_signed& parts, ::EVP_PKEY* key, hash_algorithm hash) {
  if (parts.not_after <= parts.not_before)
    return refuse("notAfter", "is not after notBefore");
  auto from = encode_time(parts.not_before, "notBefore");
  auto until = encode_time(parts.not_after, "notAfter");
  auto algorithm = signature_algorithm(key, hash);
  if (!from)
    return failure(std::move(from).error());
  if (!until)
    return failure(std::move(until).error());
  if (!algorithm)
    return failure(std::move(algorithm).error());
  static constexpr std::uint8_t version_3[] = {0xa0, 0x03, der::integer, 0x01, 0x02};
  bytes extensions;
  if (!parts.extensions.empty()) {
    extensions = der::tlv(der::context_constructed(3), parts.extensions);
  }
  const bytes info = der::tlv(der::sequence,
                              {version_3, der::unsigned_integer(parts.serial), *algorithm,
                               parts.issuer, der::tlv(der::sequence, {*from, *until}),
                               parts.subject, parts.public_key, extensions});
  auto whole = sign_structure(info, key, hash);
  if (!whole)
    return failure(std::move(whole).error());
  return detail::access::own(std::move(*whole));
}

result<void> check(const sign_options& options) {
  const bool zero = std::all_of(options.serial.begin(), options.serial.end(),
                                [](std::uint8_t octet) { return octet == 0; });
  if (zero || options.serial.size() > serial_octets_max
      || (options.serial.size() == serial_octets_max && (options.serial[0] & 0x80) != 0)) {
    return refuse("serial", "must be 1 to 20 octets, positive and not zero");
  }
  if (!name_to_text(options.subject))
    return refuse("subject", "is no DER Name");
  if (public_key_bits(options.public_key).empty()) {
    return refuse("publicKey", "is no SubjectPublicKeyInfo");
  }
  return {};
}

/// The caller's extensions and behind them ours. One type twice is refused.
result<bytes> complete_extensions(const ca_identity& issuer, const sign_options& options) {
  std::vector<bytes> types;
  bytes content;
  if (!options.extensions.empty()) {
    auto found = extension_types(options.extensions);
    if (!found)
      return failure(std::move(found).error());
    types = std::move(*found);
    content = to_bytes(der::only(options.extensions, der::sequence)->content);
  }
  if (options.add_standard_extensions) {
    const std::array<byte_view, 3> ours{oids::basic_constraints, oids::subject_key_identifier,
                                        oids::authority_key_identifier};
    for (const byte_view type : ours) {
      if (std::find(types.begin(), types.end(), to_bytes(type)) != types.end()) {
        return refuse("extensions", "already hold " + der::dotted(type));
      }
    }
    // An empty SEQUENCE is CA:FALSE, the default written as DER wants it: not at all.
    der::append(
      content,
      encode_extension(oids::basic_constraints, true, der::tlv(der::sequence, byte_view())));
    der::append(content, subject_key_extension(key_identifier(options.public_key)));
    der::append(content, authority_key_extension(identifier_of(issuer.cert)));
  }
  if (content.empty())
    return content;
  return der::tlv(der::sequence, content);
}

hash_algorithm fitting_hash(key_algorithm key) {
  switch (key) {
    case key_algorithm::ec_p384:
      return hash_algorithm::sha384;
    case key_algorithm::ec_p521:
      return hash_algorithm::sha512;
    default:
      return hash_algorithm::sha256;
  }
}

} // namespace

result<certificate> sign_certificate(const ca_identity& issuer, const sign_options& options) {
  if (auto checked = check(options); !checked)
    return failure(std::move(checked).error());
  if (!issuer.cert.matches(issuer.key)) {
    return refuse("issuer", "the key is not that of the CA certificate");
  }
  auto extensions = complete_extensions(issuer, options);
  if (!extensions)
    return failure(std::move(extensions).error());
  return sign({options.serial, detail::access::subject_der(issuer.cert), options.subject,
               options.public_key, *extensions, options.not_before, options.not_after},
              detail::access::pkey(issuer.key), options.hash);
}

result<ca_identity> make_root(const root_options& options) {
  auto subject = name_from_text(options.subject);
  if (!subject)
    return failure(std::move(subject).error());
  if (options.subject.empty())
    return refuse("subject", "is empty"); // RFC 5280 4.1.2.6 for CAs
  if (options.not_after <= options.not_before)
    return refuse("notAfter", "is not after notBefore");
  auto key = private_key::generate(options.key);
  if (!key)
    return failure(std::move(key).error());
  auto public_info = key->public_key();
  if (!public_info)
    return failure(std::move(public_info).error());
  const bytes identifier = key_identifier(*public_info);
  static constexpr std::uint8_t is_ca[] = {der::sequence, 0x03, der::boolean, 0x01, 0xff};
  const auto usages = static_cast<key_usages>(static_cast<key_usages>(key_usage::key_cert_sign)
                                              | static_cast<key_usages>(key_usage::crl_sign));
  const bytes extensions
    = der::tlv(der::sequence,
               {encode_extension(oids::basic_constraints, true, is_ca),
                encode_extension(oids::key_usage, true, encode_key_usage(usages)),
                subject_key_extension(identifier), authority_key_extension(identifier)});
  const bytes serial = random_serial();
  auto cert = sign(
    {serial, *subject, *subject, *public_info, extensions, options.not_before, options.not_after},
    detail::access::pkey(*key), fitting_hash(options.key));
  if (!cert)
    return failure(std::move(cert).error());
  return ca_identity{std::move(*cert), std::move(*key)};
}

result<certificate> issue_leaf(const ca_identity& issuer, const private_key& key,
                               const leaf_options& options) {
  const bool ec_key = kind_of(detail::access::pkey(key)) == key_kind::ec;
  auto encoded = encode_options(options.names, ec_key);
  if (!encoded)
    return failure(std::move(encoded).error());
  auto public_info = key.public_key();
  if (!public_info)
    return failure(std::move(public_info).error());
  sign_options sign_with;
  sign_with.subject = std::move(encoded->subject);
  sign_with.public_key = std::move(*public_info);
  sign_with.extensions = std::move(encoded->extensions);
  sign_with.serial = random_serial();
  sign_with.not_before = options.not_before;
  sign_with.not_after = options.not_after;
  sign_with.hash = options.names.hash;
  return sign_certificate(issuer, sign_with);
}

bytes random_serial() {
  bytes out = random_bytes(serial_octets_max);
  out[0] = static_cast<std::uint8_t>((out[0] & 0x7f) | 0x01); // positive, 20 octets, not zero
  return out;
}

} // namespace pfx::crypto
