// A series of polls ends when a batch brings nothing new. Whether an order is known to the book
// does not count: one that is stuck comes with every series, and must not hide what waits behind
// it.
#include "actors/tasks/order_polls.hpp"

#include <algorithm>

#include "actors/tasks/order_service.hpp"

namespace pfx::actors::tasks {

order_polls::order_polls(std::size_t orders_max, std::size_t open_max)
    : orders_max_(std::max<std::size_t>(1, orders_max)), wish_max_(orders_max_),
      series_max_(2 * open_max + orders_max_) {}

std::size_t order_polls::wish(std::size_t room) const { return std::min(wish_max_, room); }

bool order_polls::at_once(const order_download& what) {
  const auto before = seen_.size() + nameless_;
  nameless_ += what.nameless; // nobody can tell whether they were there before
  seen_.insert(what.contexts.begin(), what.contexts.end());
  const auto now = seen_.size() + nameless_;
  // Fewer prove nothing: what was too large is kept back now, and comes again.
  if (what.full) {
    wish_max_ = std::min(orders_max_, 2 * wish_max_);
  }
  if (what.full && now > before && now < series_max_ && ++polls_ < polls_max) {
    return true;
  }
  seen_.clear();
  nameless_ = polls_ = 0;
  return false;
}

void order_polls::too_large() { wish_max_ = std::max<std::size_t>(1, wish_max_ / 2); }

} // namespace pfx::actors::tasks
