// The revocation queue of a tenant: what Intune wants revoked, and how that went. Refuses batches
// over the published bounds, results that contradict themselves, and to take anything but a plain
// yes for recorded. Decides nothing: which serial is ours is for the caller to know.
#pragma once

#include "connect/intune/calls.hpp"

namespace pfx::connect::intune {

inline constexpr std::size_t transaction_bytes_max = 512;
inline constexpr std::size_t issuer_filter_characters_max = 256; ///< published
inline constexpr std::size_t result_message_bytes_max = 1'024;

/// Thread-safe; blocks. A fake stands in for it in tests.
class revocation_service {
public:
  virtual ~revocation_service() = default;
  /// At most `max_requests` (1..500) entries. What was downloaded is kept back for an hour by the
  /// service and comes again if no result is uploaded. `transaction_id` is the caller's and the
  /// same for the upload that follows; the protocol does not send it, errors carry it. Give no
  /// `issuer_name` unless it must be: the service filters after it has cut the batch.
  virtual answer<revocation_batch> download(const std::string& transaction_id, int max_requests,
                                            const std::optional<std::string>& issuer_name)
    = 0;
  /// Recorded: the client-request-id. All else is an error, and nothing may be taken for recorded.
  virtual answer<std::string> upload(const std::string& transaction_id,
                                     const std::vector<revocation_result>& results)
    = 0;
};

inline constexpr std::string_view revocation_version = "5019-05-05"; ///< as published

/// `over` outlives the object.
[[nodiscard]] result<std::unique_ptr<revocation_service>> make_revocation_service(
  intune_services& over, std::string api_version = std::string(revocation_version));

} // namespace pfx::connect::intune
