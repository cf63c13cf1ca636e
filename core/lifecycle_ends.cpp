// Reactions of time, operators and restarts, and the way from a recorded result to a settled one.
#include <algorithm>
#include <utility>

#include "core/lifecycle_turn.hpp"
#include "core/limits.hpp"

namespace pfx::lifecycle {

void close_accepted(turn& t) {
  close(t);
  if (t.next().state == record_state::closing && walk_may_be_skipped(t.next())) {
    settle(t);
  }
}

void close_recorded(turn& t) {
  t.next().may_skip_walk = false;
  close(t);
}

void expire(turn& t) {
  auto& r = t.next();
  if (r.failing) {
    return;
  }
  const bool at_ca = r.pending_until != 0 && t.now.wall >= r.pending_until
                     && (r.expires_at == 0 || t.now.wall < r.expires_at);
  // This text leaves the machine; what went before, with paths and addresses, stays in the trail.
  set_failing(t, service_code::non_retryable,
              at_ca ? "the CA left it pending too long" : "expiresDateTime passed", true);
}

void end_quarantine(turn& t) {
  auto& r = t.next();
  if (r.disowned) {
    // Nothing is known to be recorded, so nothing is revoked: the service may have forgotten a
    // result that was delivered long ago (a store restored from an old backup). The audit of the CA
    // finds the rest.
    r.outcome = settled_as::failed;
    r.failure_code = service_code::non_retryable;
    t.out.drop_blobs = {blob_kind::request, blob_kind::intent, blob_kind::certificate,
                        blob_kind::result};
    note(t, trail_event::closing, "given up: the service does not know this request");
    settle(t);
    return;
  }
  if (!r.failing) {
    set_failing(t, service_code::non_retryable,
                "put aside after faults; its timeline at the connector says which", false);
    r.state = r.has_intent ? record_state::submitting : record_state::received;
  }
}

namespace {

/// The CA shows what cannot all be this request's: nothing is listed for revocation on such a word.
/// A CA that lost its books would hold every closing request for ever; so it is believed in the end
/// that nothing can be known, and what is left is for the audit of the CA's list.
void doubt(turn& t) {
  auto& r = t.next();
  if (r.live.doubts < limits::walk_doubts_max) {
    ++r.live.doubts;
    back_off(t);
    note(t, trail_event::retry, "closing: " + t.what.text);
    return;
  }
  note(t, trail_event::closing,
       "closed without revoking anything: " + t.what.text + "; look at the CA's list");
  settle(t);
}

} // namespace

void walk(turn& t) {
  auto& r = t.next();
  if (t.what.walk_doubted) {
    doubt(t);
    return;
  }
  for (auto& found : t.what.found) {
    if (r.outcome != settled_as::failed && found.thumbprint == r.recorded_thumbprint) {
      r.serial_number = found.serial_number;
      // The life in which it was issued may be forgotten.
      t.out.issued = issued_serial{r.authority, found.issuer, found.serial_number};
      continue;
    }
    t.out.surplus.push_back(surplus_certificate{.request = r.key,
                                                .authority = r.authority,
                                                .issuer = std::move(found.issuer),
                                                .serial_number = std::move(found.serial_number),
                                                .thumbprint = found.thumbprint,
                                                .found_at = t.now.wall});
  }
  const boot_ms quiet_at = r.live.last_send + t.by.ca_settle_ms;
  const boot_ms asked_at = t.now.boot - std::max<std::int64_t>(0, t.what.duration_ms);
  if (!t.what.walk_ended) {
    back_off(t);
  } else if (r.unanswered && asked_at < quiet_at) {
    // A submit could still arrive when the walk began: asked once more after that.
    r.live.retry_at = std::max(quiet_at, t.now.boot);
  } else {
    settle(t);
  }
}

void release(turn& t) {
  auto& r = t.next();
  r.attempts = 0;
  r.quarantined_until = 0;
  r.disowned = false;
  r.ask_first = true;
  calm(t);
  if (r.result_digest.present() && !r.rejected_before) {
    r.state = record_state::prepared;
  } else if (r.thumbprint.present()) {
    r.state = record_state::issued;
  } else if (r.has_intent) {
    r.state = record_state::submitting;
    r.ask_ca = true;
  } else {
    r.state = record_state::received;
  }
  note(t, trail_event::operator_word, "released by an operator");
}

void restart_clean(turn& t) {
  auto& r = t.next();
  // Set under a clock that was ahead, they would lie years away now that it is right again.
  r.quarantined_until = std::min(r.quarantined_until, t.now.wall + t.by.quarantine_ms);
  r.pending_until = std::min(r.pending_until, t.now.wall + t.by.pending_deadline_ms);
  r.live = live_facts{};
  r.live.lease_asked = r.state != record_state::quarantined && r.state != record_state::closing;
  if (r.attempt_open) {
    r.attempt_open = false;
    if (r.state == record_state::working) {
      r.state = record_state::received;
    }
  }
  if (r.unanswered) {
    r.live.last_send = t.now.boot;
  }
}

void restart_unclean(turn& t) {
  auto& r = t.next();
  const bool at_work = r.attempt_open;
  r.may_skip_walk = false;
  if (r.has_intent && !r.thumbprint.present()) {
    r.unanswered = true; // a send may have happened whose answer died with us
    r.ask_ca = r.ask_ca || r.state == record_state::submitting;
  }
  restart_clean(t);
  r.live.ask_service = r.state == record_state::prepared; // so may an upload
  // Or it was at work at an earlier end, and has not had its turn since: attempts count down to
  // nothing with their outcome.
  r.live.suspect = at_work || r.attempts > 0;
  if (at_work) {
    note(t, trail_event::restarted,
         "the process ended during attempt " + std::to_string(r.attempts));
  }
}

} // namespace pfx::lifecycle
