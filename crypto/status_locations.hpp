// Where the status of a certificate and its issuer can be fetched: the extensions that say so.
#pragma once

#include <string>

#include "core/bytes.hpp"

namespace pfx::crypto {

/// Addresses that begin with "http://"; an empty one is left out. Not HTTPS: who checks a
/// certificate for that would first have to check a certificate (RFC 5280 8).
struct status_locations {
  std::string crl;
  std::string ocsp;
  std::string issuer; ///< the CA's certificate, DER
};

/// cRLDistributionPoints and authorityInfoAccess (RFC 5280 4.2.1.13 and 4.2.2.1), one after the
/// other without a SEQUENCE around them; empty if there is no address. errc::bad_input, field
/// "crl", "ocsp" or "issuer".
[[nodiscard]] result<bytes> encode_status_locations(const status_locations& where);

} // namespace pfx::crypto
