// A configuration for a connector that works against a sandbox: opens what the sandbox asks for and
// nothing else.
#pragma once

#include <optional>

#include "core/result.hpp"
#include "engine/configuration.hpp"
#include "sandbox/sandbox.hpp"

namespace pfx::app {

/// What a sandbox tells its connectors.
struct sandbox_address {
  std::string service_url;
  std::string ca_url;
  std::string ca_name;
  std::string tenant;
  std::string server_roots;
  std::string ca_roots;
  std::string device_roots;
  std::int64_t lease_ms = 60'000;                     ///< the longest that it grants
  std::optional<sandbox::intune_address> intune = {}; ///< none: no tenant is asked for orders
};

/// Data directory and master key lie in `folder`.
[[nodiscard]] engine::configuration connector_for(const sandbox_address& where,
                                                  const std::string& folder);

/// Writes `<folder>/pfxengine.json` and makes data directory and master key beside it; the path.
/// errc::conflict if there is one already.
[[nodiscard]] result<std::string> write_connector(const sandbox_address& where,
                                                  const std::string& folder);

/// Makes the connector key that a sandbox's imports are encrypted to; `run` makes it known.
/// errc::conflict if there is one already.
[[nodiscard]] result<void> make_import_key(const engine::configuration& settings);

} // namespace pfx::app
