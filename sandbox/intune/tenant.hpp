// The sandbox's tenant as other people's clients meet it: sign-in, the list of services, the
// revocation queue and the validation of SCEP requests, at the paths and in the words of the real
// ones. Every answer waits for the journal's sync. Refuses without a reason, as they do; the
// journal has the reason.
#pragma once

#include <mutex>

#include "sandbox/fault_injector.hpp"
#include "sandbox/intune/order_plan.hpp"
#include "sandbox/intune/scep_desk.hpp"
#include "sandbox/intune/token_desk.hpp"

namespace pfx::sandbox {

inline constexpr const char* intune_app_id = "0000000a-0000-0000-c000-000000000000";
inline constexpr const char* download_call
  = "CertificateAuthorityRequests/downloadRevocationRequests";
inline constexpr const char* upload_call = "CertificateAuthorityRequests/uploadRevocationResults";
inline constexpr const char* token_call = "oauth2/token";
/// OpenID Connect Discovery 1.0, 4: some libraries ask where the sign-in is.
inline constexpr const char* metadata_call = "openid-configuration";
inline constexpr const char* endpoints_call = "servicePrincipals/endpoints";

struct tenant_options {
  token_desk_options sign_in;
  queue_options queue;
  order_plan_options plan;
  scep_desk_options scep;
  /// The list of services in pages, names in odd case, one of them twice: all of which is allowed
  bool odd_directory = false;
  fault_injector* faults = nullptr; ///< what is wrong on purpose
};

/// What of the tenant a path means: "oauth2/token", "servicePrincipals/endpoints", or a call of its
/// services as they name it; empty if nothing.
[[nodiscard]] std::string tenant_call_of(std::string_view target);

/// Thread-safe. The journal must outlive it.
class intune_tenant {
public:
  intune_tenant(tenant_options options, journal& log);

  /// How it is reached, "https://host:port" each, the first of them told to others. Until then 503.
  void open(std::vector<std::string> bases);
  [[nodiscard]] server_response handle(const server_request& request);
  /// The service recorded a certificate of this serial number (lower-case hex): it may be ordered
  /// revoked. The caller syncs the journal.
  void recorded(const std::string& serial);
  /// All that was ordered so far is recorded, and what was to come again has come.
  [[nodiscard]] bool quiet() const;
  [[nodiscard]] queue_counts counts() const;
  [[nodiscard]] const std::vector<scep_challenge>& challenges() const { return scep_.challenges(); }

private:
  struct call {
    const server_request& request;
    std::string name;
    drawn_fault fault;
  };
  server_response token(const call& of);
  server_response metadata(const call& of);
  server_response endpoints(const call& of);
  server_response service(const call& of);
  server_response download(const call& of);
  server_response upload(const call& of);
  server_response scep(const call& of);
  /// What is refused is in the journal, the answer is opaque.
  server_response refuse(const call& of, int status, const std::string& why);
  server_response after_sync(const call& of, server_response answer);
  server_response spoiled(const call& of, server_response answer);
  [[nodiscard]] std::string base() const;

  const tenant_options options_;
  journal& log_;
  token_desk sign_in_;
  scep_desk scep_;
  mutable std::mutex mutex_; ///< guards what follows, and the order of the journal's lines
  std::vector<std::string> bases_;
  revocation_queue queue_;
  order_plan plan_;
};

} // namespace pfx::sandbox
