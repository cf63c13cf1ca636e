// Bodies of the small calls, both directions. Duplicate keys and wrong types refuse the whole body.
#include "connect/http/json.hpp"
#include "connect/service/codec.hpp"
#include "connect/service/compose.hpp"
#include "connect/service/request_codec.hpp"
#include "crypto/digest.hpp"

namespace pfx::connect::service {

namespace {

constexpr std::size_t csr_bytes_max = 64u << 10;
constexpr std::size_t features_max = 100;
constexpr std::size_t import_keys_max = 100;
constexpr std::size_t public_key_bytes_max = 8u << 10;
constexpr std::size_t run_id_digits = 32;

/// Parses a body, lets `read` take it apart and gives its value or the first fault.
template <class Read>
auto with_body(std::string_view body, Read read)
  -> result<decltype(read(std::declval<fields&>()))> {
  auto value = http::parse_json_strict(body);
  if (!value)
    return failure(value.error());
  fault wrong;
  fields in(*value, "", wrong);
  auto out = read(in);
  if (wrong.any())
    return failure(*wrong.first);
  return out;
}

std::vector<bytes> read_chain(fields& in, const char* name) {
  std::vector<bytes> out;
  const auto& items = in.items(name);
  if (items.size() > limits::chain_certificates_max) {
    in.note(errc::too_large, name, "has too many certificates");
    return out;
  }
  auto texts = in.texts(name, items);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto der = crypto::from_base64(texts[i]);
    if (!der || der->empty() || der->size() > limits::certificate_bytes_max)
      in.shared().note(errc::bad_input, in.path(name, i), "is not base64 of a certificate");
    else
      out.push_back(std::move(*der));
  }
  return out;
}

ordered anchor_to_json(const anchor& value) {
  return {{"sequence", value.sequence}, {"auditHead", to_hex(value.audit_head)}};
}

anchor read_anchor(fields in) {
  anchor out;
  out.sequence = in.number("sequence", 0, UINT64_MAX);
  out.audit_head = in.hash("auditHead");
  return out;
}

std::string context_of(fields& in) {
  return in.text("requestContext", limits::request_context_bytes_max);
}

} // namespace

// -- register ------

std::string encode_register(const register_order& order) {
  return dump({{"code", order.code},
               {"connectorName", order.connector_name},
               {"machineName", order.machine_name},
               {"connectorVersion", order.connector_version},
               {"features", order.features},
               {"certificateRequest", crypto::to_base64(order.certificate_request)}});
}

result<register_order> decode_register(std::string_view body) {
  return with_body(body, [](fields& in) {
    register_order out;
    out.code = in.text("code");
    out.connector_name = in.text("connectorName");
    out.machine_name = in.optional_text("machineName");
    out.connector_version = in.optional_text("connectorVersion");
    const auto& features = in.optional_items("features");
    if (features.size() > features_max)
      in.note(errc::too_large, "features", "has too many entries");
    out.features = in.texts("features", features);
    out.certificate_request = in.octets("certificateRequest", csr_bytes_max);
    return out;
  });
}

std::string encode_register_answer(const register_answer& answer) {
  ordered chain = ordered::array();
  for (const bytes& one : answer.chain)
    chain.push_back(crypto::to_base64(one));
  return dump_answer({{"connectorId", answer.connector_id},
                      {"certificate", crypto::to_base64(answer.certificate)},
                      {"chain", std::move(chain)}});
}

result<register_answer> decode_register_answer(std::string_view body) {
  return with_body(body, [](fields& whole) {
    fields in = whole.object("value");
    register_answer out;
    out.connector_id = in.text("connectorId");
    out.certificate = in.octets("certificate", limits::certificate_bytes_max);
    out.chain = read_chain(in, "chain");
    return out;
  });
}

// -- renew ------

std::string encode_renew(const caller& who, byte_view certificate_request) {
  ordered out = begin_call(who);
  out["certificateRequest"] = crypto::to_base64(certificate_request);
  return dump(out);
}

result<bytes> decode_renew(std::string_view body) {
  return with_body(body, [](fields& in) { return in.octets("certificateRequest", csr_bytes_max); });
}

std::string encode_renew_answer(byte_view certificate) {
  return dump_answer({{"certificate", crypto::to_base64(certificate)}});
}

result<bytes> decode_renew_answer(std::string_view body) {
  return with_body(body, [](fields& in) {
    return in.object("value").octets("certificate", limits::certificate_bytes_max);
  });
}

// -- import keys ------

std::string encode_import_keys(const caller& who, const std::vector<import_key>& keys) {
  ordered list = ordered::array();
  for (const auto& key : keys)
    list.push_back({{"providerName", key.provider_name},
                    {"keyName", key.key_name},
                    {"publicKey", crypto::to_base64(key.public_key)}});
  ordered out = begin_call(who);
  out["keys"] = std::move(list);
  return dump(out);
}

