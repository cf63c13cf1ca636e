// Which call the order desk makes next, and how many at a time. Plain C++ in one thread; makes no
// call itself.
#pragma once

#include <map>
#include <numeric>
#include <optional>
#include <vector>

#include "actors/tasks/order_book.hpp"

namespace pfx::actors::tasks {

/// A CA that holds its answers keeps no report and no look-up waiting, nor does a service that
/// holds its own keep the CA waiting.
class order_turns {
public:
  static constexpr std::size_t calls_max = 6;     ///< the download is beside them
  static constexpr std::size_t alike_max = 4;     ///< revokes, or reports
  static constexpr std::size_t look_ups_max = 64; ///< orders that are looked up in one go
  /// While orders are still to be carried out, reports leave one at a time, in full batches or all
  /// that there are this long after the last ones: the service hands out again what it hears
  /// nothing of.
  static constexpr std::int64_t report_wait_ms = 3'000;

  /// `batch_max`: orders of one report.
  explicit order_turns(std::size_t batch_max) : batch_max_(batch_max) {}

  struct call {
    revocation::action what = revocation::action::none;
    std::vector<revocation_order> orders;
  };
  /// The next call, under way from here on; none if nothing is due or may be made now.
  [[nodiscard]] std::optional<call> next(order_book& book, const revocation::moment& now);
  void ended(revocation::action what) { --under_way_[what]; }
  [[nodiscard]] std::size_t under_way() const {
    return std::accumulate(under_way_.begin(), under_way_.end(), std::size_t{0},
                           [](std::size_t sum, const auto& one) { return sum + one.second; });
  }

private:
  [[nodiscard]] call choose(order_book& book, const revocation::moment& now);
  [[nodiscard]] bool report_is_due(const order_book& book, const revocation::moment& now);
  [[nodiscard]] bool room_for(revocation::action what) { return under_way_[what] < alike_max; }

  std::size_t batch_max_;
  std::map<revocation::action, std::size_t> under_way_;
  boot_ms report_at_ = 0; ///< the next report leaves although it is no full batch
};

} // namespace pfx::actors::tasks
