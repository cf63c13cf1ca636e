// Uploads, queries and the frozen result document.
#include <array>

#include "connect/http/json.hpp"
#include "connect/service/codec.hpp"
#include "connect/service/compose.hpp"
#include "connect/service/fields.hpp"
#include "core/limits.hpp"
#include "crypto/digest.hpp"

namespace pfx::connect::service {

namespace {

constexpr std::size_t document_bytes_max = 1u << 20;           ///< one result document
constexpr std::size_t encrypted_password_bytes_max = 8u << 10; ///< one CMS EnvelopedData

template <class Enum, std::size_t N>
std::optional<Enum> value_of(const std::array<Enum, N>& values, std::string_view word) noexcept {
  for (Enum value : values)
    if (name_of(value) == word)
      return value;
  return std::nullopt;
}

std::optional<upload_status> upload_status_of(std::string_view word) noexcept {
  using enum upload_status;
  return value_of(
    std::array{accepted, already_recorded, lease_lost, result_missing, rejected, unknown_request},
    word);
}

std::optional<query_state> query_state_of(std::string_view word) noexcept {
  using enum query_state;
  return value_of(std::array{open, leased, recorded, unknown}, word);
}

recorded read_recorded(fields& in) {
  recorded out;
  out.result_digest = in.hash("resultDigest");
  out.succeeded = in.flag("succeeded");
  out.thumbprint = in.optional_hash("certificateThumbprint");
  out.recorded_by = in.optional_text("recordedBy");
  return out;
}

/// Members that say what stands; nulls where nothing does.
void put_recorded(ordered& out, const recorded* stands) {
  out["resultDigest"] = stands == nullptr ? ordered(nullptr) : hash_or_null(stands->result_digest);
  out["succeeded"] = stands == nullptr ? ordered(nullptr) : ordered(stands->succeeded);
  out["certificateThumbprint"]
    = stands == nullptr ? ordered(nullptr) : hash_or_null(stands->thumbprint);
  out["recordedBy"] = stands == nullptr ? ordered(nullptr) : text_or_null(stands->recorded_by);
}

bool tells_what_stands(upload_status status) {
  return status == upload_status::accepted || status == upload_status::already_recorded;
}

delivered_certificate read_delivered(fields in) {
  delivered_certificate out;
  out.certificate = in.octets("certificate", limits::certificate_bytes_max);
  const auto& chain = in.items("chain");
  if (chain.size() > limits::chain_certificates_max)
    in.note(errc::too_large, "chain", "has too many certificates");
  for (const std::string& text : in.texts("chain", chain)) {
    auto der = crypto::from_base64(text);
    if (!der || der->empty() || der->size() > limits::certificate_bytes_max)
      in.note(errc::bad_input, "chain", "holds what is not base64 of a certificate");
    else
      out.chain.push_back(std::move(*der));
  }
  out.thumbprint = in.hash("thumbprint");
  out.serial_number = in.text("serialNumber");
  out.issuer = in.any_text("issuer");
  out.not_before = in.moment("notBefore");
  out.not_after = in.moment("notAfter");
  return out;
}

ordered delivered_to_json(const delivered_certificate& value) {
  ordered chain = ordered::array();
  for (const bytes& one : value.chain)
    chain.push_back(crypto::to_base64(one));
  return {{"certificate", crypto::to_base64(value.certificate)},
          {"chain", std::move(chain)},
          {"thumbprint", to_hex(value.thumbprint)},
          {"serialNumber", value.serial_number},
          {"issuer", value.issuer},
          {"notBefore", to_rfc3339(value.not_before)},
          {"notAfter", to_rfc3339(value.not_after)}};
}

/// Codes of tomorrow keep their class: 40xx is final, 41xx may be retried.
service_code read_code(fields& in) {
  std::uint64_t code = in.number("errorCode", 4'000, 4'199);
  if (code >= 4'100)
    return static_cast<service_code>(code <= 4'103 ? code : 4'100);
  return static_cast<service_code>(code <= 4'007 ? code : 4'000);
}

void read_success(fields& in, request_result& out) {
  out.encrypted_pfx = in.octets("encryptedPfxBlob", limits::pfx_bytes_max);
  const auto& deliveries = in.items("deliveries");
  if (deliveries.empty() || deliveries.size() > limits::recipients_max)
    in.note(errc::bad_input, "deliveries", "must have 1 to 64 entries");
  for (std::size_t i = 0; i < deliveries.size() && !in.shared().any(); ++i) {
    fields one(deliveries[i], in.path("deliveries", i), in.shared());
    std::string id = one.text("recipientId");
    out.deliveries.push_back(
      {std::move(id), one.octets("encryptedPfxPassword", encrypted_password_bytes_max)});
  }
  if (in.find("certificate") != nullptr)
    out.certificate = read_delivered(in.object("certificate"));
}

} // namespace

// -- the result document ------

bytes encode_result_document(const request_result& value) {
  ordered out;
  out["succeeded"] = value.succeeded;
  if (value.succeeded) {
    ordered deliveries = ordered::array();
    for (const auto& one : value.deliveries)
      deliveries.push_back({{"recipientId", one.recipient_id},
                            {"encryptedPfxPassword", crypto::to_base64(one.encrypted_password)}});
    out["encryptedPfxBlob"] = crypto::to_base64(value.encrypted_pfx);
    out["deliveries"] = std::move(deliveries);
    if (value.certificate)
      out["certificate"] = delivered_to_json(*value.certificate);
  } else {
    out["errorCode"] = static_cast<std::uint16_t>(value.code);
    out["errorMessage"] = value.message;
    out["retryable"] = value.retryable;
  }
  return to_bytes(dump(out));
}

result<request_result> decode_result_document(byte_view document) {
  auto value
    = http::parse_json_strict({reinterpret_cast<const char*>(document.data()), document.size()});
  if (!value)
    return failure(value.error());
  fault wrong;
  fields in(*value, "", wrong);
  request_result out;
  out.succeeded = in.flag("succeeded");
  if (out.succeeded) {
    read_success(in, out);
  } else {
    out.code = read_code(in);
    out.message = in.any_text("errorMessage");
    out.retryable = in.flag("retryable");
  }
  if (wrong.any())
    return failure(*wrong.first);
  return out;
}

// -- upload ------

std::string encode_upload(const caller& who, const std::vector<upload_entry>& entries) {
  ordered results = ordered::array();
  for (const auto& entry : entries) {
    ordered one = {{"requestContext", entry.context},
                   {"leaseNumber", entry.lease_number},
                   {"resultDigest", to_hex(entry.result_digest)}};
    if (!entry.result_document.empty())
      one["result"] = crypto::to_base64(entry.result_document);
    results.push_back(std::move(one));
  }
  ordered out = begin_call(who);
  out["results"] = std::move(results);
  return dump(out);
}

result<std::vector<upload_entry>> decode_upload(std::string_view body) {
  auto value = http::parse_json_strict(body);
  if (!value)
    return failure(value.error());
  fault wrong;
  fields in(*value, "", wrong);
  std::vector<upload_entry> out;
  const auto& items = in.items("results");
  for (std::size_t i = 0; i < items.size() && !wrong.any(); ++i) {
    fields one(items[i], in.path("results", i), wrong);
    upload_entry entry;
    entry.context = one.text("requestContext", limits::request_context_bytes_max);
    entry.lease_number = one.number("leaseNumber", 0, UINT64_MAX);
    entry.result_digest = one.hash("resultDigest");
    entry.result_document = one.optional_octets("result", document_bytes_max);
    out.push_back(std::move(entry));
  }
  if (wrong.any())
    return failure(*wrong.first);
  return out;
}

std::string encode_upload_answer(const std::vector<upload_answer>& answers) {
  ordered out = ordered::array();
  for (const auto& answer : answers) {
    ordered one = {{"requestContext", answer.context}, {"status", name_of(answer.status)}};
    put_recorded(one, tells_what_stands(answer.status) ? &answer.stands : nullptr);
    one["message"] = text_or_null(answer.message);
    out.push_back(std::move(one));
  }
  return dump_answer(std::move(out));
}

/// An entry whose `status` is a word of tomorrow is left out: no answer, so it is asked about.
result<std::vector<upload_answer>> decode_upload_answer(std::string_view body) {
  auto value = http::parse_json_strict(body);
  if (!value)
    return failure(value.error());
  fault wrong;
  fields in(*value, "", wrong);
  std::vector<upload_answer> out;
  const auto& items = in.items("value");
  for (std::size_t i = 0; i < items.size() && !wrong.any(); ++i) {
    fields one(items[i], in.path("value", i), wrong);
    upload_answer answer;
    answer.context = one.text("requestContext", limits::request_context_bytes_max);
    auto status = upload_status_of(one.text("status"));
    if (!status)
      continue;
    answer.status = *status;
    if (tells_what_stands(*status))
      answer.stands = read_recorded(one);
    answer.message = one.optional_text("message");
    out.push_back(std::move(answer));
  }
  if (wrong.any())
    return failure(*wrong.first);
  return out;
}

// -- query ------

std::string encode_query(const caller& who, const std::vector<std::string>& contexts) {
  ordered out = begin_call(who);
  out["requestContexts"] = contexts;
  return dump(out);
}

std::string encode_query_handed_to_me(const caller& who, const std::string& after) {
  ordered out = begin_call(who);
  out["handedToMe"] = true;
  if (!after.empty())
    out["after"] = after;
  return dump(out);
}

result<query_order> decode_query(std::string_view body) {
  auto value = http::parse_json_strict(body);
  if (!value)
    return failure(value.error());
  fault wrong;
  fields in(*value, "", wrong);
  query_order out;
  out.handed_to_me = in.optional_flag("handedToMe");
  out.after = in.optional_text("after");
  if (!out.handed_to_me)
    out.contexts = in.texts("requestContexts", in.items("requestContexts"));
  if (wrong.any())
    return failure(*wrong.first);
  return out;
}

std::string encode_query_answer(const query_page& page) {
  ordered list = ordered::array();
  for (const auto& answer : page.answers) {
    ordered one = {{"requestContext", answer.context},
                   {"state", name_of(answer.state)},
                   {"leaseNumber", answer.lease_number}};
    put_recorded(one, answer.state == query_state::recorded ? &answer.stands : nullptr);
    one["certificateAuthority"] = text_or_null(answer.authority);
    list.push_back(std::move(one));
  }
  ordered out;
  out["value"] = std::move(list);
  out["more"] = page.more;
  return dump(out);
}

/// Strict to the last entry: reconciling on half an answer would be worse than asking again.
result<query_page> decode_query_answer(std::string_view body) {
  auto value = http::parse_json_strict(body);
  if (!value)
    return failure(value.error());
  fault wrong;
  fields in(*value, "", wrong);
  query_page out;
  out.more = in.optional_flag("more");
  const auto& items = in.items("value");
  for (std::size_t i = 0; i < items.size() && !wrong.any(); ++i) {
    fields one(items[i], in.path("value", i), wrong);
    query_answer answer;
    answer.context = one.text("requestContext", limits::request_context_bytes_max);
    answer.state = one.word<query_state>("state", query_state_of, query_state::unknown);
    answer.lease_number = one.optional_number("leaseNumber", UINT64_MAX);
    if (answer.state == query_state::recorded)
      answer.stands = read_recorded(one);
    answer.authority = one.optional_text("certificateAuthority");
    out.answers.push_back(std::move(answer));
  }
  if (wrong.any())
    return failure(*wrong.first);
  return out;
}

} // namespace pfx::connect::service
