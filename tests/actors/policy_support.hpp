// An issuance policy and an order that fits it, to spoil in tests.
#pragma once

#include <string>
#include <vector>

#include "actors/tasks/issuance_policy.hpp"
#include "core/limits.hpp"

namespace pfx::policy_test {

using actors::tasks::check_issuance;
using actors::tasks::issuance_policy;

inline constexpr const char* client_auth = "1.3.6.1.5.5.7.3.2";
inline constexpr const char* mail_protection = "1.3.6.1.5.5.7.3.4";
inline constexpr const char* smart_card_logon = "1.3.6.1.4.1.311.20.2.2";
inline constexpr const char* enrolment_agent = "1.3.6.1.4.1.311.20.2.1";
inline constexpr const char* any_purpose = "2.5.29.37.0";
inline constexpr const char* our_sid = "S-1-5-21-1004336348-1177238915-682003330-1105";
inline const std::string sid_tag = "tag:microsoft.com,2022-09-14:sid:";

inline issuance_policy usual_policy() {
  issuance_policy policy;
  policy.authorities = {{"Corp-CA", {"User", "Device"}}, {"Lab-CA", {"Test"}}};
  policy.name_types = {name_type::rfc822, name_type::upn, name_type::dns,
                       name_type::uri,    name_type::ip,  name_type::directory_name};
  policy.name_suffixes = {"example.test", ".below.test"};
  policy.ip_ranges = {"10.1.0.0/16", "192.0.2.7", "2001:db8:7::/48"};
  policy.directory_name_suffixes = {"OU=People,DC=example,DC=test"};
  policy.security_identifier_domains = {"S-1-5-21-1004336348-1177238915-682003330"};
  policy.extended_key_usages = {client_auth, mail_protection};
  return policy;
}

inline create_order usual_order() {
  create_order order;
  order.subject = "CN=Ada";
  order.key = key_algorithm::rsa2048;
  order.usages = static_cast<key_usages>(key_usage::digital_signature)
    | static_cast<key_usages>(key_usage::key_encipherment);
  order.extended_usages = {client_auth};
  order.validity = {365, validity_unit::days};
  order.authority = "Corp-CA";
  order.certificate_template = "User";
  order.alternative_names = {{name_type::upn, "ada@example.test"}};
  return order;
}

/// "" if allowed, else the field that is refused.
inline std::string refused(const create_order& order,
                           const issuance_policy& policy = usual_policy()) {
  const auto checked = check_issuance(order, policy);
  if (checked) {
    return "";
  }
  const bool expected_kind = checked.error().code == errc::policy
    || checked.error().code == errc::bad_input || checked.error().code == errc::too_large;
  return expected_kind && !checked.error().message.empty() ? checked.error().field : "wrong error";
}

inline const std::string value_field = "certificate.subjectAlternativeNames[0].value";

inline std::string refused_name(name_type type, std::string value,
                                const issuance_policy& policy = usual_policy()) {
  auto order = usual_order();
  order.alternative_names = {{type, std::move(value)}};
  return refused(order, policy);
}

inline std::string refused_usages(std::vector<std::string> usages, const issuance_policy& policy) {
  auto order = usual_order();
  order.extended_usages = std::move(usages);
  return refused(order, policy);
}

inline std::string refused_sid(std::string sid) {
  auto order = usual_order();
  order.security_identifier = std::move(sid);
  return refused(order);
}

} // namespace pfx::policy_test
