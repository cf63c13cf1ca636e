// The issuance policy: closed by default, decided here and not by the service
// (docs/configuration.md).
// Pure: a request in, yes or the name of the field that is forbidden out.
#pragma once

#include <string>
#include <vector>

#include "core/request.hpp"
#include "core/result.hpp"

namespace pfx::actors::tasks {

struct issuance_policy {
  struct allowed_authority {
    std::string name;
    std::vector<std::string> templates;
  };
  std::vector<allowed_authority> authorities;
  std::vector<name_type> name_types;
  /// "example.test" (that name and those below), ".example.test" (those below only).
  std::vector<std::string> name_suffixes;
  std::vector<std::string> ip_ranges;               ///< CIDR
  std::vector<std::string> directory_name_suffixes; ///< RFC 4514
  std::vector<std::string> security_identifier_domains;
  std::vector<std::string> extended_key_usages; ///< dotted OIDs
  std::vector<key_algorithm> key_algorithms;    ///< empty = all of the protocol
  std::int64_t validity_days_max = 397;
};

/// errc::policy with the field ("certificate.certificateAuthority",
/// "certificate.subjectAlternativeNames[1].value", "certificate.extendedKeyUsages[0]",
/// "certificate.securityIdentifier", "certificate.keyUsages", "certificate.validity", …), or
/// errc::bad_input where a value makes no sense at all.
[[nodiscard]] result<void> check_issuance(const create_order& order, const issuance_policy& policy);

} // namespace pfx::actors::tasks
