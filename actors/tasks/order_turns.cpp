// Look-ups first, for they take no time outside; then a report that is due, then what is to be
// carried out, then whatever can be reported.
#include "actors/tasks/order_turns.hpp"

namespace pfx::actors::tasks {

using revocation::action;
using revocation::moment;

bool order_turns::report_is_due(const order_book& book, const moment& now) {
  return under_way_[action::report] == 0
    && (now.boot >= report_at_ || book.reportable(now) >= batch_max_);
}

order_turns::call order_turns::choose(order_book& book, const moment& now) {
  if (auto lost = book.take(action::choose, look_ups_max, now); !lost.empty()) {
    return {action::choose, std::move(lost)};
  }
  if (report_is_due(book, now)) {
    if (auto done = book.take_report(batch_max_, now); !done.empty()) {
      return {action::report, std::move(done)};
    }
  }
  if (!room_for(action::revoke)) {
    return {};
  }
  if (auto due = book.take(action::revoke, 1, now); !due.empty()) {
    return {action::revoke, std::move(due)};
  }
  return {action::report,
          room_for(action::report) ? book.take_report(batch_max_, now)
                                   : std::vector<revocation_order>{}};
}

std::optional<order_turns::call> order_turns::next(order_book& book, const moment& now) {
  if (under_way() >= calls_max) {
    return std::nullopt;
  }
  auto out = choose(book, now);
  if (out.orders.empty()) {
    return std::nullopt;
  }
  ++under_way_[out.what];
  // What another transaction's orders, or those that go alone, left behind follows at once.
  if (out.what == action::report && book.reportable(now) == 0) {
    report_at_ = now.boot + report_wait_ms;
  }
  return out;
}

} // namespace pfx::actors::tasks
