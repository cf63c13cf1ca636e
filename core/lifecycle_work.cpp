// Reactions of the work itself: attempts, the intent, the CA's answers, the result's bytes.
#include <algorithm>
#include <utility>

#include "core/lifecycle_turn.hpp"
#include "core/limits.hpp"

namespace pfx::lifecycle {

void begin_attempt(turn& t) {
  auto& r = t.next();
  if (r.failing) {
    refuse(t); // there is a verdict; no more dangerous work
    return;
  }
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
  if (r.failing) {
    return; // the verdict came first: nothing will be submitted, so no key is kept
  }
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
  if (!t.next().failing) {
    t.next().state = record_state::received;
  }
  retry_build(t);
}

void go_slow(turn& t) {
  auto& r = t.next();
  if (r.failing) {
    return;
  }
  if (r.live.slow) { // the slow lane has no other to hand it to
    t.what.text = "takes longer than the slow lane allows";
    retry_work(t);
    return;
  }
  // Its attempt is taken back before it waits: after a crash, what only waited is no suspect.
  r.state = record_state::received;
  r.attempt_open = false;
  r.attempts = std::max<std::uint32_t>(r.attempts, 1) - 1;
  r.live.slow = true;
}

void retry_build(turn& t) {
  auto& r = t.next();
  if (r.failing) {
    wait(t); // the attempt was at the failure's bytes, or is overtaken by the verdict
    return;
  }
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
  t.out.issued = issued_serial{r.authority, t.what.issuer, r.serial_number};
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
  if (r.live.failures > 0) {
    back_off(t); // a CA that says conflict and never seen by turns must not be asked without end
  } else {
    ++r.live.failures;
  }
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

void note_late_send(turn& t) {
  auto& r = t.next();
  if (!r.has_intent || r.thumbprint.present()) {
    return; // nothing was sent, or the slot is taken by our CSR and can give nothing new
  }
  r.unanswered = true;
  r.may_skip_walk = false;
  r.live.last_send = t.now.boot;
}

void wait(turn& t) {
  back_off(t);
  if (!t.what.text.empty()) {
    note(t, trail_event::retry, t.what.text);
  }
}

void store_result(turn& t) {
  auto& r = t.next();
  // An import has no certificate to wait for: its work ends with the bytes.
  const bool imported = !r.failing && r.kind == request_kind::pfx_import
                        && r.state == record_state::working;
  const bool expected = r.failing || imported || r.state == record_state::issued;
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
       !t.what.succeeded ? "failure: " + r.reason
       : imported        ? "PFX proven and its password encrypted to every recipient"
                         : "PFX built and encrypted to every recipient");
}

} // namespace pfx::lifecycle
