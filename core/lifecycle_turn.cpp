// Waiting, numbers, verdicts, quarantine, closing and settling, as every reaction does them.
#include "core/lifecycle_turn.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace pfx::lifecycle {

void note(turn& t, std::uint16_t event_id, std::string text) {
  const auto offset = t.next().kind == request_kind::pfx_import ? 1000 : 0;
  t.out.trail = trail_entry{t.now.wall,
                            static_cast<std::uint16_t>(event_id + offset),
                            t.next().state,
                            t.what.call_id,
                            t.what.duration_ms,
                            std::move(text)};
}

void back_off(turn& t) {
  auto& live = t.next().live;
  const auto asked_ms = std::min(t.what.retry_after_ms, limits::asked_wait_ms_max);
  const auto wait_ms = std::max(asked_ms, backoff_ms(t.by, live.failures, t.now.random));
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
  r.failing = false; // or neither the deadline nor an operator could end it
  r.live.suspect = false;
  r.reason = std::move(why);
  r.quarantined_until = t.now.wall + t.by.quarantine_ms;
  calm(t);
  note(t, trail_event::quarantined, r.reason);
}

namespace {

/// Where a failure stands recorded, only the request says which names a certificate must bear to be
/// this request's; it is kept for the walk.
bool walk_needs_request(const record& r) {
  return r.kind == request_kind::pfx_create && r.outcome == settled_as::failed
         && !r.authority.empty();
}

} // namespace

void settle(turn& t) {
  auto& r = t.next();
  if (r.state == record_state::closing && walk_needs_request(r)) {
    t.out.drop_blobs.push_back(blob_kind::request);
  }
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

namespace {

/// What stands is judged by the certificate alone, never by the digest (story CERTCMP of the
/// model): a rebuilt PFX with our certificate is ours. An import has no certificate; its digest
/// decides.
settled_as judge(const record& r, const event& recorded) {
  if (!recorded.succeeded) {
    return settled_as::failed;
  }
  const auto& stands = r.kind == request_kind::pfx_import ? recorded.result_digest
                                                          : recorded.thumbprint;
  const auto& held = r.kind == request_kind::pfx_import ? r.result_digest : r.thumbprint;
  const bool ours = stands.present() && stands == held;
  return ours ? settled_as::delivered : settled_as::superseded;
}

/// The kept bytes may be sent again only for what stands: bytes of another kind would deliver a
/// certificate that closing revokes, should the service ever ask for them (resultMissing).
bool result_bytes_stand(const record& r, const event& recorded) {
  return r.result_digest.present() && r.outcome != settled_as::superseded
         && r.result_succeeded == recorded.succeeded;
}

} // namespace

void close(turn& t) {
  auto& r = t.next();
  if (t.what.succeeded && !t.what.thumbprint.present() && !r.authority.empty()) {
    // Without knowing what stands, the walk would revoke the delivered certificate too.
    back_off(t);
    note(t, trail_event::retry, "the service names no thumbprint of the recorded certificate");
    return;
  }
  r.outcome = judge(r, t.what);
  r.recorded_thumbprint = t.what.succeeded ? t.what.thumbprint : digest{};
  r.recorded_digest = t.what.result_digest;
  r.state = record_state::closing;
  r.failing = false;
  r.attempt_open = false;
  calm(t);
  t.out.drop_blobs = {blob_kind::request, blob_kind::intent, blob_kind::certificate};
  if (walk_needs_request(r)) {
    t.out.drop_blobs.erase(t.out.drop_blobs.begin());
  }
  if (!result_bytes_stand(r, t.what)) {
    t.out.drop_blobs.push_back(blob_kind::result);
  }
  note(t, trail_event::closing,
       "recorded at the service: " + std::string(name_of(r.outcome)));
  if (r.authority.empty()) {
    settle(t); // no CA ever took part: there is nothing to walk over
  }
}

bool walk_may_be_skipped(const record& r) {
  return r.may_skip_walk && r.outcome == settled_as::delivered && r.lease_number == 1
         && r.generation == 0 && !r.unanswered;
}

} // namespace pfx::lifecycle
