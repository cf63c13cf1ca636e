// Where a tenant's services are: asked of Microsoft Graph, kept, forgotten as soon as a call there
// fails, because tenants move. Refuses addresses that are not https or not within the allowed
// domains: an answer must not send our tokens anywhere.
#pragma once

#include "connect/intune/token.hpp"
#include "connect/intune/web.hpp"

namespace pfx::connect::intune {

inline constexpr std::int64_t directory_age_ms_max = 86'400'000; ///< kept no longer
inline constexpr int directory_pages_max = 8;

struct service_location {
  std::string uri;           ///< no slash at its end
  std::uint64_t edition = 0; ///< of the directory in which it was found
};

/// Thread-safe; blocks.
class service_directory {
public:
  virtual ~service_directory() = default;
  /// `service` in any case, e.g. "PkiConnectorFEService". errc::not_found: the tenant has no such
  /// service (names it); errc::policy: its address is not one that we may call; errc::unauthorized
  /// with HTTP 403: the Graph permission is missing.
  virtual answer<service_location> find(const std::string& service) = 0;
  /// A call to an address of this edition failed. Does nothing if there is a newer one.
  virtual void drop(std::uint64_t edition) = 0;
};

struct directory_settings {
  std::string graph; ///< "https://graph.microsoft.com"
  std::string graph_version = "v1.0";
  std::string intune_app_id = "0000000a-0000-0000-c000-000000000000";
  std::string graph_scope;
  std::vector<std::string> domains; ///< allowed; lower case
};

/// `over`, `tokens` and `time` outlive the directory.
[[nodiscard]] result<std::unique_ptr<service_directory>> make_directory(
  web& over, token_source& tokens, directory_settings settings, const clock& time = system_clock());

} // namespace pfx::connect::intune
