// The issuance policy, decided value by value. What is not allowed is refused by policy, what is
// malformed as bad input.
#include "actors/tasks/issuance_policy.hpp"

#include <algorithm>
#include <array>

#include "actors/tasks/allowed_names.hpp"
#include "core/limits.hpp"
#include "crypto/name.hpp"

namespace pfx::actors::tasks {

namespace {

constexpr std::string_view any_purpose = "2.5.29.37.0";
constexpr std::string_view sid_uri = "tag:microsoft.com,2022-09-14:sid:"; // MS-PKCA
constexpr std::uint32_t relative_id_min = 1000; // below: administrators and other well-known ones
constexpr std::int64_t month_days_max = 31;
constexpr std::int64_t year_days_max = 366;

bool has_controls(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
  });
}

template <class Values, class Value>
bool holds(const Values& values, const Value& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

/// The domain is everything but the last number, exactly: a longer SID is of another domain.
result<void> check_security_identifier(const std::string& sid, const issuance_policy& policy) {
  const std::string field = "certificate.securityIdentifier";
  if (sid.empty()) {
    return {};
  }
  if (!is_sid(sid)) {
    return failure(errc::bad_input, field, "is no security identifier");
  }
  const auto dash = sid.rfind('-');
  if (!holds(policy.security_identifier_domains, sid.substr(0, dash))) {
    return failure(errc::policy, field, "is of a domain that is not allowed");
  }
  const auto relative = sub_authority(std::string_view(sid).substr(dash + 1));
  if (!relative || *relative < relative_id_min) {
    return failure(errc::policy, field, "relative identifiers below 1000 are never certified");
  }
  return {};
}

// -- alternative names ------

bool looks_like_sid_uri(std::string_view uri) {
  // Also in a spelling that only a lenient reader takes for it.
  return lowered(uri.substr(0, 4)) == "tag:" && lowered(uri).find(":sid:") != std::string::npos;
}

result<void> check_uri(const std::string& value, const create_order& order,
                       const issuance_policy& policy, const std::string& field) {
  if (looks_like_sid_uri(value)) {
    const bool equal = !order.security_identifier.empty()
      && value == std::string(sid_uri) + order.security_identifier;
    return equal ? result<void>{}
                 : failure(errc::policy, field, "names another SID than securityIdentifier");
  }
  const auto host = host_of_uri(value);
  if (!host || !is_host(*host)) {
    return failure(errc::bad_input, field, "is no URI with a host name");
  }
  if (!host_allowed(*host, policy.name_suffixes)) {
    return failure(errc::policy, field, "its host is not allowed");
  }
  return {};
}

result<void> check_host(std::optional<std::string_view> host, const issuance_policy& policy,
                        const std::string& field, std::string shape) {
  if (!host || !is_host(*host)) {
    return failure(errc::bad_input, field, std::move(shape));
  }
  if (!host_allowed(*host, policy.name_suffixes)) {
    return failure(errc::policy, field, "its domain is not allowed");
  }
  return {};
}

result<void> check_address(const std::string& value, const issuance_policy& policy,
                           const std::string& field) {
  const auto address = address_of(value);
  if (!address) {
    return failure(errc::bad_input, field, "is no IP address");
  }
  const bool allowed
    = std::any_of(policy.ip_ranges.begin(), policy.ip_ranges.end(),
                  [&address](const std::string& range) { return in_range(*address, range); });
  return allowed ? result<void>{} : failure(errc::policy, field, "the address is not allowed");
}

result<void> check_directory_name(const std::string& value, const issuance_policy& policy,
                                  const std::string& field) {
  const auto name = crypto::name_from_text(value);
  if (!name) {
    return failure(errc::bad_input, field, name.error().message);
  }
  return directory_name_allowed(*name, policy.directory_name_suffixes)
    ? result<void>{}
    : failure(errc::policy, field, "the name is not below an allowed one");
}

result<void> check_alternative_name(const alternative_name& name, const create_order& order,
                                    const issuance_policy& policy, const std::string& field) {
  if (!holds(policy.name_types, name.type)) {
    return failure(errc::policy, field + ".type",
                   "names of type " + std::string(name_of(name.type)) + " are not allowed");
  }
  const std::string value_field = field + ".value";
  if (name.value.empty() || has_controls(name.value)) {
    return failure(errc::bad_input, value_field,
                   name.value.empty() ? "is empty" : "holds control characters");
  }
  switch (name.type) {
    case name_type::rfc822:
    case name_type::upn:
      return check_host(domain_of(name.value), policy, value_field, "is no name@domain");
    case name_type::dns:
      return check_host(name.value, policy, value_field, "is no host name");
    case name_type::uri:
      return check_uri(name.value, order, policy, value_field);
    case name_type::ip:
      return check_address(name.value, policy, value_field);
    case name_type::directory_name:
      return check_directory_name(name.value, policy, value_field);
  }
  return failure(errc::bad_input, field + ".type", "is of an unknown type");
}

result<void> check_alternative_names(const create_order& order, const issuance_policy& policy) {
  const std::string field = "certificate.subjectAlternativeNames";
  if (order.alternative_names.size() > limits::alternative_names_max) {
    return failure(errc::too_large, field, "has too many names");
  }
  for (std::size_t i = 0; i < order.alternative_names.size(); ++i) {
    auto checked = check_alternative_name(order.alternative_names[i], order, policy,
                                          field + "[" + std::to_string(i) + "]");
    if (!checked) {
      return checked;
    }
  }
  return {};
}

// -- everything else ------

result<void> check_authority(const create_order& order, const issuance_policy& policy) {
  const auto found
    = std::find_if(policy.authorities.begin(), policy.authorities.end(),
                   [&order](const auto& one) { return one.name == order.authority; });
  if (order.authority.empty() || found == policy.authorities.end()) {
    return failure(errc::policy, "certificate.certificateAuthority",
                   "is not allowed: " + printable(order.authority));
  }
  if (order.certificate_template.empty() || !holds(found->templates, order.certificate_template)) {
    return failure(errc::policy, "certificate.certificateTemplate",
                   "is not allowed: " + printable(order.certificate_template));
  }
  return {};
}

result<void> check_extended_usages(const create_order& order, const issuance_policy& policy) {
  const std::string field = "certificate.extendedKeyUsages";
  if (order.extended_usages.size() > limits::extended_key_usages_max) {
    return failure(errc::too_large, field, "has too many purposes");
  }
  if (order.extended_usages.empty()) {
    return failure(errc::policy, field, "is empty, which means every purpose (RFC 5280 4.2.1.12)");
  }
  for (std::size_t i = 0; i < order.extended_usages.size(); ++i) {
    const auto& usage = order.extended_usages[i];
    // Smart-card logon and enrolment agent need no rule of their own: they must be named as well.
    if (usage.empty() || usage == any_purpose || !holds(policy.extended_key_usages, usage)) {
      return failure(errc::policy, field + "[" + std::to_string(i) + "]",
                     "the purpose is not allowed: " + printable(usage));
    }
  }
  return {};
}

bool has(key_usages usages, key_usage wanted) {
  return (usages & static_cast<key_usages>(wanted)) != 0;
}

result<void> check_key(const create_order& order, const issuance_policy& policy) {
  if (!policy.key_algorithms.empty() && !holds(policy.key_algorithms, order.key)) {
    return failure(errc::policy, "certificate.keyAlgorithm",
                   "is not allowed: " + std::string(name_of(order.key)));
  }
  const std::string field = "certificate.keyUsages";
  if (has(order.usages, key_usage::key_cert_sign) || has(order.usages, key_usage::crl_sign)) {
    return failure(errc::policy, field, "keyCertSign and cRLSign are a CA's");
  }
  const bool encipher = has(order.usages, key_usage::key_encipherment)
    || has(order.usages, key_usage::data_encipherment);
  if (!is_rsa(order.key) && encipher) {
    return failure(errc::bad_input, field,
                   "keyEncipherment and dataEncipherment do not fit an EC key (RFC 8813)");
  }
  return {};
}

/// The longest a month or a year can be is what counts.
result<void> check_validity(const create_order& order, const issuance_policy& policy) {
  const std::string field = "certificate.validity";
  std::int64_t unit_days = 1;
  switch (order.validity.unit) {
    case validity_unit::days:
      break;
    case validity_unit::months:
      unit_days = month_days_max;
      break;
    case validity_unit::years:
      unit_days = year_days_max;
      break;
    default:
      return failure(errc::bad_input, field, "has an unknown unit");
  }
  if (order.validity.value == 0) {
    return failure(errc::bad_input, field, "is zero");
  }
  if (std::int64_t{order.validity.value} * unit_days > policy.validity_days_max) {
    return failure(errc::policy, field,
                   "is longer than " + std::to_string(policy.validity_days_max) + " days");
  }
  return {};
}

} // namespace

result<void> check_issuance(const create_order& order, const issuance_policy& policy) {
  using check = result<void> (*)(const create_order&, const issuance_policy&);
  constexpr std::array<check, 5> checks{&check_authority, &check_key, &check_validity,
                                        &check_extended_usages, &check_alternative_names};
  for (const auto one : checks) {
    if (auto checked = one(order, policy); !checked) {
      return checked;
    }
  }
  return check_security_identifier(order.security_identifier, policy);
}

} // namespace pfx::actors::tasks
