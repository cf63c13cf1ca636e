// Requests that are wrong on purpose, each in one way, and what the engine must say to them. A
// table; whoever finds a new way of being wrong adds a row.
#include "sandbox/bad_rows.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "core/limits.hpp"
#include "sandbox/sandbox.hpp"

namespace pfx::sandbox {

using json = nlohmann::ordered_json;

namespace {

constexpr std::size_t repeated_copies = 500;
constexpr std::size_t body_over_limit_bytes = limits::body_bytes_max + 4096;
constexpr std::size_t nesting_over_limit = 100'000;
constexpr std::size_t request_over_limit_bytes = limits::request_bytes_max + 1024;

/// The codes of a final failure for a value that is wrong (docs/protocol.md).
constexpr std::array wrong_value
  = {service_code::data_serialization, service_code::parameter_invalid};
constexpr std::array too_much = {service_code::data_serialization, service_code::parameter_invalid,
                                 service_code::payload_too_large};
constexpr std::array cannot = {service_code::not_supported};
constexpr std::array not_open = {service_code::parameter_invalid, service_code::not_supported};

// -- changes of values ------

void long_common_name(order& what, const fleet&) {
  what.request.create.subject = "CN=" + std::string(200, 'a') + ",O=Example Test";
}
void bad_escape(order& what, const fleet&) {
  what.request.create.subject = "CN=a\\zb,O=Example Test";
}
void open_quote(order& what, const fleet&) {
  what.request.create.subject = "CN=\"a,O=Example Test";
}
void no_subject_value(order& what, const fleet&) { what.request.create.subject = "just words"; }
void administrator(order& what, const fleet&) {
  what.request.create.security_identifier = std::string(sid_domain) + "-500";
}
void foreign_domain(order& what, const fleet&) {
  what.request.create.security_identifier = "S-1-5-21-1-2-3-1105";
}
void malformed_sid(order& what, const fleet&) {
  what.request.create.security_identifier = "S-1-five-21";
}
void sid_uri_differs(order& what, const fleet&) {
  what.request.create.security_identifier = std::string(sid_domain) + "-1105";
  what.request.create.alternative_names.push_back(
    {name_type::uri, "tag:microsoft.com,2022-09-14:sid:" + std::string(sid_domain) + "-500"});
}
void smart_card_logon(order& what, const fleet&) {
  what.request.create.extended_usages.emplace_back("1.3.6.1.4.1.311.20.2.2");
}
void enrolment_agent(order& what, const fleet&) {
  what.request.create.extended_usages.emplace_back("1.3.6.1.4.1.311.20.2.1");
}
void any_usage(order& what, const fleet&) {
  what.request.create.extended_usages.emplace_back("2.5.29.37.0");
}
void many_usages(order& what, const fleet&) {
  for (std::size_t n = 0; n <= limits::extended_key_usages_max; ++n) {
    what.request.create.extended_usages.push_back("1.3.6.1.4.1.99999." + std::to_string(n + 1));
  }
}
void add_usage(order& what, key_usage usage) {
  auto& usages = what.request.create.usages;
  usages = static_cast<key_usages>(usages | static_cast<key_usages>(usage));
}
void signs_certificates(order& what, const fleet&) { add_usage(what, key_usage::key_cert_sign); }
void signs_lists(order& what, const fleet&) { add_usage(what, key_usage::crl_sign); }
void enciphering_curve(order& what, const fleet&) { add_usage(what, key_usage::key_encipherment); }
void add_name(order& what, name_type type, std::string value) {
  what.request.create.alternative_names.push_back({type, std::move(value)});
}
void foreign_upn(order& what, const fleet&) { add_name(what, name_type::upn, "admin@evil.test"); }
void suffix_trick(order& what, const fleet&) {
  add_name(what, name_type::rfc822, "admin@notexample.test");
}
void malformed_ip(order& what, const fleet&) { add_name(what, name_type::ip, "192.0.2.256"); }
void malformed_dns(order& what, const fleet&) {
  add_name(what, name_type::dns, std::string("a b\n.example.test"));
}
void unknown_ca(order& what, const fleet&) { what.request.create.authority = "No-Such-CA"; }
void unknown_template(order& what, const fleet&) {
  what.request.create.certificate_template = "DomainController";
}
void long_validity(order& what, const fleet&) {
  what.request.create.validity = {4'000'000'000U, validity_unit::years};
}
void no_recipients(order& what, const fleet&) { what.request.recipients.clear(); }
void many_recipients(order& what, const fleet&) {
  const auto one = what.request.recipients.front();
  what.request.recipients.assign(limits::recipients_max + 1, one);
}
void outside_trust(order& what, const fleet& devices) {
  use_recipient(what, devices, devices.unfit().foreign);
}
void expired_recipient(order& what, const fleet& devices) {
  use_recipient(what, devices, devices.unfit().expired);
}
void weak_recipient(order& what, const fleet& devices) {
  use_recipient(what, devices, devices.unfit().rsa512, key_transport::rsa_pkcs1);
}
void usage_recipient(order& what, const fleet& devices) {
  use_recipient(what, devices, devices.unfit().no_usage);
}
void ca_recipient(order& what, const fleet& devices) {
  use_recipient(what, devices, devices.unfit().a_ca);
}
void malformed_recipient(order& what, const fleet&) {
  auto& certificate = what.request.recipients.front().certificate;
  certificate.resize(certificate.size() / 2);
}
void trailing_recipient(order& what, const fleet&) {
  what.request.recipients.back().certificate.push_back(0);
}
void unfit_transport(order& what, const fleet&) {
  auto& one = what.request.recipients.front();
  one.transport
    = one.transport == key_transport::ecdh ? key_transport::rsa_pkcs1 : key_transport::ecdh;
}
void other_device(order& what, const fleet&) {
  what.request.device_id = "00000000-0000-4000-8000-000000000000";
}

// -- changes of the text ------

void unknown_kind(json& body) { body["kind"] = "pfxConjure"; }
void no_key_algorithm(json& body) { body["certificate"].erase("keyAlgorithm"); }
void no_certificate(json& body) { body.erase("certificate"); }
void no_recipient_list(json& body) { body.erase("recipients"); }
void no_device(json& body) { body.erase("deviceId"); }
void typed_validity(json& body) { body["certificate"]["validity"]["value"] = "twelve"; }
void negative_validity(json& body) { body["certificate"]["validity"]["value"] = -1; }
void typed_recipients(json& body) { body["recipients"] = "all of them"; }
void typed_subject(json& body) { body["certificate"]["subject"] = json::array({"CN=x"}); }
void null_certificate(json& body) { body["certificate"] = nullptr; }
void unknown_algorithm(json& body) { body["certificate"]["keyAlgorithm"] = "rsa512"; }
void unknown_hash(json& body) { body["certificate"]["hashAlgorithm"] = "md5"; }
void unknown_name_type(json& body) {
  body["certificate"]["subjectAlternativeNames"] = {{{"type", "x400"}, {"value", "x"}}};
}
void unknown_profile(json& body) { body["pfxProfile"] = "ancient"; }
void not_base64(json& body) { body["recipients"][0]["certificate"] = "%%%"; }
void large(json& body) { body["padding"] = std::string(request_over_limit_bytes, 'x'); }

constexpr std::string_view alternative_names = "subjectAlternativeNames";

constexpr std::array<bad_row, 48> rows = {{
  {"unknown-kind", "kind", cannot, nullptr, unknown_kind},
  {"missing-key-algorithm", "keyAlgorithm", wrong_value, nullptr, no_key_algorithm},
  {"missing-certificate", "certificate", wrong_value, nullptr, no_certificate},
  {"missing-recipients", "recipients", wrong_value, nullptr, no_recipient_list},
  {"missing-device", "deviceId", wrong_value, nullptr, no_device},
  {"typed-validity", "validity", wrong_value, nullptr, typed_validity},
  {"negative-validity", "validity", wrong_value, nullptr, negative_validity},
  {"typed-recipients", "recipients", wrong_value, nullptr, typed_recipients},
  {"typed-subject", "subject", wrong_value, nullptr, typed_subject},
  {"null-certificate", "certificate", wrong_value, nullptr, null_certificate},
  {"unknown-algorithm", "keyAlgorithm", not_open, nullptr, unknown_algorithm},
  {"unknown-hash", "hashAlgorithm", not_open, nullptr, unknown_hash},
  {"unknown-name-type", alternative_names, not_open, nullptr, unknown_name_type},
  {"unknown-profile", "pfxProfile", not_open, nullptr, unknown_profile},
  {"recipient-not-base64", "recipients[0].certificate", wrong_value, nullptr, not_base64},
  {"request-too-large", "", too_much, nullptr, large},
  {"duplicate-keys", "userId", wrong_value},
  {"cn-200", "subject", too_much, long_common_name},
  {"bad-escape", "subject", wrong_value, bad_escape},
  {"open-quote", "subject", wrong_value, open_quote},
  {"subject-words", "subject", wrong_value, no_subject_value},
  {"rid-500", "securityIdentifier", wrong_value, administrator},
  {"sid-foreign", "securityIdentifier", wrong_value, foreign_domain},
  {"sid-malformed", "securityIdentifier", wrong_value, malformed_sid},
  {"sid-uri-differs", alternative_names, wrong_value, sid_uri_differs},
  {"eku-smart-card", "extendedKeyUsages", wrong_value, smart_card_logon},
  {"eku-enrolment-agent", "extendedKeyUsages", wrong_value, enrolment_agent},
  {"eku-any", "extendedKeyUsages", wrong_value, any_usage},
  {"eku-501", "extendedKeyUsages", too_much, many_usages},
  {"ku-cert-sign", "keyUsages", wrong_value, signs_certificates},
  {"ku-crl-sign", "keyUsages", wrong_value, signs_lists},
  {"ku-encipher-ec", "keyUsages", wrong_value, enciphering_curve},
  {"san-foreign-upn", alternative_names, wrong_value, foreign_upn},
  {"san-suffix-trick", alternative_names, wrong_value, suffix_trick},
  {"san-bad-ip", alternative_names, wrong_value, malformed_ip},
  {"san-bad-dns", alternative_names, wrong_value, malformed_dns},
  {"unknown-ca", "certificateAuthority", not_open, unknown_ca},
  {"unknown-template", "certificateTemplate", not_open, unknown_template},
  {"validity-aeons", "validity", wrong_value, long_validity},
  {"no-recipients", "recipients", wrong_value, no_recipients},
  {"recipients-65", "recipients", too_much, many_recipients},
  {"recipient-foreign", "recipients[0].certificate", wrong_value, outside_trust},
  {"recipient-expired", "recipients[0].certificate", wrong_value, expired_recipient},
  {"recipient-rsa512", "recipients[0].certificate", wrong_value, weak_recipient},
  {"recipient-usage", "recipients[0].certificate", wrong_value, usage_recipient},
  {"recipient-ca", "recipients[0].certificate", wrong_value, ca_recipient},
  {"recipient-malformed", "recipients[0].certificate", wrong_value, malformed_recipient},
  {"recipient-trailing", "certificate", wrong_value, trailing_recipient},
}};
constexpr std::array<bad_row, 2> more_rows = {{
  {"transport-unfit", "recipients[0].keyTransport", wrong_value, unfit_transport},
  {"device-other", "recipients[0]", wrong_value, other_device},
}};

/// Those whose badness is in how they are handed out.
constexpr std::array<std::string_view, 2> hand_out_names = {"repeated-500", "other-body"};
constexpr std::array<std::string_view, 3> answer_names
  = {"answer-over-limit", "answer-broken", "answer-too-deep"};

const bad_row* row_of(std::string_view name) {
  for (const auto table :
       {std::span<const bad_row>(rows), std::span<const bad_row>(more_rows), bad_import_rows()}) {
    for (const auto& row : table) {
      if (row.name == name) {
        return &row;
      }
    }
  }
  return nullptr;
}

template <class Names>
bool has(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The same context asking for somebody else: the engine must not do both.
void become_other(json& body) {
  body["certificate"]["subject"] = "CN=Somebody Else,O=Example Test";
}

} // namespace

void use_recipient(order& what, const fleet& devices, const bytes& certificate,
                   key_transport transport) {
  const auto& one = devices.devices().front(); // the unfit ones name this device
  what.request.device_id = one.id;
  what.request.recipients = {{one.keys.front().recipient_id, certificate, transport}};
}

std::vector<std::string> bad_names() {
  std::vector<std::string> out;
  for (const auto& row : rows) {
    out.emplace_back(row.name);
  }
  for (const auto& row : more_rows) {
    out.emplace_back(row.name);
  }
  out.insert(out.end(), hand_out_names.begin(), hand_out_names.end());
  out.insert(out.end(), answer_names.begin(), answer_names.end());
  return out;
}

bool spoil(order& what, const std::string& name, const fleet& devices) {
  if (has(hand_out_names, name)) {
    what.how = name == "other-body" ? spoiling::other_body : spoiling::repeated;
    what.expected = {expected_end::one_result, {}, {}};
    return true;
  }
  if (has(answer_names, name)) { // the download is spoiled once; the request itself is a good one
    what.how = spoiling::whole_answer;
    return true;
  }
  const auto* row = row_of(name);
  if (row == nullptr) {
    return false;
  }
  what.expected = {expected_end::failure,
                   {row->codes.begin(), row->codes.end()},
                   std::string(row->field),
                   row->one_error ? std::string(row->field) : std::string(),
                   row->may_be_retried};
  if (row->alter != nullptr) {
    row->alter(what, devices);
  } else {
    what.how = spoiling::text;
  }
  return true;
}

std::string spoiled_text(const order& what, std::string good_text, std::size_t copy) {
  if (what.how == spoiling::repeated || what.how == spoiling::whole_answer
      || (what.how == spoiling::other_body && copy % 2 == 0)) {
    return good_text;
  }
  if (what.bad_name == "duplicate-keys") {
    return "{\"userId\":\"first\"," + good_text.substr(good_text.find('{') + 1);
  }
  auto body = json::parse(good_text, nullptr, false);
  if (body.is_discarded()) {
    return good_text;
  }
  if (what.how == spoiling::other_body) {
    become_other(body);
  } else if (const auto* row = row_of(what.bad_name); row != nullptr && row->rewrite != nullptr) {
    row->rewrite(body);
  }
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::size_t copies_of(const order& what) noexcept {
  return what.how == spoiling::repeated ? repeated_copies
    : what.how == spoiling::other_body  ? 2
                                        : 1;
}

std::string spoiled_answer(const std::string& bad_name) {
  if (bad_name == "answer-over-limit") {
    return "{\"value\":[],\"more\":true,\"padding\":\"" + std::string(body_over_limit_bytes, 'x')
      + "\"}";
  }
  if (bad_name == "answer-too-deep") {
    return "{\"value\":[],\"more\":true,\"padding\":" + std::string(nesting_over_limit, '[')
      + std::string(nesting_over_limit, ']') + "}";
  }
  return "{\"value\":[{\"requestContext\":\"cut off in the mid";
}

} // namespace pfx::sandbox
