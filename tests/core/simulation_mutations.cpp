// What an engine does that is broken on purpose: before a step, and to what a step says.
#include "tests/core/simulation_engine.hpp"

namespace pfx::simulation {

using lifecycle::event;
using lifecycle::event_kind;

void engine::break_before(event& what, const record& of) const {
  if (world_.by.broken == mutation::abandoned_stays && of.state == record_state::abandoned
      && what.kind == event_kind::offered_same) {
    what.lease_number = 0;
  }
  if (world_.by.broken == mutation::believe_silence
      && what.kind == event_kind::upload_unanswered) {
    what = event{.kind = event_kind::upload_accepted,
                 .thumbprint = of.thumbprint,
                 .result_digest = of.result_digest,
                 .succeeded = of.result_succeeded};
  }
  if (world_.by.broken == mutation::endless_walk) {
    what.walk_ended = false;
  }
}

void engine::break_after(const record& before, const event& what,
                         lifecycle::step_result& out) const {
  auto& r = out.next;
  const bool closes = before.state != record_state::closing && r.state == record_state::closing;
  const auto settle = [&out, &r] {
    r.state = record_state::settled;
    out.settled = settled_record{.outcome = r.outcome};
  };
  switch (world_.by.broken) {
    case mutation::revoke_on_lease_loss:
      if ((what.kind == event_kind::lease_lost || what.kind == event_kind::upload_lease_lost)
          && r.thumbprint.present() && what.lease_number == before.lease_number) {
        out.surplus.push_back({.request = r.key, .thumbprint = r.thumbprint});
      }
      break;
    case mutation::skip_walk_of_failures:
      if (closes && r.outcome == settled_as::failed) {
        settle();
      }
      break;
    case mutation::settle_at_once:
      if (closes) {
        settle();
      }
      break;
    case mutation::judge_by_digest:
      if (closes && r.recorded_digest != r.result_digest && r.thumbprint.present()) {
        out.surplus.push_back({.request = r.key, .thumbprint = r.thumbprint});
      }
      break;
    case mutation::lower_lease:
      if (what.kind == event_kind::offered_same && what.lease_number != 0
          && r.state != record_state::abandoned) {
        out.changed = out.changed || r.lease_number != what.lease_number;
        r.lease_number = what.lease_number;
      }
      break;
    case mutation::no_settle_wait: r.unanswered = false; break;
    default: break;
  }
}

} // namespace pfx::simulation
