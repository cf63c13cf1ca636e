// sandbox.json: what a connector needs to know of a sandbox, for people and scripts.
#pragma once

#include <string>
#include <vector>

#include "crypto/status_locations.hpp"
#include "sandbox/intune/scep_desk.hpp"
#include "sandbox/sandbox.hpp"

namespace pfx::sandbox {

struct description {
  std::string service_url;
  std::string ca_url;
  crypto::status_locations in_public;
  std::string tenant;
  std::string authority_name;
  std::vector<std::string> registration_codes;
  std::string server_roots;
  std::string device_roots;
  std::string ca_root;
  intune_address intune;
  std::vector<scep_challenge> challenges;
};

/// JSON, indented, with a newline at its end.
[[nodiscard]] std::string description_of(const description& what);

} // namespace pfx::sandbox
