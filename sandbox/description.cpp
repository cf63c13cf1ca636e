// Writes the description, and beside it what the orders of this room will ask a policy to open.
#include "sandbox/description.hpp"

#include <nlohmann/json.hpp>

#include "sandbox/orders.hpp"

namespace pfx::sandbox {

std::string description_of(const description& what) {
  using json = nlohmann::ordered_json;
  const json text = {
    {"serviceUrl", what.service_url},
    {"caUrl", what.ca_url},
    {"crlUrl", what.in_public.crl},
    {"ocspUrl", what.in_public.ocsp},
    {"issuerUrl", what.in_public.issuer},
    {"tenant", what.tenant},
    {"certificateAuthority", what.authority_name},
    {"certificateTemplates", json::array({"User", "Device"})},
    {"sanSuffixes", json::array({"example.test"})},
    {"sidDomainPrefixes", json::array({sid_domain})},
    {"extendedKeyUsages", json::array({"1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4"})},
    {"registrationCodes", what.registration_codes},
    {"serverRoots", what.server_roots},
    {"deviceRoots", what.device_roots},
    {"caRoot", what.ca_root},
  };
  return text.dump(2) + "\n";
}

} // namespace pfx::sandbox
