// Encodes distribution points and access descriptions; neither is critical.
#include "crypto/status_locations.hpp"

#include "crypto/der.hpp"
#include "crypto/extensions.hpp"
#include "crypto/oids.hpp"

#include <algorithm>

namespace pfx::crypto {

namespace {

constexpr std::size_t address_characters_max = 1024;
constexpr std::string_view scheme = "http://";

result<void> check(const std::string& address, const char* field) {
  const bool plain = std::all_of(address.begin(), address.end(),
                                 [](char c) { return c > 0x20 && c < 0x7f && c != '"'; });
  if (address.empty()
      || (plain && address.starts_with(scheme) && address.size() > scheme.size()
          && address.size() <= address_characters_max)) {
    return {};
  }
  return failure(errc::bad_input, field, "is no address that begins with http://");
}

/// GeneralName: uniformResourceIdentifier [6] IMPLICIT IA5String.
bytes address_name(const std::string& address) {
  return der::tlv(der::context(6), as_bytes(address));
}

bytes access_description(byte_view method, const std::string& address) {
  if (address.empty())
    return {};
  return der::tlv(der::sequence, {der::tlv(der::object_identifier, method), address_name(address)});
}

} // namespace

result<bytes> encode_status_locations(const status_locations& where) {
  for (const auto& [address, field] : {std::pair(&where.crl, "crl"), std::pair(&where.ocsp, "ocsp"),
                                       std::pair(&where.issuer, "issuer")}) {
    if (auto checked = check(*address, field); !checked)
      return failure(checked.error());
  }
  bytes out;
  if (!where.crl.empty()) {
    // DistributionPoint { distributionPoint [0] { fullName [0] IMPLICIT GeneralNames } }
    const bytes full_name = der::tlv(der::context_constructed(0), address_name(where.crl));
    const bytes point = der::tlv(der::sequence, der::tlv(der::context_constructed(0), full_name));
    der::append(
      out, encode_extension(oids::crl_distribution_points, false, der::tlv(der::sequence, point)));
  }
  const bytes access = der::tlv(der::sequence,
                                {access_description(oids::access_ocsp, where.ocsp),
                                 access_description(oids::access_ca_issuers, where.issuer)});
  if (access.size() > 2)
    der::append(out, encode_extension(oids::authority_access, false, access));
  return out;
}

} // namespace pfx::crypto
