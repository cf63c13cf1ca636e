// A certificate read by the judge's own eyes: from its octets, with no code that the engine uses to
// make it. Reads what the judge compares, nothing else; what it can't read is a fault, not a crash.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/request.hpp"

namespace pfx::sandbox {

struct attribute {
  std::string oid;
  std::string value; ///< UTF-8
  auto operator<=>(const attribute&) const = default;
};
using relative_name = std::vector<attribute>; ///< one RDN, sorted
using full_name = std::vector<relative_name>; ///< in the order of the DER: least specific first

/// A GeneralName in a comparable form.
struct general_name {
  name_type type = name_type::rfc822;
  std::string value; ///< text; for ip: the raw octets; empty for directoryName
  full_name directory;
  auto operator<=>(const general_name&) const = default;
};

struct seen_certificate {
  full_name issuer;
  full_name subject;
  unix_ms not_before = 0;
  unix_ms not_after = 0;
  bytes public_key; ///< SubjectPublicKeyInfo, DER
  bool is_ca = false;
  std::optional<key_usages> usages;
  std::vector<std::string> extended_usages;
  std::vector<general_name> alternative_names;
  std::vector<std::string> unknown_names; ///< general names of other types
  std::string security_identifier;
  std::vector<std::string> critical; ///< OIDs of critical extensions
};

[[nodiscard]] std::optional<seen_certificate> read_certificate(byte_view der);

/// For people: "2.5.4.3=Alice + 2.5.4.5=7, 2.5.4.10=Org".
[[nodiscard]] std::string to_text(const full_name& name);

} // namespace pfx::sandbox
