#include "core/lifecycle_reactions.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace pfx::lifecycle {

namespace {

void note(turn& t, std::uint16_t event_id, std::string text) {
  const auto offset = t.next().kind == request_kind::pfx_import ? 1000 : 0;
  t.out.trail = trail_entry{t.now.wall,
                            static_cast<std::uint16_t>(event_id + offset),
                            t.next().state,
                            t.what.call_id,
                            t.what.duration_ms,
                            std::move(text)};
}

/// Waits with full jitter, at least as long as the other side asked for.
void back_off(turn& t) {
  auto& live = t.next().live;
  const auto wait_ms = std::max(t.what.retry_after_ms, backoff_ms(t.by, live.failures, t.now.random));
  live.retry_at = t.now.boot + wait_ms;
  ++live.failures;
}

void calm(turn& t) {
  t.next().live.failures = 0;
  t.next().live.retry_at = 0;
}

bool take_number(turn& t) {
  auto& r = t.next();
  if (t.what.lease_number <= r.lease_number) {
    return false;
  }
  r.lease_number = t.what.lease_number;
  r.may_skip_walk = false;
  return true;
}

void set_failing(turn& t, service_code code, std::string why, bool retryable) {
  auto& r = t.next();
  r.failing = true;
  r.failure_code = code;
  r.reason = std::move(why);
  r.failure_retryable = retryable;
  r.attempt_open = false;
  calm(t);
  note(t, trail_event::failing, r.reason);
}

void quarantine(turn& t, std::string why) {
  auto& r = t.next();
  r.state = record_state::quarantined;
  r.attempt_open = false;
  r.reason = std::move(why);
  r.quarantined_until = t.now.wall + t.by.quarantine_ms;
  calm(t);
  note(t, trail_event::quarantined, r.reason);
}

void settle(turn& t) {
  auto& r = t.next();
  r.state = record_state::settled;
  t.out.settled = settled_record{.outcome = r.outcome,
                                 .kind = r.kind,
                                 .settled_at = t.now.wall,
                                 .fingerprint = r.fingerprint,
                                 .result_digest = r.recorded_digest,
                                 .thumbprint = r.recorded_thumbprint,
                                 .lease_number = r.lease_number,
                                 .authority = r.authority,
                                 .generation = r.generation,
                                 .serial_number = r.serial_number,
                                 .failure_code = r.failure_code};
  switch (r.outcome) {
    case settled_as::delivered: t.out.admin_event = trail_event::delivered; break;
    case settled_as::superseded: t.out.admin_event = trail_event::superseded; break;
    case settled_as::failed: t.out.admin_event = trail_event::failed; break;
  }
  if (r.kind == request_kind::pfx_import) {
    t.out.admin_event = static_cast<std::uint16_t>(t.out.admin_event + 1000);
  }
}

/// What stands is judged by the certificate alone, never by the digest (story CERTCMP of the model):
/// a rebuilt PFX with our certificate is ours. An import has no certificate; its digest decides.
settled_as judge(const record& r, const event& recorded) {
  if (!recorded.succeeded) {
    return settled_as::failed;
  }
  const bool ours = r.kind == request_kind::pfx_import
                      ? recorded.result_digest.present() && recorded.result_digest == r.result_digest
                      : recorded.thumbprint.present() && recorded.thumbprint == r.thumbprint;
  return ours ? settled_as::delivered : settled_as::superseded;
}

void close(turn& t) {
  auto& r = t.next();
  r.outcome = judge(r, t.what);
  r.recorded_thumbprint = t.what.succeeded ? t.what.thumbprint : digest{};
  r.recorded_digest = t.what.result_digest;
  r.state = record_state::closing;
  r.failing = false;
  r.attempt_open = false;
  calm(t);
  t.out.drop_blobs = {blob_kind::request, blob_kind::intent, blob_kind::certificate};
  note(t, trail_event::closing, std::string("recorded at the service: ") + std::string(name_of(r.outcome)));
  if (r.authority.empty()) {
    settle(t); // no CA ever took part: there is nothing to walk over
  }
}

/// The walk may be left out only where the model showed that it finds nothing.
bool walk_may_be_skipped(const record& r) {
  return r.may_skip_walk && r.outcome == settled_as::delivered && r.lease_number == 1
         && r.generation == 0 && !r.unanswered;
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
    r.live.retry_at = 0;
    note(t, trail_event::redelivered, "handed out again, leaseNumber " + std::to_string(r.lease_number));
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
  r.received_at = t.now.wall;
  r.attempts = 0;
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

void begin_attempt(turn& t) {
  auto& r = t.next();
  if (r.attempts >= t.by.attempts_max) {
    quarantine(t, "gave up after " + std::to_string(r.attempts) + " attempts without an outcome: "
                    + (r.reason.empty() ? "the process ended each time" : r.reason));
    return;
  }
  ++r.attempts;
  r.attempt_open = true;
  if (r.state == record_state::received) {
    r.state = record_state::working;
  }
  if (r.attempts > 1) {
    note(t, trail_event::attempt, "attempt " + std::to_string(r.attempts));
  }
}

void store_intent(turn& t) {
  auto& r = t.next();
  r.state = record_state::submitting;
  r.has_intent = true;
  r.generation = 0;
  r.attempts = 0;
  r.attempt_open = false;
  r.live.suspect = false;
  r.reason.clear();
  calm(t);
  t.out.put_blobs = std::move(t.what.blobs);
  note(t, trail_event::intent, "key and certification request made");
}

void fail(turn& t) { set_failing(t, t.what.code, t.what.text, t.what.retryable); }

void retry_work(turn& t) {
  auto& r = t.next();
  r.state = record_state::received;
  retry_build(t);
}

void retry_build(turn& t) {
  auto& r = t.next();
  r.attempt_open = false;
  r.reason = t.what.text;
  if (r.attempts >= t.by.attempts_max) {
    quarantine(t, "gave up after " + std::to_string(r.attempts) + " attempts: " + t.what.text);
    return;
  }
  back_off(t);
  note(t, trail_event::retry, t.what.text);
}

void store_certificate(turn& t) {
  auto& r = t.next();
  if (r.failing || t.what.generation != r.generation) {
    return; // closing will find it and put it on the list
  }
  r.state = record_state::issued;
  r.thumbprint = t.what.thumbprint;
  r.serial_number = t.what.serial_number;
  r.unanswered = false; // the slot is taken by our CSR: an earlier copy can give nothing new
  r.ask_ca = false;
  r.pending_id.clear();
  r.pending_until = 0;
  r.attempts = 1; // the attempt at building the PFX starts with this batch
  r.attempt_open = true;
  calm(t);
  t.out.put_blobs = std::move(t.what.blobs);
  note(t, trail_event::issued, "certificate " + r.serial_number);
}

void next_generation(turn& t) {
  auto& r = t.next();
  if (r.failing || t.what.generation != r.generation) {
    return;
  }
  r.may_skip_walk = false;
  if (r.generation + 1 >= limits::generations_max) {
    quarantine(t, "every transaction id of this request is taken by another key at the CA");
    return;
  }
  ++r.generation;
  r.state = record_state::submitting;
  r.ask_ca = false;
  r.pending_id.clear();
  r.pending_until = 0;
  calm(t);
  note(t, trail_event::asked_ca,
       "issued to another key; next generation " + std::to_string(r.generation));
}

void store_pending(turn& t) {
  auto& r = t.next();
  if (r.failing) {
    return;
  }
  const bool first = r.state != record_state::pending;
  r.state = record_state::pending;
  r.pending_id = t.what.pending_id;
  r.unanswered = false;
  r.ask_ca = false;
  if (first) {
    r.pending_until = t.now.wall + t.by.pending_deadline_ms;
    r.live.failures = 0;
    note(t, trail_event::pending, "waits at the CA, id " + printable(r.pending_id));
  }
  back_off(t);
}

void wait_for_foreign(turn& t) {
  t.next().may_skip_walk = false;
  t.next().ask_ca = true;
  back_off(t);
}

void ask_again(turn& t) {
  auto& r = t.next();
  r.may_skip_walk = false;
  r.ask_ca = true;
  note(t, trail_event::asked_ca, "the CA holds another CSR under this transaction id");
}

void submit_again(turn& t) {
  auto& r = t.next();
  if (r.failing) {
    return;
  }
  r.state = record_state::submitting;
  r.ask_ca = false;
  r.pending_id.clear();
  note(t, trail_event::asked_ca, "the CA has never seen it; the same CSR goes again");
}

void ask_service(turn& t) {
  t.next().may_skip_walk = false;
  t.next().ask_first = true;
  back_off(t);
}

void send_may_arrive(turn& t) {
  auto& r = t.next();
  r.unanswered = true;
  r.ask_ca = true;
  r.may_skip_walk = false;
  r.live.last_send = t.now.boot;
  r.reason = t.what.text;
  back_off(t);
  note(t, trail_event::retry, "no answer from the CA: " + t.what.text);
}

void wait(turn& t) {
  back_off(t);
  if (!t.what.text.empty()) {
    note(t, trail_event::retry, t.what.text);
  }
}

void store_result(turn& t) {
  auto& r = t.next();
  const bool expected = r.failing || r.state == record_state::issued;
  if (!expected || (r.failing && t.what.succeeded)) {
    return; // made for a state that is over
  }
  r.state = record_state::prepared;
  r.failing = false;
  r.attempt_open = false;
  r.attempts = 0;
  r.result_digest = t.what.result_digest;
  r.result_succeeded = t.what.succeeded;
  r.live.suspect = false;
  calm(t);
  t.out.put_blobs = std::move(t.what.blobs);
  note(t, trail_event::prepared,
       t.what.succeeded ? "PFX built and encrypted to every recipient" : "failure: " + r.reason);
}

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
  set_failing(t, service_code::non_retryable, "the service rejected the result: " + t.what.text, false);
}

void disown(turn& t) {
  auto& r = t.next();
  if (r.disowned && r.state == record_state::quarantined) {
    back_off(t);
    return;
  }
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
  r.disowned = false;
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

void expire(turn& t) {
  auto& r = t.next();
  if (r.failing) {
    return;
  }
  const bool at_ca = r.pending_until != 0 && t.now.wall >= r.pending_until
                     && (r.expires_at == 0 || t.now.wall < r.expires_at);
  const std::string last = r.reason.empty() ? "" : "; last: " + r.reason;
  set_failing(t, service_code::non_retryable,
              at_ca ? "the CA left it pending too long" : "expiresDateTime passed" + last, true);
}

void end_quarantine(turn& t) {
  auto& r = t.next();
  if (r.disowned) {
    // Nobody will ever record a result: closed like a recorded failure, its certificates go.
    t.what.succeeded = false;
    t.what.thumbprint = digest{};
    t.what.result_digest = digest{};
    close(t);
    return;
  }
  if (!r.failing) {
    set_failing(t, service_code::non_retryable, "put aside: " + r.reason, false);
    r.state = r.has_intent ? record_state::submitting : record_state::received;
  }
}

void walk(turn& t) {
  auto& r = t.next();
  for (auto& found : t.what.found) {
    if (r.outcome != settled_as::failed && found.thumbprint == r.recorded_thumbprint) {
      r.serial_number = found.serial_number;
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
  if (!t.what.walk_ended) {
    back_off(t);
  } else if (r.unanswered && t.now.boot < quiet_at) {
    r.live.retry_at = quiet_at; // a submit may still arrive
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
  if (r.state == record_state::submitting) {
    r.unanswered = true; // a send may have happened whose answer died with us
    r.ask_ca = true;
  }
  restart_clean(t);
  r.live.suspect = at_work;
  if (at_work) {
    note(t, trail_event::restarted,
         "the process ended during attempt " + std::to_string(r.attempts));
  }
}

} // namespace pfx::lifecycle
