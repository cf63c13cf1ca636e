// Writes the description, and beside it what the orders of this room will ask a policy to open.
#include "sandbox/description.hpp"

#include <nlohmann/json.hpp>

#include "sandbox/intune/tenant.hpp"
#include "sandbox/orders.hpp"

namespace pfx::sandbox {

namespace {

using json = nlohmann::ordered_json;

/// The names are those of the engine's configuration where it has them; the rest is for clients of
/// others.
json intune_of(const description& what) {
  const auto& at = what.intune;
  json challenges = json::array();
  for (const auto& one : what.challenges) {
    challenges.push_back({{"challengePassword", one.password},
                          {"subject", one.subject},
                          {"rsaBitsMin", one.key_bits_min},
                          {"expires", spoken_time(one.expires)}});
  }
  return {{"tenant", at.tenant},
          {"clientId", at.client_id},
          {"loginUrl", at.login_url},
          {"graphUrl", at.graph_url},
          {"tokenUrl", at.login_url + "/" + at.tenant + "/oauth2/v2.0/token"},
          {"authority", at.login_url + "/" + at.tenant},
          {"intuneScope", "https://api.manage.microsoft.com//.default"},
          {"graphScope", at.graph_url + "/.default"},
          {"intuneAppId", intune_app_id},
          {"trustedRootsFile", at.trusted_roots},
          {"secretFile", at.secret_file},
          {"certificateFile", at.certificate_file},
          {"keyFile", at.key_file},
          {"scepChallenges", std::move(challenges)}};
}

} // namespace

std::string description_of(const description& what) {
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
    {"intune", intune_of(what)},
  };
  return text.dump(2) + "\n";
}

} // namespace pfx::sandbox
