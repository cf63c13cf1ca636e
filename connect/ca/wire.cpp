// JSON of the CA service. The strict reader of connect/http finds duplicate keys and bad UTF-8
// first.
#include "connect/ca/wire.hpp"

#include <array>

#include "connect/http/json.hpp"
#include "crypto/digest.hpp"

namespace pfx::connect::ca::wire {

using nlohmann::json;

namespace {

constexpr std::size_t csr_bytes_max = 64u << 10;
constexpr std::size_t word_bytes_max = 512;    // template, SID, pending id, issuer
constexpr std::size_t issuer_bytes_max = 8192; // RFC 4514 text of a Name
constexpr std::size_t reason_characters_max = 500;
constexpr std::uint32_t validity_max = 36'500; // units; anything longer is a slip

constexpr std::array<ca_status, 7> statuses = {
  ca_status::issued, ca_status::pending,    ca_status::refused,     ca_status::conflict,
  ca_status::closed, ca_status::never_seen, ca_status::unsupported,
};
constexpr std::array<revoke_status, 4> revoke_statuses = {
  revoke_status::done,
  revoke_status::already,
  revoke_status::not_found,
  revoke_status::refused,
};

result<json> object_of(std::string_view body) {
  auto parsed = http::parse_json_strict(body);
  if (parsed && !parsed->is_object()) {
    return failure(errc::bad_input, "", "the body is no JSON object");
  }
  return parsed;
}

/// The "value" object of an answer.
result<json> value_of(std::string_view body) {
  auto parsed = object_of(body);
  if (!parsed) {
    return parsed;
  }
  const auto at = parsed->find("value");
  if (at == parsed->end() || !at->is_object()) {
    return failure(errc::bad_input, "value", "is missing or no object");
  }
  return json(*at);
}

result<std::string> text(const json& from, const char* field, std::size_t size_max,
                         bool required = true) {
  const auto at = from.find(field);
  if (at == from.end() || at->is_null()) {
    if (!required) {
      return std::string();
    }
    return failure(errc::bad_input, field, "is missing");
  }
  if (!at->is_string()) {
    return failure(errc::bad_input, field, "is no string");
  }
  const auto& value = at->get_ref<const std::string&>();
  if (value.size() > size_max) {
    return failure(errc::too_large, field, "is longer than allowed");
  }
  return value;
}

result<bytes> base64(const json& value, const std::string& field, std::size_t size_max) {
  if (!value.is_string()) {
    return failure(errc::bad_input, field, "is no string");
  }
  const auto& encoded = value.get_ref<const std::string&>();
  if (encoded.size() > (size_max / 3 + 1) * 4) {
    return failure(errc::too_large, field, "is longer than allowed");
  }
  auto octets = crypto::from_base64(encoded);
  if (!octets || octets->empty()) {
    return failure(errc::bad_input, field, "is no base64");
  }
  return octets;
}

result<digest> transaction_id(const json& from) {
  const auto word = text(from, "transactionId", 64);
  if (!word) {
    return failure(word.error());
  }
  auto id = digest_from_hex(*word);
  if (!id || !id->present() || to_hex(*id) != *word) {
    return failure(errc::bad_input, "transactionId", "is not 64 lower-case hexadecimal digits");
  }
  return id;
}

result<validity_period> validity(const json& from) {
  const auto at = from.find("validity");
  if (at == from.end() || !at->is_object()) {
    return failure(errc::bad_input, "validity", "is missing or no object");
  }
  const auto value = at->find("value");
  if (value == at->end() || !value->is_number_unsigned() || value->get<std::uint64_t>() == 0
      || value->get<std::uint64_t>() > validity_max) {
    return failure(errc::bad_input, "validity.value", "is no positive number within the limit");
  }
  const auto word = text(*at, "unit", word_bytes_max);
  const auto unit = word ? validity_unit_of(*word) : std::nullopt;
  if (!unit) {
    return failure(errc::bad_input, "validity.unit", "is not days, months or years");
  }
  return validity_period{static_cast<std::uint32_t>(value->get<std::uint64_t>()), *unit};
}

result<std::vector<bytes>> chain_of(const json& value) {
  std::vector<bytes> out;
  const auto at = value.find("chain");
  if (at == value.end() || at->is_null()) {
    return out;
  }
  if (!at->is_array() || at->size() > chain_max) {
    return failure(errc::bad_input, "value.chain", "is no array, or too long");
  }
  for (std::size_t index = 0; index < at->size(); ++index) {
    auto one = base64((*at)[index], "value.chain[" + std::to_string(index) + "]",
                      limits::certificate_bytes_max);
    if (!one) {
      return failure(one.error());
    }
    out.push_back(std::move(*one));
  }
  return out;
}

/// The fields of an "issued" answer.
result<ca_answer> issued_of(const json& value, ca_answer out) {
  const auto at = value.find("certificate");
  if (at == value.end()) {
    return failure(errc::bad_input, "value.certificate", "is missing");
  }
  auto certificate = base64(*at, "value.certificate", limits::certificate_bytes_max);
  if (!certificate) {
    return failure(certificate.error());
  }
  auto chain = chain_of(value);
  if (!chain) {
    return failure(chain.error());
  }
  if (value.contains("transactionId")) {
    const auto id = transaction_id(value);
    if (!id) {
      return failure(id.error().code, "value.transactionId", id.error().message);
    }
    out.issued_under = *id;
  }
  out.certificate = std::move(*certificate);
  out.chain = std::move(*chain);
  return out;
}

result<ca_answer> pending_of(const json& value, ca_answer out) {
  auto id = text(value, "pendingId", word_bytes_max, false);
  const auto hash = text(value, "publicKeyHash", 64, false);
  if (!id || !hash) {
    return failure(id ? hash.error() : id.error());
  }
  out.pending_id = std::move(*id);
  if (!hash->empty()) {
    const auto read = digest_from_hex(*hash);
    if (!read) {
      return failure(errc::bad_input, "value.publicKeyHash", "is not 64 hexadecimal digits");
    }
    out.pending_public_key_hash = *read;
  }
  return out;
}

} // namespace

std::string encode_submit(const submission& what) {
  json body = {
    {"transactionId", to_hex(what.transaction_id)},
    {"certificateRequest", crypto::to_base64(what.certificate_request)},
    {"template", what.certificate_template},
    {"validity", {{"value", what.validity.value}, {"unit", name_of(what.validity.unit)}}},
    {"extensions", json::object()},
  };
  if (!what.security_identifier.empty()) {
    body["extensions"]["securityIdentifier"] = what.security_identifier;
  }
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

result<submission> decode_submit(std::string_view body) {
  const auto parsed = object_of(body);
  if (!parsed) {
    return failure(parsed.error());
  }
  const auto id = transaction_id(*parsed);
  const auto csr
    = base64(parsed->value("certificateRequest", json()), "certificateRequest", csr_bytes_max);
  const auto name = text(*parsed, "template", word_bytes_max, false);
  const auto period = validity(*parsed);
  if (!id || !csr || !name || !period) {
    return failure(!id ? id.error() : !csr ? csr.error() : !name ? name.error() : period.error());
  }
  submission out{*id, *csr, *name, *period, {}};
  const auto extensions = parsed->find("extensions");
  if (extensions != parsed->end() && !extensions->is_null()) {
    if (!extensions->is_object()) {
      return failure(errc::bad_input, "extensions", "is no object");
    }
    auto sid = text(*extensions, "securityIdentifier", word_bytes_max, false);
    if (!sid) {
      return failure(sid.error().code, "extensions.securityIdentifier", sid.error().message);
    }
    out.security_identifier = std::move(*sid);
  }
  return out;
}

std::string encode_find(const digest& id) { return json{{"transactionId", to_hex(id)}}.dump(); }

result<digest> decode_find(std::string_view body) {
  const auto parsed = object_of(body);
  return parsed ? transaction_id(*parsed) : result<digest>(failure(parsed.error()));
}

std::string encode_revoke(const revoke_order& what) {
  return json{{"issuer", what.issuer},
              {"serialNumber", what.serial_number},
              {"reason", static_cast<int>(what.reason)},
              {"revocationDateTime", to_rfc3339(what.revoked_at)}}
    .dump(-1, ' ', false, json::error_handler_t::replace);
}

result<revoke_order> decode_revoke(std::string_view body) {
  const auto parsed = object_of(body);
  if (!parsed) {
    return failure(parsed.error());
  }
  const auto issuer = text(*parsed, "issuer", issuer_bytes_max);
  const auto serial = text(*parsed, "serialNumber", 64);
  const auto moment = text(*parsed, "revocationDateTime", 64);
  if (!issuer || !serial || !moment) {
    return failure(!issuer ? issuer.error() : !serial ? serial.error() : moment.error());
  }
  const auto reason = parsed->value("reason", json());
  if (!reason.is_number_unsigned() || reason.get<std::uint64_t>() > 10
      || reason.get<std::uint64_t>() == 7) {
    return failure(errc::bad_input, "reason", "is no CRLReason of RFC 5280 5.3.1");
  }
  const auto revoked_at = from_rfc3339(*moment);
  if (!revoked_at) {
    return failure(errc::bad_input, "revocationDateTime", "is no RFC 3339 time");
  }
  return revoke_order{*issuer, *serial, static_cast<revocation_reason>(reason.get<std::uint64_t>()),
                      *revoked_at};
}

std::string encode_answer(const ca_answer& answer) {
  json value = {{"status", name_of(answer.status)}};
  if (answer.status == ca_status::issued) {
    if (answer.issued_under.present()) {
      value["transactionId"] = to_hex(answer.issued_under);
    }
    value["certificate"] = crypto::to_base64(answer.certificate);
    value["chain"] = json::array();
    for (const auto& one : answer.chain) {
      value["chain"].push_back(crypto::to_base64(one));
    }
  }
  if (!answer.pending_id.empty()) {
    value["pendingId"] = answer.pending_id;
  }
  if (answer.pending_public_key_hash.present()) {
    value["publicKeyHash"] = to_hex(answer.pending_public_key_hash);
  }
  if (!answer.reason.empty()) {
    value["reason"] = printable(answer.reason, reason_characters_max);
  }
  return json{{"value", std::move(value)}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

result<ca_answer> decode_answer(std::string_view body) {
  const auto value = value_of(body);
  if (!value) {
    return failure(value.error());
  }
  const auto word = text(*value, "status", word_bytes_max);
  const auto reason = text(*value, "reason", word_bytes_max * 8, false);
  if (!word || !reason) {
    return failure(errc::bad_input, word ? "value.reason" : "value.status", "is no short string");
  }
  ca_answer out;
  for (const auto status : statuses) {
    if (*word == name_of(status)) {
      out.status = status;
      out.reason = printable(*reason, reason_characters_max);
      return status == ca_status::issued ? issued_of(*value, std::move(out))
        : status == ca_status::pending   ? pending_of(*value, std::move(out))
                                         : result<ca_answer>(std::move(out));
    }
  }
  return failure(errc::bad_input, "value.status", "is no status of this protocol");
}

std::string encode_answer(const revoke_answer& answer) {
  json value = {{"status", name_of(answer.status)}};
  if (!answer.reason.empty()) {
    value["reason"] = printable(answer.reason, reason_characters_max);
  }
  if (answer.crl_number != 0) {
    value["crlNumber"] = answer.crl_number;
  }
  return json{{"value", std::move(value)}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

result<revoke_answer> decode_revoke_answer(std::string_view body) {
  const auto value = value_of(body);
  if (!value) {
    return failure(value.error());
  }
  const auto word = text(*value, "status", word_bytes_max);
  const auto reason = text(*value, "reason", word_bytes_max * 8, false);
  if (!word || !reason) {
    return failure(errc::bad_input, word ? "value.reason" : "value.status", "is no short string");
  }
  const auto number = value->value("crlNumber", json());
  if (!number.is_null() && !number.is_number_unsigned()) {
    return failure(errc::bad_input, "value.crlNumber", "is no number");
  }
  for (const auto status : revoke_statuses) {
    if (*word == name_of(status)) {
      return revoke_answer{status, printable(*reason, reason_characters_max), 0,
                           number.is_null() ? 0 : number.get<std::uint64_t>()};
    }
  }
  return failure(errc::bad_input, "value.status", "is no status of this protocol");
}

std::string encode_error(std::string_view code, std::string_view message) {
  return json{{"error", {{"code", code}, {"message", printable(message, reason_characters_max)}}}}
    .dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string error_message(std::string_view body) {
  const auto parsed = object_of(body);
  if (parsed) {
    const auto at = parsed->find("error");
    if (at != parsed->end() && at->is_object() && at->value("message", json()).is_string()) {
      return printable((*at)["message"].get_ref<const std::string&>(), reason_characters_max);
    }
  }
  return printable(body);
}

} // namespace pfx::connect::ca::wire
