// What every call to an Intune service has in common: find the service, sign the call with a token,
// send it, understand failures. Refuses answers that are no JSON object.
#pragma once

#include "connect/intune/discovery.hpp"

namespace pfx::connect::intune {

struct service_call {
  std::string service;     ///< "PkiConnectorFEService"
  std::string suffix;      ///< "CertificateAuthorityRequests/downloadRevocationRequests"
  std::string api_version; ///< sent as a header
  std::string body;        ///< JSON in UTF-8
};

struct service_reply {
  std::string body;       ///< a JSON object
  std::string request_id; ///< client-request-id under which it was answered
};

/// Thread-safe; blocks. A fake stands in for it in tests.
class intune_services {
public:
  virtual ~intune_services() = default;
  /// Any failure at the service makes the directory forget its addresses.
  virtual answer<service_reply> post(const service_call& call) = 0;
};

/// All outlive the object; `scope` is the Intune one.
[[nodiscard]] std::unique_ptr<intune_services> make_services(web& over, token_source& tokens,
                                                             service_directory& directory,
                                                             std::string scope);

/// "Contoso 1.2": a name that is sent and logged. errc::bad_input if it is blank or not plain.
[[nodiscard]] result<void> check_caller(std::string_view caller);
/// "2018-02-20"
[[nodiscard]] result<void> check_version(std::string_view version, std::string_view field);
/// errc::bad_input if it is blank, errc::too_large if over `bytes_max`; `field` names it.
[[nodiscard]] result<void> check_text(std::string_view text, std::size_t bytes_max,
                                      std::string_view field);

} // namespace pfx::connect::intune
