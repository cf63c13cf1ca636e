// The typed client of the PFX request service. Blocking; a fake stands in for it in tests.
#pragma once

#include <memory>

#include "connect/http/client.hpp"
#include "connect/service/messages.hpp"

namespace pfx::connect::service {

/// What a call can end with besides its answer: errc::unavailable and errc::unknown_outcome from
/// the transport and from 408/429/5xx (`retry_after_ms` says when), errc::unauthorized (401, 403),
/// errc::stale_epoch and errc::conflict (409), errc::bad_input (an answer that is not the
/// protocol's), errc::too_large.
struct call_error {
  error what;
  std::int64_t retry_after_ms = 0; ///< 0 = the caller's own back-off
  std::uint64_t highest_epoch = 0; ///< with errc::stale_epoch
};
template <class T>
using answer = tl::expected<T, call_error>;

class pfx_request_service {
public:
  virtual ~pfx_request_service() = default;
  virtual answer<check_in_answer> check_in(const caller& who, const check_in_order& order) = 0;
  virtual answer<download_answer> download(const caller& who, const download_order& order) = 0;
  virtual answer<std::vector<lease_answer>> renew_leases(const caller& who, std::int64_t lease_ms,
                                                         const std::vector<lease_claim>& claims)
    = 0;
  /// One answer per entry, in any order; entries the service left out are missing (= no answer).
  virtual answer<std::vector<upload_answer>> upload(const caller& who,
                                                    const std::vector<upload_entry>& entries)
    = 0;
  virtual answer<std::vector<query_answer>> query(const caller& who,
                                                  const std::vector<std::string>& contexts)
    = 0;
  virtual answer<query_page> query_handed_to_me(const caller& who, const std::string& after) = 0;
  /// A new client certificate (DER) for a CSR (DER).
  virtual answer<bytes> renew_certificate(const caller& who, byte_view certificate_request) = 0;
  /// Makes import keys known, all or none. errc::conflict: one of the names stands for another key.
  virtual answer<bool> import_keys(const caller& who, const std::vector<import_key>& keys);
  /// Ends running calls; used when the engine stops.
  virtual void cancel() noexcept = 0;
};

/// Over HTTPS. `http_options.identity` is the connector's certificate.
[[nodiscard]] result<std::unique_ptr<pfx_request_service>> make_client(
  http::client_options http_options);

/// The only call without a client certificate. Idempotent by the key of the CSR.
[[nodiscard]] answer<register_answer> register_connector(http::client_options http_options,
                                                         const register_order& order);

} // namespace pfx::connect::service
