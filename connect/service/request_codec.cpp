// Requests of a download as values. Refuses missing and wrong-typed mandatory fields, unknown words
// and counts over the limits; an unknown `kind` is a value, not a fault.
#include "connect/service/request_codec.hpp"

#include <array>

#include "connect/service/codec.hpp"
#include "connect/service/compose.hpp"
#include "core/limits.hpp"
#include "crypto/digest.hpp"

namespace pfx::connect::service {

namespace {

constexpr std::size_t encrypted_password_bytes_max = 2'048; ///< RSA with 16,384 bits
constexpr std::size_t object_identifier_bytes_max = 256;

constexpr std::array top_level_fields = {"requestContext",    "kind",
                                         "createdDateTime",   "expiresDateTime",
                                         "deviceId",          "userId",
                                         "userPrincipalName", "profileId",
                                         "recipients",        "certificate",
                                         "pfxProfile",        "thumbprint",
                                         "intendedPurpose",   "providerName",
                                         "keyName",           "paddingScheme",
                                         "encryptedPfxBlob",  "encryptedPfxPassword"};

bool over(fields& in, const char* name, std::size_t count, std::size_t count_max) {
  if (count > count_max)
    in.note(errc::too_large, name, "has more than " + std::to_string(count_max) + " entries");
  return count > count_max;
}

std::vector<recipient> read_recipients(fields& in) {
  std::vector<recipient> out;
  const auto& items = in.items("recipients");
  if (items.empty() || items.size() > limits::recipients_max) {
    in.note(errc::bad_input, "recipients",
            "must have 1 to " + std::to_string(limits::recipients_max) + " entries");
    return out;
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    fields one(items[i], in.path("recipients", i), in.shared());
    recipient made;
    made.id = one.text("recipientId");
    made.certificate = one.octets("certificate", limits::certificate_bytes_max);
    made.transport = one.word<key_transport>("keyTransport", key_transport_of, made.transport);
    out.push_back(std::move(made));
  }
  return out;
}

std::vector<alternative_name> read_alternative_names(fields& in) {
  std::vector<alternative_name> out;
  const auto& items = in.optional_items("subjectAlternativeNames");
  if (over(in, "subjectAlternativeNames", items.size(), limits::alternative_names_max))
    return out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    fields one(items[i], in.path("subjectAlternativeNames", i), in.shared());
    auto type = one.word<name_type>("type", name_type_of, name_type::rfc822);
    out.push_back({type, one.text("value")});
  }
  return out;
}

key_usages read_usages(fields& in) {
  key_usages out = 0;
  const auto& items = in.optional_items("keyUsages");
  if (over(in, "keyUsages", items.size(), 16))
    return out;
  auto words = in.texts("keyUsages", items);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (auto usage = key_usage_of(words[i]))
      out = static_cast<key_usages>(out | static_cast<key_usages>(*usage));
    else
      in.shared().note(errc::bad_input, in.path("keyUsages", i),
                       "is not a word of the protocol: " + printable(words[i], 64));
  }
  return out;
}

std::vector<std::string> read_extended_usages(fields& in) {
  const auto& items = in.optional_items("extendedKeyUsages");
  if (over(in, "extendedKeyUsages", items.size(), limits::extended_key_usages_max))
    return {};
  auto out = in.texts("extendedKeyUsages", items);
  for (std::size_t i = 0; i < out.size(); ++i)
    if (out[i].size() > object_identifier_bytes_max
        || out[i].find_first_not_of("0123456789.") != std::string::npos)
      in.shared().note(errc::bad_input, in.path("extendedKeyUsages", i),
                       "is not a dotted object identifier");
  return out;
}

create_order read_create(fields in) {
  create_order out;
  out.subject = in.any_text("subject");
  out.alternative_names = read_alternative_names(in);
  out.key = in.word<key_algorithm>("keyAlgorithm", key_algorithm_of, out.key);
  out.hash = in.optional_word<hash_algorithm>("hashAlgorithm", hash_algorithm_of, out.hash);
  out.usages = read_usages(in);
  out.extended_usages = read_extended_usages(in);
  fields validity = in.object("validity");
  out.validity.value = static_cast<std::uint32_t>(validity.number("value", 1, UINT32_MAX));
  out.validity.unit = validity.word<validity_unit>("unit", validity_unit_of, out.validity.unit);
  out.security_identifier = in.optional_text("securityIdentifier");
  out.authority = in.text("certificateAuthority");
  out.certificate_template = in.optional_text("certificateTemplate");
  return out;
}

/// A created file has no form of its own that could stay.
std::optional<pfx_profile> created_profile_of(std::string_view word) noexcept {
  const auto found = pfx_profile_of(word);
  return found == pfx_profile::unchanged ? std::nullopt : found;
}

import_order read_import(fields& in) {
  import_order out;
  out.thumbprint = in.text("thumbprint");
  out.intended_purpose = in.optional_text("intendedPurpose");
  out.provider_name = in.text("providerName");
  out.key_name = in.text("keyName");
  out.padding_scheme = in.text("paddingScheme");
  out.encrypted_pfx = in.octets("encryptedPfxBlob", limits::pfx_bytes_max);
  out.encrypted_password = in.octets("encryptedPfxPassword", encrypted_password_bytes_max);
  return out;
}