result<std::vector<import_key>> decode_import_keys(std::string_view body) {
  return with_body(body, [](fields& in) {
    std::vector<import_key> out;
    const auto& items = in.items("keys");
    if (items.size() > import_keys_max)
      in.note(errc::too_large, "keys", "has too many entries");
    for (std::size_t i = 0; i < items.size() && !in.shared().any(); ++i) {
      fields one(items[i], in.path("keys", i), in.shared());
      import_key key;
      key.provider_name = one.text("providerName");
      key.key_name = one.text("keyName");
      key.public_key = one.octets("publicKey", public_key_bytes_max);
      out.push_back(std::move(key));
    }
    return out;
  });
}

std::string encode_import_keys_answer() { return dump_answer(true); }

result<bool> decode_import_keys_answer(std::string_view body) {
  return with_body(body, [](fields& in) {
    bool taken = in.flag("value");
    if (!taken)
      in.note(errc::bad_input, "value", "is not true");
    return taken;
  });
}

// -- check in ------

result<caller> decode_caller(std::string_view body) {
  return with_body(body, [](fields& in) {
    caller out;
    out.connector_id = in.text("connectorId");
    out.epoch = in.number("epoch", 0, UINT64_MAX);
    out.run_id = in.text("runId");
    if (out.run_id.size() != run_id_digits || !from_hex(out.run_id))
      in.note(errc::bad_input, "runId", "is not 32 hexadecimal digits");
    return out;
  });
}

std::string encode_check_in(const caller& who, const check_in_order& order) {
  ordered out = begin_call(who);
  out["connectorVersion"] = order.connector_version;
  out["anchor"] = anchor_to_json(order.at);
  if (order.reconciled)
    out["reconciled"] = true;
  ordered health = ordered::parse(order.health_json, nullptr, false);
  out["health"] = health.is_object() ? std::move(health) : ordered::object();
  return dump(out);
}

result<check_in_order> decode_check_in(std::string_view body) {
  return with_body(body, [](fields& in) {
    check_in_order out;
    out.connector_version = in.text("connectorVersion");
    out.at = read_anchor(in.object("anchor"));
    out.reconciled = in.optional_flag("reconciled");
    if (const json* health = in.find("health")) {
      fields(*health, "health", in.shared());
      out.health_json = health->dump(-1, ' ', false, json::error_handler_t::replace);
    }
    return out;
  });
}

std::string encode_check_in_answer(const check_in_answer& answer) {
  return dump_answer(
    {{"anchor", answer.last_known ? anchor_to_json(*answer.last_known) : ordered(nullptr)},
     {"latestVersion", text_or_null(answer.latest_version)},
     {"deprecatedAfter", moment_or_null(answer.deprecated_after)},
     {"unsupportedAfter", moment_or_null(answer.unsupported_after)},
     {"lifecycle", answer.lifecycle}});
}

/// An unknown `lifecycle` word is passed on: it is for people, and no reason to stop work.
result<check_in_answer> decode_check_in_answer(std::string_view body) {
  return with_body(body, [](fields& whole) {
    fields in = whole.object("value");
    check_in_answer out;
    if (in.find("anchor") != nullptr)
      out.last_known = read_anchor(in.object("anchor"));
    out.latest_version = in.optional_text("latestVersion");
    out.deprecated_after = in.optional_moment("deprecatedAfter");
    out.unsupported_after = in.optional_moment("unsupportedAfter");
    out.lifecycle = in.text("lifecycle");
    return out;
  });
}

// -- leases ------

std::string encode_renew_leases(const caller& who, std::int64_t lease_ms,
                                const std::vector<lease_claim>& claims) {
  ordered leases = ordered::array();
  for (const auto& claim : claims)
    leases.push_back({{"requestContext", claim.context}, {"leaseNumber", claim.lease_number}});
  ordered out = begin_call(who);
  out["leaseSeconds"] = lease_ms / 1'000;
  out["leases"] = std::move(leases);
  return dump(out);
}

result<std::vector<lease_claim>> decode_renew_leases(std::string_view body,
                                                     std::int64_t& lease_ms) {
  return with_body(body, [&lease_ms](fields& in) {
    lease_ms = static_cast<std::int64_t>(in.number("leaseSeconds", 1, lease_seconds_max)) * 1'000;
    std::vector<lease_claim> out;
    const auto& items = in.items("leases");
    for (std::size_t i = 0; i < items.size(); ++i) {
      fields one(items[i], in.path("leases", i), in.shared());
      std::string context = context_of(one);
      out.push_back({std::move(context), one.number("leaseNumber", 1, UINT64_MAX)});
    }
    return out;
  });
}

std::string encode_renew_leases_answer(const std::vector<lease_answer>& answers) {
  ordered out = ordered::array();
  for (const auto& answer : answers)
    out.push_back({{"requestContext", answer.context}, {"held", answer.held}});
  return dump_answer(std::move(out));
}

result<std::vector<lease_answer>> decode_renew_leases_answer(std::string_view body) {
  return with_body(body, [](fields& in) {
    std::vector<lease_answer> out;
    const auto& items = in.items("value");
    for (std::size_t i = 0; i < items.size(); ++i) {
      fields one(items[i], in.path("value", i), in.shared());
      std::string context = context_of(one);
      out.push_back({std::move(context), one.flag("held")});
    }
    return out;
  });
}

} // namespace pfx::connect::service
