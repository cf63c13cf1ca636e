// Reactions of what the service says: hand-outs, leases, answers to uploads and queries.
#include <algorithm>
#include <utility>

#include "core/lifecycle_turn.hpp"

namespace pfx::lifecycle {

namespace {

/// A request that was put aside only because the service did not know it, and does now: what was
/// prepared goes on. Poison and a result that was rejected twice stay where they are.
void known_again(turn& t) {
  auto& r = t.next();
  if (!r.disowned) {
    return;
  }
  r.disowned = false;
  if (r.state == record_state::quarantined && r.result_digest.present() && !r.rejected_before) {
    r.state = record_state::prepared;
    r.quarantined_until = 0;
    note(t, trail_event::quarantined, "the service knows this request again; goes on");
  }
}

} // namespace

void ignore(turn&) {}

void refuse(turn& t) { t.out.refused = true; }

void take_lease(turn& t) {
  auto& r = t.next();
  if (t.what.lease_number < r.lease_number) {
    return;
  }
  const bool fresh = take_number(t);
  r.live.lease_until = std::max(r.live.lease_until, t.what.lease_until);
  r.live.lease_asked = false;
  if (fresh) {
    if (r.state != record_state::closing) {
      calm(t);
    }
    note(t, trail_event::redelivered,
         "handed out again, leaseNumber " + std::to_string(r.lease_number));
    known_again(t);
  }
}

void note_conflict(turn& t) {
  take_lease(t);
  note(t, trail_event::conflict,
       "requestContext: handed out with another body; refused, the first one goes on");
}

void reopen(turn& t) {
  auto& r = t.next();
  if (!take_number(t)) {
    return; // the very hand-out that was lost
  }
  r.state = record_state::received;
  r.received_at = t.now.wall; // attempts are kept: poison that outlives its leases is put aside too
  r.ask_first = true;
  r.live = live_facts{.lease_until = t.what.lease_until};
  t.out.put_blobs = std::move(t.what.blobs);
  note(t, trail_event::received, "handed out again after the lease was lost");
}

void refuse_conflict(turn& t) {
  reopen(t);
  if (t.next().state == record_state::received) {
    set_failing(t, service_code::conflict,
                "requestContext: was handed out before with another body", false);
  }
}

void park(turn& t) {
  auto& r = t.next();
  if (t.what.lease_number < r.lease_number) {
    return; // answers an older hand-out
  }
  r.live.lease_asked = false;
  if (r.live.lease_until != 0 || t.what.kind != event_kind::lease_lost) {
    note(t, trail_event::lease, "lease " + std::to_string(r.lease_number) + " lost; parked");
  }
  r.live.lease_until = 0;
}

void abandon(turn& t) {
  auto& r = t.next();
  if (t.what.kind != event_kind::query_unknown && t.what.lease_number < r.lease_number) {
    return;
  }
  if (r.failing) {
    park(t); // the verdict stands: a poison that was put aside must not begin again
    return;
  }
  r.state = record_state::abandoned;
  if (r.attempt_open && r.attempts > 0) {
    --r.attempts; // its outcome is known: it was left off, it killed nobody
  }
  r.attempt_open = false;
  r.failing = false;
  r.may_skip_walk = false;
  r.live = live_facts{};
  t.out.drop_blobs = {blob_kind::request};
  note(t, trail_event::lease, "lease " + std::to_string(r.lease_number) + " lost before an intent");
}

void reject(turn& t) {
  auto& r = t.next();
  r.may_skip_walk = false;
  if (r.rejected_before) {
    quarantine(t, "the service rejected the failure too: " + t.what.text);
    return;
  }
  r.rejected_before = true;
  set_failing(t, service_code::non_retryable, "the service rejected the result: " + t.what.text,
              false);
}

void disown(turn& t) {
  auto& r = t.next();
  r.disowned = true;
  if (r.state == record_state::quarantined) {
    back_off(t);
    return;
  }
  quarantine(t, "the service does not know this request");
}

void query_upload(turn& t) {
  t.next().live.ask_service = true;
  back_off(t);
  note(t, trail_event::upload_failed, t.what.text);
}

void go_on(turn& t) {
  auto& r = t.next();
  r.ask_first = false;
  r.live.ask_service = false;
  known_again(t);
  const bool held = r.live.lease_until > t.now.boot;
  if (held) {
    r.live.retry_at = 0;
  } else {
    back_off(t); // until it is handed out to us again, or recorded
  }
}

void hold_lease(turn& t) {
  auto& r = t.next();
  if (t.what.lease_number == r.lease_number) {
    r.live.lease_asked = false;
    r.live.lease_until = std::max(r.live.lease_until, t.what.lease_until);
  }
}

} // namespace pfx::lifecycle
