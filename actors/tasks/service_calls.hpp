// Calls to the management service about many requests at once. Blocking; run on the io executor.
#pragma once

#include <vector>

#include "actors/tasks/outcome.hpp"
#include "actors/tasks/plant.hpp"
#include "core/support.hpp"

namespace pfx::actors::tasks {

/// What one call brought for many records, and whether the caller has to slow down or halt.
struct service_outcomes {
  std::vector<outcome> outcomes;
  std::int64_t retry_after_ms = 0;
  errc halt = errc::none; ///< stale_epoch or unauthorized: concerns us, not a request
  std::string why;
};

/// Sends the frozen bytes of prepared records; every one of `what` gets an outcome.
[[nodiscard]] service_outcomes run_uploads(const plant& p, const std::vector<task>& what) noexcept;
[[nodiscard]] service_outcomes run_queries(const plant& p, const std::vector<task>& what) noexcept;

/// Asks for longer leases: lease_renewed, lease_lost, or (no answer) query_unanswered with ticket
/// 0.
struct lease_wish {
  request_key key;
  std::uint64_t lease_number = 0;
};
[[nodiscard]] service_outcomes run_renewals(const plant& p,
                                            const std::vector<lease_wish>& what) noexcept;

/// A settled request that was handed out again.
struct settled_again {
  request_key key;
  std::uint64_t lease_number = 0;
  settled_record record;
};
/// One short re-acknowledgement each; the kept bytes where the service asks for them.
[[nodiscard]] service_outcomes run_reacknowledgements(
  const plant& p, const std::vector<settled_again>& what) noexcept;

/// One request as it was handed out: read, not yet looked up and not yet sealed.
struct arrival {
  request_key key;
  request_kind kind = request_kind::unknown;
  digest fingerprint;
  std::uint64_t lease_number = 0;
  boot_ms lease_until = 0;
  unix_ms expires_at = 0;
  std::string authority;
  std::optional<error> fault;
  std::optional<pfx_request> plain; ///< until seal_arrivals()
  bytes sealed_request;
  /// Learnt by asking, not handed out: what stands recorded at the service.
  std::optional<connect::service::recorded> stands;
};
struct arrivals {
  std::vector<arrival> list;
  bool more = false;
  bool too_large = false; ///< the answer was over a limit: ask for fewer
  bool failed = false;
  std::int64_t retry_after_ms = 0;
  errc halt = errc::none;
  std::string why;
};
/// How much more may be downloaded. `imports` is false while enough of them wait, so that creates
/// always find room.
struct demand {
  std::size_t requests = 0;
  bool imports = true;
};

[[nodiscard]] arrivals run_download(const plant& p, const demand& wish) noexcept;
/// Seals every request but the settled ones, of which nothing is kept. What cannot be sealed is
/// taken out of the list: it stays with the service and comes again.
void seal_arrivals(const plant& p, std::vector<arrival>& list,
                   const std::map<request_key, settled_record>& settled) noexcept;

/// One page of every request that was ever handed to this connector and has not expired: those that
/// stand recorded. `more`: ask again after `last`.
struct handed_page {
  arrivals recorded;
  std::string last; ///< requestContext
};
[[nodiscard]] handed_page run_handed_to_me(const plant& p, const std::string& after) noexcept;

struct check_in_outcome {
  bool accepted = false;
  bool reconcile = false;          ///< we had been stale, or the service knows more than we do
  std::uint64_t highest_epoch = 0; ///< with errc::stale_epoch
  errc code = errc::none;
  std::string why;
  support::notice about_us; ///< how long this version is supported
  std::int64_t retry_after_ms = 0;
};
[[nodiscard]] check_in_outcome run_check_in(const plant& p, bool reconciled) noexcept;

} // namespace pfx::actors::tasks
