// OCSPResponse (RFC 6960 4.2.1), written as DER from raw parts. The ASN.1 module has explicit tags;
// where it says IMPLICIT, so do the comments.
#include "crypto/ocsp.hpp"

#include "crypto/extensions.hpp"
#include "crypto/oids.hpp"
#include "crypto/sign.hpp"
#include "crypto/x509_values.hpp"

#include <array>

namespace pfx::crypto {

namespace {

constexpr std::string_view responder_name = "OCSP Responder";

bytes enumerated(std::uint8_t value) {
  const std::array<std::uint8_t, 3> octets{der::enumerated, 0x01, value};
  return to_bytes(byte_view(octets));
}

/// CertStatus: good [0] IMPLICIT NULL, revoked [1] IMPLICIT RevokedInfo, unknown [2] IMPLICIT NULL.
result<bytes> encode_status(const ocsp_answer& answer) {
  if (answer.status != certificate_status::revoked) {
    const bool good = answer.status == certificate_status::good;
    return der::tlv(der::context(good ? 0 : 2), byte_view());
  }
  const auto moment = encode_generalized_time(answer.revoked_at, "revokedAt");
  if (!moment)
    return failure(moment.error());
  bytes reason;
  if (answer.reason != 0)
    reason = der::tlv(der::context_constructed(0), enumerated(answer.reason));
  return der::tlv(der::context_constructed(1), {*moment, reason});
}

result<bytes> encode_answers(const ocsp_response_options& options) {
  const auto from = encode_generalized_time(options.this_update, "thisUpdate");
  const auto until = encode_generalized_time(options.next_update, "nextUpdate");
  if (!from || !until)
    return failure(from ? until.error() : from.error());
  const bytes end = der::tlv(der::context_constructed(0), *until);
  bytes content;
  for (std::size_t at = 0; at < options.answers.size(); ++at) {
    const auto status = encode_status(options.answers[at]);
    if (!status)
      return failure(status.error());
    der::append(content,
                der::tlv(der::sequence, {options.request.asked[at].der, *status, *from, end}));
  }
  return der::tlv(der::sequence, content);
}

bytes nonce_extensions(byte_view nonce) {
  if (nonce.empty())
    return {};
  const bytes one = encode_extension(oids::ocsp_nonce, false, der::tlv(der::octet_string, nonce));
  return der::tlv(der::context_constructed(1), der::tlv(der::sequence, one));
}

/// BasicOCSPResponse: what sign_structure makes, and the certificate behind it.
result<bytes> sign_basic(byte_view data, const ca_identity& responder) {
  auto whole = sign_structure(data, detail::access::pkey(responder.key), hash_algorithm::sha256);
  if (!whole)
    return whole;
  const auto inside = der::only(*whole, der::sequence);
  const bytes certificates
    = der::tlv(der::context_constructed(0), der::tlv(der::sequence, responder.cert.der()));
  return der::tlv(der::sequence, {inside->content, certificates});
}

/// The issuer's name and one step below it.
bytes name_below(byte_view issuer) {
  const bytes attribute = der::tlv(der::sequence,
                                   {der::tlv(der::object_identifier, byte_view(oids::common_name)),
                                    der::tlv(der::utf8_string, as_bytes(responder_name))});
  const auto above = der::only(issuer, der::sequence);
  return der::tlv(der::sequence,
                  {above ? above->content : byte_view(), der::tlv(der::set, attribute)});
}

} // namespace

bytes ocsp_error(ocsp_status status) {
  return der::tlv(der::sequence, enumerated(static_cast<std::uint8_t>(status)));
}

result<bytes> sign_ocsp_response(const ca_identity& responder,
                                 const ocsp_response_options& options) {
  if (options.answers.empty() || options.answers.size() != options.request.asked.size())
    return failure(errc::internal, "answers", "are not one for each certificate asked for");
  if (options.next_update <= options.this_update)
    return failure(errc::bad_input, "nextUpdate", "is not after thisUpdate");
  const auto produced = encode_generalized_time(options.produced_at, "producedAt");
  const auto answers = encode_answers(options);
  if (!produced || !answers)
    return failure(produced ? answers.error() : produced.error());
  // ResponderID by key: the SHA-1 of the key's bits, whatever the subject key identifier is.
  const bytes who = der::tlv(
    der::context_constructed(2),
    der::tlv(der::octet_string, key_identifier(detail::access::public_key_der(responder.cert))));
  const bytes data
    = der::tlv(der::sequence, {who, *produced, *answers, nonce_extensions(options.request.nonce)});
  const auto basic = sign_basic(data, responder);
  if (!basic)
    return failure(basic.error());
  const bytes content = der::tlv(der::sequence,
                                 {der::tlv(der::object_identifier, byte_view(oids::ocsp_basic)),
                                  der::tlv(der::octet_string, *basic)});
  return der::tlv(der::sequence,
                  {enumerated(static_cast<std::uint8_t>(ocsp_status::successful)),
                   der::tlv(der::context_constructed(0), content)});
}

result<certificate> issue_ocsp_responder(const ca_identity& issuer, const private_key& key,
                                         unix_ms not_before, unix_ms not_after) {
  auto public_info = key.public_key();
  if (!public_info)
    return failure(public_info.error());
  static constexpr std::uint8_t null[] = {der::null, 0x00};
  const bytes usage = encode_key_usage(static_cast<key_usages>(key_usage::digital_signature));
  const bytes extended
    = der::tlv(der::sequence, der::tlv(der::object_identifier, byte_view(oids::ocsp_signing)));
  sign_options sign;
  sign.subject = name_below(detail::access::subject_der(issuer.cert));
  sign.public_key = std::move(*public_info);
  sign.extensions = der::tlv(der::sequence,
                             {encode_extension(oids::key_usage, true, usage),
                              encode_extension(oids::extended_key_usage, false, extended),
                              encode_extension(oids::ocsp_nocheck, false, null)});
  sign.serial = random_serial();
  sign.not_before = not_before;
  sign.not_after = not_after;
  return sign_certificate(issuer, sign);
}

} // namespace pfx::crypto
