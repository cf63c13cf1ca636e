// The revocation queue and the SCEP verdicts as bodies.
#include <algorithm>
#include <array>

#include "connect/http/header_text.hpp"
#include "connect/http/json.hpp"
#include "connect/intune/codec.hpp"

namespace pfx::connect::intune {

namespace {

using json = nlohmann::json;

/// RFC 8259 text in UTF-8; what is not UTF-8 was refused before.
std::string written(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

struct code_line {
  service_code code;
  std::string_view name;
};
constexpr std::array<code_line, 13> codes = {{
  {service_code::none, "None"},
  {service_code::non_retryable, "NonRetryableServiceException"},
  {service_code::data_serialization, "DataSerializationError"},
  {service_code::parameter_invalid, "ParameterDataInvalidError"},
  {service_code::cryptography, "CryptographyError"},
  {service_code::certificate_not_found, "CertificateNotFoundError"},
  {service_code::conflict, "ConflictError"},
  {service_code::not_supported, "NotSupportedError"},
  {service_code::payload_too_large, "PayloadTooLargeError"},
  {service_code::retryable, "RetryableServiceException"},
  {service_code::service_unavailable, "ServiceUnavailableException"},
  {service_code::service_too_busy, "ServiceTooBusyException"},
  {service_code::authentication, "AuthenticationException"},
}};

/// In the order of scep_code.
constexpr std::array<std::string_view, 25> verdicts = {
  "Unknown",
  "Success",
  "CertificateRequestDecodingFailed",
  "ChallengePasswordMissing",
  "ChallengeDeserializationError",
  "ChallengeDecryptionError",
  "ChallengeDecodingError",
  "ChallengeInvalidTimestamp",
  "ChallengeExpired",
  "SubjectNameMissing",
  "SubjectNameMismatch",
  "SubjectAltNameMissing",
  "SubjectAltNameMismatch",
  "KeyUsageMismatch",
  "KeyLengthMismatch",
  "EnhancedKeyUsageMissing",
  "EnhancedKeyUsageMismatch",
  "AadKeyIdentifierListMissing",
  "RegisteredKeyMismatch",
  "SigningCertThumbprintMismatch",
  "ScepProfileNoLongerTargetedToTheClient",
  "SignatureValidationFailed",
  "BadCertificateRequestIdInChallenge",
  "BadDeviceIdInChallenge",
  "BadUserIdInChallenge",
};
static_assert(static_cast<std::size_t>(scep_code::bad_user_id_in_challenge) + 1 == verdicts.size());

/// False if it is there and neither a text within the limit nor null.
bool take_text(const json& entry, const char* key, std::size_t bytes_max,
               std::optional<std::string>& out) {
  auto found = entry.find(key);
  if (found == entry.end() || found->is_null())
    return true;
  const auto* text = found->get_ptr<const std::string*>();
  if (text == nullptr || text->size() > bytes_max)
    return false;
  out = *text;
  return true;
}

std::optional<revocation_request> request_of(const json& entry) {
  if (!entry.is_object())
    return std::nullopt;
  std::optional<std::string> context;
  std::optional<std::string> serial;
  revocation_request out;
  if (!take_text(entry, "requestContext", revocation_context_bytes_max, context)
      || !take_text(entry, "serialNumber", serial_bytes_max, serial)
      || !take_text(entry, "issuerName", issuer_bytes_max, out.issuer_name)
      || !take_text(entry, "caConfiguration", issuer_bytes_max, out.ca_configuration) || !context
      || http::trimmed(*context).empty() || !serial || serial->empty())
    return std::nullopt;
  out.request_context = std::move(*context);
  out.serial_number = std::move(*serial);
  return out;
}

/// The answer as an object with its "value", or why it is none.
result<json> value_of(std::string_view body) {
  auto parsed = http::parse_json_strict(body);
  if (!parsed)
    return failure(parsed.error());
  auto found = parsed->is_object() ? parsed->find("value") : parsed->end();
  if (!parsed->is_object() || found == parsed->end())
    return failure(errc::bad_input, "value", "is missing in the answer");
  json out = std::move(*found);
  return out;
}

} // namespace

std::string encode_download(int max_requests, const std::optional<std::string>& issuer_name) {
  const json issuer = issuer_name ? json(*issuer_name) : json(nullptr);
  return written({{"downloadParameters", {{"maxRequests", max_requests}, {"issuerName", issuer}}}});
}

result<revocation_batch> decode_revocations(std::string_view body) {
  auto value = value_of(body);
  if (!value)
    return failure(value.error());
  if (!value->is_array())
    return failure(errc::bad_input, "value", "is no list of revocation requests");
  if (value->size() > std::size_t{revocations_max})
    return failure(errc::too_large, "value", "is over 500 revocation requests");
  revocation_batch out;
  for (const json& entry : *value) {
    if (auto one = request_of(entry))
      out.requests.push_back(std::move(*one));
    else
      ++out.unreadable;
  }
  return out;
}

std::string encode_upload(const std::vector<revocation_result>& results) {
  json list = json::array();
  for (const auto& one : results)
    list.push_back({{"requestContext", one.request_context},
                    {"succeeded", one.succeeded},
                    {"errorCode", std::string(name_of(one.code))},
                    {"errorMessage", one.message.empty() ? json(nullptr) : json(one.message)}});
  return written({{"results", std::move(list)}});
}

result<void> decode_recorded(std::string_view body) {
  auto value = value_of(body);
  if (!value)
    return failure(value.error());
  const auto* text = value->get_ptr<const std::string*>();
  const bool recorded = (value->is_boolean() && value->get<bool>())
    || (text != nullptr && http::lower(*text) == "true");
  if (!recorded)
    return failure(errc::bad_input, "value",
                   "is " + printable(written(*value), 64) + ", not true: nothing was recorded");
  return {};
}

std::string_view name_of(service_code code) noexcept {
  const auto* found = std::find_if(codes.begin(), codes.end(),
                                   [code](const code_line& one) { return one.code == code; });
  return found == codes.end() ? "NonRetryableServiceException" : found->name;
}

result<scep_verdict> decode_verdict(std::string_view body) {
  auto parsed = http::parse_json_strict(body);
  if (!parsed)
    return failure(parsed.error());
  std::optional<std::string> code;
  if (!parsed->is_object() || !take_text(*parsed, "code", 256, code) || !code || code->empty())
    return failure(errc::bad_input, "code", "is missing in the answer");
  scep_verdict out;
  out.code = scep_code_of(*code);
  out.code_text = printable(*code, 64);
  if (auto said = parsed->find("errorDescription"); said != parsed->end())
    if (const auto* text = said->get_ptr<const std::string*>(); text != nullptr)
      out.description = printable(*text, 500);
  return out;
}

scep_code scep_code_of(std::string_view text) noexcept {
  const auto* found = std::find(verdicts.begin(), verdicts.end(), text);
  return found == verdicts.end() ? scep_code::unknown
                                 : static_cast<scep_code>(found - verdicts.begin());
}

std::string_view name_of(scep_code code) noexcept {
  const auto at = static_cast<std::size_t>(code);
  return at < verdicts.size() ? verdicts[at] : verdicts[0];
}

} // namespace pfx::connect::intune
