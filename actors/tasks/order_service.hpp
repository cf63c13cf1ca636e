// The service's side of revocation orders: what comes in with a download, and the reports.
// Blocking; run on the io executor.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "actors/tasks/plant.hpp"
#include "core/revocation.hpp"

namespace pfx::actors::tasks {

/// A download, and what the store remembers of its orders.
struct order_download {
  std::vector<revocation::offer> offers;
  std::map<request_key, revocation_order> known; ///< reported by us before
  std::vector<digest> contexts; ///< SHA-256 of every context that came, usable or not
  std::size_t nameless = 0;     ///< entries whose context nobody could read
  bool full = false;            ///< as many as were asked for: more may wait
  bool failed = false;
  errc code = errc::none; ///< why it failed
  std::int64_t retry_after_ms = 0;
  std::string why;
};
[[nodiscard]] order_download download_orders(const plant& p, std::size_t orders_max) noexcept;

/// What became of orders; nothing = it could not be found out, the order stays where it is.
struct order_answers {
  revocation::action of = revocation::action::none; ///< the call that it ends
  std::vector<std::pair<request_key, std::optional<revocation::event>>> events;
  std::vector<request_key> alone_from_now_on; ///< a batch with them was not recorded
};
/// Reports answered orders of one transaction in one call: each is recorded, or none.
[[nodiscard]] order_answers report_orders(const plant& p,
                                          const std::vector<revocation_order>& orders) noexcept;

} // namespace pfx::actors::tasks
