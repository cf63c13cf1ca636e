// Validation and notifications.
#include "sandbox/intune/scep_desk.hpp"

#include <algorithm>

#include "connect/ca/der.hpp"
#include "connect/http/json.hpp"
#include "connect/intune/codec.hpp"
#include "crypto/digest.hpp"
#include "crypto/name.hpp"
#include "crypto/random.hpp"
#include "crypto/request.hpp"

namespace pfx::sandbox {

namespace der = connect::ca::der;
using json = nlohmann::json;

namespace {

constexpr std::string_view challenge_oid = "1.2.840.113549.1.9.7";
constexpr std::string_view rsa_oid = "1.2.840.113549.1.1.1";
constexpr std::size_t description_max = 255;
constexpr std::int64_t challenge_life_ms = 86'400'000;

std::string text(const json& from, const char* name) {
  const auto at = from.find(name);
  return at != from.end() && at->is_string() ? at->get<std::string>() : std::string();
}

bool blank(const std::string& value) {
  return value.find_first_not_of(" \t\r\n") == std::string::npos;
}

/// The first of these that is missing or blank; empty if all are there.
std::string missing(const json& from, std::initializer_list<const char*> names) {
  for (const auto* name : names) {
    if (blank(text(from, name))) {
      return name;
    }
  }
  return {};
}

std::string wrong_success(const json& notice) {
  auto wrong = missing(notice,
                       {"transactionId", "certificateRequest", "certificateThumbprint",
                        "certificateSerialNumber", "certificateExpirationDateUtc",
                        "issuingCertificateAuthority", "callerInfo"});
  const auto thumbprint = text(notice, "certificateThumbprint");
  const bool hex = from_hex(thumbprint).has_value() && thumbprint.size() == 40;
  return !wrong.empty() ? wrong + " is missing" : !hex ? "certificateThumbprint is no SHA-1" : "";
}

std::string wrong_failure(const json& notice) {
  auto wrong
    = missing(notice, {"transactionId", "certificateRequest", "errorDescription", "callerInfo"});
  const auto result = notice.value("hResult", json());
  return !wrong.empty()                        ? wrong + " is missing"
    : !result.is_number_integer()              ? "hResult is no number"
    : result > INT32_MAX || result < INT32_MIN ? "hResult has more than 32 bits"
    : text(notice, "errorDescription").size() > 4 * description_max ? "errorDescription is too long"
                                                                    : "";
}

/// Bits of the modulus of an RSA SubjectPublicKeyInfo; 0 for other keys.
int rsa_bits(byte_view public_key) {
  const auto whole = der::only(public_key);
  const auto parts = whole ? der::children(whole->value) : std::nullopt;
  if (!parts || parts->size() != 2) {
    return 0;
  }
  const auto algorithm = der::children(parts->front().value);
  if (!algorithm || algorithm->empty() || der::dotted(algorithm->front().value) != rsa_oid
      || parts->back().value.empty()) {
    return 0;
  }
  const auto key = der::only(parts->back().value.subspan(1));
  const auto numbers = key ? der::children(key->value) : std::nullopt;
  if (!numbers || numbers->empty()) {
    return 0;
  }
  auto modulus = numbers->front().value;
  while (!modulus.empty() && modulus.front() == 0) {
    modulus = modulus.subspan(1);
  }
  return static_cast<int>(modulus.size()) * 8;
}

} // namespace

std::string challenge_of(byte_view request) {
  const auto whole = der::only(request);
  const auto parts = whole ? der::children(whole->value) : std::nullopt;
  const auto info = parts && !parts->empty() ? der::children(parts->front().value) : std::nullopt;
  if (!info) {
    return {};
  }
  for (const auto& field : *info) {
    const auto attributes = field.tag == 0xa0 ? der::children(field.value) : std::nullopt;
    for (const auto& one : attributes.value_or(std::vector<der::element>())) {
      const auto pair = der::children(one.value);
      if (!pair || pair->size() != 2 || der::dotted(pair->front().value) != challenge_oid) {
        continue;
      }
      const auto values = der::children(pair->back().value);
      return values && values->size() == 1 ? to_text(values->front().value) : std::string();
    }
  }
  return {};
}

scep_answer scep_desk::handle(const std::string& name, const std::string& body, unix_ms now) {
  const bool validate = name == scep_validate_call;
  const auto parsed = connect::http::parse_json_strict(body);
  const auto order = parsed && parsed->is_object()
    ? parsed->value(validate ? "request" : "notification", json())
    : json();
  scep_answer out;
  if (!order.is_object()) {
    out.wrong = parsed ? "no request and no notification" : to_string(parsed.error());
    return out;
  }
  out.transaction = text(order, "transactionId");
  if (validate) {
    const auto gap = missing(order, {"transactionId", "certificateRequest", "callerInfo"});
    out.wrong = gap.empty() ? "" : gap + " is missing";
  } else {
    out.wrong = name == scep_success_call ? wrong_success(order) : wrong_failure(order);
  }
  if (!out.wrong.empty()) {
    return out;
  }
  const auto request = text(order, "certificateRequest");
  auto said = validate
    ? check(request, now)
    : notify(out.transaction, request, name == scep_success_call ? "success" : "failure");
  if (validate && said.code == "Success") {
    const std::scoped_lock lock(mutex_);
    if (transactions_.size() < transactions_max) {
      transactions_[out.transaction] = {request, {}};
    }
  }
  out.code = std::move(said.code);
  out.description = std::move(said.description);
  out.detail = validate ? std::move(said.detail)
    : name == scep_success_call
    ? text(order, "certificateSerialNumber") + " " + text(order, "certificateThumbprint")
    : order["hResult"].dump() + " " + text(order, "errorDescription");
  return out;
}

scep_desk::verdict scep_desk::check(const std::string& request, unix_ms now) const {
  const auto octets = crypto::from_base64(request);
  const auto read
    = octets ? crypto::parse_csr(*octets) : result<crypto::csr>(failure(octets.error()));
  if (!read) {
    return {"CertificateRequestDecodingFailed", "The certificate request cannot be decoded."};
  }
  const auto password = challenge_of(*octets);
  if (password.empty()) {
    return {"ChallengePasswordMissing", "The request has no challenge password."};
  }
  if (password.starts_with(wish_prefix)) {
    const auto wished = password.substr(wish_prefix.size());
    return {wished, wished == "Success" ? "" : "As the challenge wishes."};
  }
  const auto at = std::ranges::find(options_.challenges, password, &scep_challenge::password);
  if (at == options_.challenges.end()) {
    return crypto::from_base64(password)
      ? verdict{"ChallengeDecryptionError", "The challenge is not one of this tenant."}
      : verdict{"ChallengeDecodingError", "The challenge is no base64."};
  }
  if (at->expires <= now) {
    return {"ChallengeExpired", "The challenge has expired."};
  }
  const auto subject = crypto::name_to_text(read->subject);
  if (!subject || subject->empty()) {
    return {"SubjectNameMissing", "The request has no subject."};
  }
  if (*subject != at->subject) {
    return {"SubjectNameMismatch", "The subject is another than was expected.", *subject};
  }
  if (rsa_bits(read->public_key) < at->key_bits_min) {
    return {"KeyLengthMismatch", "The key is no RSA key, or too short."};
  }
  return {"Success", "", *subject};
}

/// A certificate was made for a request that was never validated, or both ends are told: no code
/// was published for it.
scep_desk::verdict scep_desk::notify(const std::string& id, const std::string& request,
                                     const std::string& end) {
  const std::scoped_lock lock(mutex_);
  const auto at = transactions_.find(id);
  const bool known = at != transactions_.end() && at->second.request == request;
  if (!known && end == "failure") {
    return {"Success", ""}; // it may have failed before anybody asked
  }
  if (!known || !(at->second.notified.empty() || at->second.notified == end)) {
    return {"Unknown", "No such request was validated, or its end was told otherwise before."};
  }
  at->second.notified = end;
  return {"Success", ""};
}

std::vector<scep_challenge> make_challenges(std::size_t count, unix_ms now) {
  constexpr std::size_t octets = 48;
  std::vector<scep_challenge> out;
  for (std::size_t n = 1; n <= count; ++n) {
    out.push_back({crypto::to_base64(crypto::random_bytes(octets)),
                   "CN=Device " + std::to_string(n) + ",O=Example Test", now + challenge_life_ms,
                   2048});
  }
  return out;
}

} // namespace pfx::sandbox
