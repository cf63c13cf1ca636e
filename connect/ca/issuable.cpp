// Judges the extensions of a CSR one by one. Refuses what it cannot read.
#include "connect/ca/issuable.hpp"

#include <algorithm>

#include "connect/ca/der.hpp"

namespace pfx::connect::ca {

namespace {

constexpr std::string_view key_usage_oid = "2.5.29.15";
constexpr std::string_view alternative_name_oid = "2.5.29.17";
constexpr std::string_view basic_constraints_oid = "2.5.29.19";
constexpr std::string_view extended_key_usage_oid = "2.5.29.37";
constexpr std::string_view security_identifier_oid = "1.3.6.1.4.1.311.25.2";

/// keyCertSign and cRLSign, bits 5 and 6 of the BIT STRING (RFC 5280 4.2.1.3).
constexpr std::uint8_t certification_bits = 0x04 | 0x02;

result<void> check_key_usage(byte_view value) {
  const auto bits = der::only(value);
  if (!bits || bits->tag != 0x03 || bits->value.size() < 2 || bits->value[0] > 7) {
    return failure(errc::policy, "keyUsage", "is no BIT STRING with bits set");
  }
  if ((bits->value[1] & certification_bits) != 0) {
    return failure(errc::policy, "keyUsage", "asks for keyCertSign or cRLSign");
  }
  return {};
}

/// CA:FALSE is what the certificate gets anyway; everything else is refused.
result<void> check_basic_constraints(byte_view value) {
  const auto sequence = der::only(value);
  const auto parts
    = sequence && sequence->tag == 0x30 ? der::children(sequence->value) : std::nullopt;
  const bool harmless = parts && std::all_of(parts->begin(), parts->end(), [](const auto& part) {
                          return part.tag == 0x01 && part.value.size() == 1 && part.value[0] == 0;
                        });
  if (!harmless) {
    return failure(errc::policy, "basicConstraints", "asks for a CA certificate");
  }
  return {};
}

result<void> check_security_identifier(byte_view value, std::string_view ordered) {
  if (ordered.empty()) {
    return failure(errc::policy, "securityIdentifier", "is in the CSR but not in the submission");
  }
  const auto expected = crypto::encode_security_identifier(ordered);
  if (!expected || !std::ranges::equal(*expected, value)) {
    return failure(errc::policy, "securityIdentifier", "differs between submission and CSR");
  }
  return {};
}

} // namespace

result<bytes> issuable_extensions(const crypto::csr& request,
                                  std::string_view security_identifier) {
  bytes kept;
  bool names_subject = request.subject.size() > 2; // an empty Name is 30 00
  bool sid_seen = false;
  if (!request.extensions.empty()) {
    const auto list = der::extensions(request.extensions);
    if (!list) {
      return failure(errc::policy, "extensions", "are malformed, repeated or too many");
    }
    for (const auto& one : *list) {
      result<void> verdict;
      if (one.oid == key_usage_oid) {
        verdict = check_key_usage(one.value);
      } else if (one.oid == basic_constraints_oid) {
        verdict = check_basic_constraints(one.value);
      } else if (one.oid == security_identifier_oid) {
        sid_seen = true;
        verdict = check_security_identifier(one.value, security_identifier);
      } else if (one.oid == alternative_name_oid) {
        names_subject = true;
      } else if (one.oid != extended_key_usage_oid) {
        verdict
          = failure(errc::policy, "extensions", "hold " + one.oid + ", which is not issued here");
      }
      if (!verdict) {
        return failure(verdict.error());
      }
      if (one.oid != basic_constraints_oid) {
        kept.insert(kept.end(), one.whole.begin(), one.whole.end());
      }
    }
  }
  if (!security_identifier.empty() && !sid_seen) {
    return failure(errc::policy, "securityIdentifier", "is in the submission but not in the CSR");
  }
  if (!names_subject) {
    return failure(errc::policy, "subject", "is empty and there is no alternative name");
  }
  return kept.empty() ? bytes() : der::wrap(0x30, kept);
}

} // namespace pfx::connect::ca
