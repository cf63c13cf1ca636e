// Which of the open revocation orders is looked up, carried out or reported next. Nothing leaves
// the book twice: what is given away stays in flight until its answer comes.
#include <algorithm>

#include "actors/tasks/order_book.hpp"

namespace pfx::actors::tasks {

using revocation::action;
using revocation::moment;

bool order_book::ready(const entry& in, action what, const moment& now) const {
  return in.undurable == 0 && !in.resting && revocation::next_action(in.value, now) == what;
}

std::vector<revocation_order> order_book::take(action what, std::size_t count_max,
                                               const moment& now) {
  std::vector<revocation_order> out;
  for (auto& [key, in] : open_) {
    if (out.size() >= count_max) {
      break;
    }
    if (ready(in, what, now)) {
      in.value.live.in_flight = true;
      ++in_flight_;
      out.push_back(in.value);
    }
  }
  return out;
}

std::vector<revocation_order> order_book::take_report(std::size_t count_max, const moment& now) {
  std::vector<revocation_order> out;
  for (auto& [key, in] : open_) {
    if (out.size() >= count_max) {
      break;
    }
    const bool fits
      = out.empty() || (!in.alone && out.front().transaction_id == in.value.transaction_id);
    if (!fits || !ready(in, action::report, now)) {
      continue;
    }
    in.value.live.in_flight = true;
    ++in_flight_;
    out.push_back(in.value);
    if (in.alone) {
      break; // it was first
    }
  }
  return out;
}

std::size_t order_book::reportable(const moment& now) const {
  return static_cast<std::size_t>(std::count_if(open_.begin(), open_.end(), [&](const auto& one) {
    return ready(one.second, action::report, now);
  }));
}

} // namespace pfx::actors::tasks
