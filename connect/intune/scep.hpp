// SCEP requests of devices that Intune manages: is this request what the tenant's profile allows,
// and what became of it. Refuses orders with a field missing before they are sent, and to take
// anything but "Success" for a yes: without it, of validate as of success, no certificate may
// leave.
#pragma once

#include "connect/intune/calls.hpp"

namespace pfx::connect::intune {

inline constexpr std::size_t scep_request_bytes_max = 64u << 10;    ///< a CSR, DER
inline constexpr std::size_t scep_text_bytes_max = 1'024;           ///< any text of an order
inline constexpr std::size_t scep_description_characters_max = 255; ///< published

struct scep_request {
  std::string transaction_id; ///< of the SCEP message
  bytes certificate_request;  ///< PKCS#10, DER: the request itself, not its CMS envelope
};

struct scep_success {
  scep_request request;
  std::string thumbprint;    ///< SHA-1 of the certificate, 40 hexadecimal digits
  std::string serial_number; ///< comes back in revocation requests as it is sent here
  unix_ms expires = 0;
  std::string issuing_authority;
  std::string ca_configuration;      ///< may be empty; comes back in revocation requests
  std::string certificate_authority; ///< may be empty
};

struct scep_failure {
  scep_request request;
  std::int32_t hresult = 0; ///< below zero for failures, as administrators know it
  std::string description;  ///< 1..255 characters
};

/// Thread-safe; blocks. A fake stands in for it in tests. An error says nothing about the request;
/// after one of `validate` no failure notification is due.
class scep_service {
public:
  virtual ~scep_service() = default;
  virtual answer<scep_verdict> validate(const scep_request& request) = 0;
  virtual answer<scep_verdict> notify_success(const scep_success& notice) = 0;
  virtual answer<scep_verdict> notify_failure(const scep_failure& notice) = 0;
};

inline constexpr std::string_view scep_version = "2018-02-20"; ///< as published

/// `caller`: product and version. `over` outlives the object.
[[nodiscard]] result<std::unique_ptr<scep_service>> make_scep_service(intune_services& over,
                                                                      std::string caller,
                                                                      std::string api_version
                                                                      = std::string(scep_version));

/// "2026-11-01T12:00:00.000Z": the milliseconds are always there.
[[nodiscard]] std::string scep_time(unix_ms moment);

} // namespace pfx::connect::intune