void read_common(fields& in, pfx_request& out) {
  out.created = in.optional_moment("createdDateTime").value_or(0);
  out.device_id = in.text("deviceId");
  out.user_id = in.optional_text("userId");
  out.user_principal_name = in.optional_text("userPrincipalName");
  out.profile_id = in.optional_text("profileId");
  out.recipients = read_recipients(in);
}

ordered create_to_json(const create_order& order) {
  ordered names = ordered::array();
  for (const auto& name : order.alternative_names)
    names.push_back({{"type", name_of(name.type)}, {"value", name.value}});
  ordered usages = ordered::array();
  for (unsigned bit = 0; bit < 9; ++bit)
    if ((order.usages >> bit & 1u) != 0)
      usages.push_back(name_of(static_cast<key_usage>(1u << bit)));
  return {{"subject", order.subject},
          {"subjectAlternativeNames", std::move(names)},
          {"keyAlgorithm", name_of(order.key)},
          {"hashAlgorithm", name_of(order.hash)},
          {"keyUsages", std::move(usages)},
          {"extendedKeyUsages", order.extended_usages},
          {"validity", {{"value", order.validity.value}, {"unit", name_of(order.validity.unit)}}},
          {"securityIdentifier", text_or_null(order.security_identifier)},
          {"certificateAuthority", order.authority},
          {"certificateTemplate", text_or_null(order.certificate_template)}};
}

void put_import(ordered& out, const import_order& order) {
  out["thumbprint"] = order.thumbprint;
  out["intendedPurpose"] = text_or_null(order.intended_purpose);
  out["providerName"] = order.provider_name;
  out["keyName"] = order.key_name;
  out["paddingScheme"] = order.padding_scheme;
  out["encryptedPfxBlob"] = crypto::to_base64(order.encrypted_pfx);
  out["encryptedPfxPassword"] = crypto::to_base64(order.encrypted_password);
}

} // namespace

pfx_request read_request(fields& in) {
  pfx_request out;
  out.context = in.text("requestContext", limits::request_context_bytes_max);
  out.kind_word = in.text("kind");
  out.kind = request_kind_of(out.kind_word).value_or(request_kind::unknown);
  out.expires = in.moment("expiresDateTime");
  if (out.kind == request_kind::unknown && !out.kind_word.empty()) {
    // What a kind of tomorrow looks like is not known today: read what can be read.
    fault ignored;
    if (const json* whole = in.whole()) {
      fields lenient(*whole, "", ignored);
      read_common(lenient, out);
    }
    return out;
  }
  read_common(in, out);
  if (out.kind == request_kind::pfx_create) {
    out.create = read_create(in.object("certificate"));
    out.profile = in.optional_word<pfx_profile>("pfxProfile", created_profile_of, out.profile);
  } else if (out.kind == request_kind::pfx_import) {
    out.import = read_import(in);
    out.profile
      = in.optional_word<pfx_profile>("pfxProfile", pfx_profile_of, pfx_profile::unchanged);
  }
  return out;
}

digest fingerprint_of_unreadable(const json& entry) {
  json known = json::object();
  for (const char* name : top_level_fields)
    if (auto at = entry.find(name); at != entry.end())
      known[name] = *at;
  return crypto::sha256(as_bytes(known.dump(-1, ' ', false, json::error_handler_t::replace)));
}

std::string encode_request(const pfx_request& request, std::uint64_t lease_number,
                           std::int64_t lease_ms) {
  ordered recipients = ordered::array();
  for (const auto& one : request.recipients)
    recipients.push_back({{"recipientId", one.id},
                          {"certificate", crypto::to_base64(one.certificate)},
                          {"keyTransport", name_of(one.transport)}});
  bool unknown = request.kind == request_kind::unknown;
  ordered out = {{"requestContext", request.context},
                 {"kind", unknown ? request.kind_word : std::string(name_of(request.kind))},
                 {"leaseNumber", lease_number},
                 {"leaseSeconds", lease_ms / 1'000},
                 {"createdDateTime",
                  request.created == 0 ? ordered(nullptr) : ordered(to_rfc3339(request.created))},
                 {"expiresDateTime", to_rfc3339(request.expires)},
                 {"deviceId", request.device_id},
                 {"userId", text_or_null(request.user_id)},
                 {"userPrincipalName", text_or_null(request.user_principal_name)},
                 {"profileId", text_or_null(request.profile_id)},
                 {"recipients", std::move(recipients)}};
  if (request.kind == request_kind::pfx_create) {
    out["certificate"] = create_to_json(request.create);
    out["pfxProfile"] = name_of(request.profile);
  } else if (request.kind == request_kind::pfx_import) {
    put_import(out, request.import);
    out["pfxProfile"] = name_of(request.profile);
  }
  return dump(out);
}

} // namespace pfx::connect::service
