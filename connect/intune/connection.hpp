// One tenant: settings in, the typed services out. Owns all that lies between. Refuses settings
// that are missing or malformed, and names them; calls nobody until it is asked to.
#pragma once

#include "connect/intune/clouds.hpp"
#include "connect/intune/revocation.hpp"
#include "connect/intune/scep.hpp"

namespace pfx::connect::intune {

struct connection_settings {
  cloud where; ///< cloud_named("public"), parts replaced as wanted
  std::string tenant;
  std::string client_id;
  std::vector<credential> credentials;
  std::string caller; ///< product and version, as Intune's logs show it
  std::string intune_app_id = "0000000a-0000-0000-c000-000000000000";
  std::string graph_version = "v1.0";
  std::string scep_version = std::string(intune::scep_version);
  std::string revocation_version = std::string(intune::revocation_version);
  web_options network;
};

/// Thread-safe as its parts are.
class connection {
public:
  /// errc::bad_input names the setting.
  [[nodiscard]] static result<std::unique_ptr<connection>> make(connection_settings settings,
                                                                token_surroundings around = {});
  ~connection();
  [[nodiscard]] scep_service& scep() noexcept;
  [[nodiscard]] revocation_service& revocations() noexcept;
  [[nodiscard]] token_source& tokens() noexcept;
  /// Both tokens and the addresses of both services; spends no challenge and takes nothing from a
  /// queue. The first thing that is wrong.
  [[nodiscard]] answer<std::vector<service_location>> probe();
  /// Keeps the token for Intune fresh, so that a credential that is refused is noticed before it is
  /// needed. Asks the sign-in service only when the token is about to end.
  [[nodiscard]] answer<void> upkeep();
  /// Ends running and later calls with errc::stopping.
  void cancel() noexcept;

private:
  struct parts;
  explicit connection(std::unique_ptr<parts> made) noexcept;
  std::unique_ptr<parts> parts_;
};

} // namespace pfx::connect::intune
