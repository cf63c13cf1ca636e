// The incoming half of the ledger: downloads, outcomes, operators, and what becomes of them.
#include "actors/tasks/ledger.hpp"

#include <algorithm>

#include "actors/tasks/write_size.hpp"
#include "core/fault_point.hpp"

namespace pfx::actors::tasks {

namespace {

using lifecycle::action;
using lifecycle::event;
using lifecycle::event_kind;

constexpr std::size_t reacknowledgements_max
  = 20'000; ///< waiting; further ones come with the next hand-out

bool audited(std::uint16_t trail_event_id) {
  const auto id = trail_event_id >= 2000 ? trail_event_id - 1000 : trail_event_id;
  return id == lifecycle::trail_event::conflict || id == lifecycle::trail_event::quarantined
    || id == lifecycle::trail_event::operator_word;
}

report::level level_of(std::uint16_t trail_event_id) {
  const auto id = trail_event_id >= 2000 ? trail_event_id - 1000 : trail_event_id;
  switch (id) {
    case lifecycle::trail_event::conflict:
    case lifecycle::trail_event::quarantined:
      return report::level::error;
    case lifecycle::trail_event::retry:
    case lifecycle::trail_event::failing:
    case lifecycle::trail_event::lease:
    case lifecycle::trail_event::upload_failed:
    case lifecycle::trail_event::restarted:
      return report::level::warning;
    default:
      return report::level::debug;
  }
}

bool fits_index(const lifecycle::issued_serial& one) {
  constexpr std::size_t authority_octets_max = 256;
  constexpr std::size_t serial_characters_max = 64;
  return !one.authority.empty() && one.authority.size() <= authority_octets_max
    && !one.serial_number.empty() && one.serial_number.size() <= serial_characters_max;
}

} // namespace

ledger::ledger(const plant& p) : plant_(p) {}

void ledger::load(record value, bool unclean) {
  arrivals_ = std::max(arrivals_, value.arrival + 1);
  const auto key = value.key;
  const auto before = value.state;
  auto& in = open_[key];
  in.value = std::move(value);
  event what;
  what.kind = unclean ? event_kind::restarted_unclean : event_kind::restarted_clean;
  absorb(in, before, lifecycle::step(in.value, std::move(what), plant_.rules, plant_.now()));
  if (in.value.live.lease_asked) {
    renewals_.push_back({key, in.value.lease_number});
  }
  examine(in);
}

void ledger::ask_everything() {
  for (auto& [key, in] : open_) {
    if (in.value.state == record_state::settled) {
      continue; // its end is being written
    }
    lifecycle::step_result out;
    out.next = in.value;
    out.next.ask_first = true;
    out.next.may_skip_walk = false;
    if (in.value.has_intent && !in.value.thumbprint.present()) {
      out.next.unanswered = true; // the other process may have sent it
      out.next.ask_ca = true;
      out.next.live.last_send = plant_.time->boot();
    }
    out.changed = true;
    absorb(in, in.value.state, std::move(out));
  }
}

void ledger::forget_abandoned(unix_ms before) {
  for (auto at = open_.begin(); at != open_.end();) {
    const auto& in = at->second;
    const auto& r = in.value;
    const bool idle = in.undurable == 0 && r.live.ticket == 0 && !in.queued;
    const auto ended = r.expires_at != 0 ? r.expires_at : r.received_at;
    at = r.state == record_state::abandoned && idle && ended < before ? open_.erase(at)
                                                                      : std::next(at);
  }
}

// -- what comes in ------

std::vector<request_key> ledger::unknown_of(const std::vector<arrival>& list) {
  look_up_pending_ = true;
  std::set<request_key> unknown;
  for (const auto& one : list) {
    if (open_.find(one.key) == open_.end()) {
      unknown.insert(one.key);
    }
  }
  return {unknown.begin(), unknown.end()};
}

std::uint64_t ledger::receive(std::vector<arrival> list,
                              const std::map<request_key, settled_record>& settled) {
  for (auto& one : list) {
    plant_.totals.offers += one.stands ? 0 : 1;
    receive_one(one, settled);
  }
  look_up_pending_ = false;
  ended_meanwhile_.clear();
  return enqueued_;
}

void ledger::receive_one(arrival& one, const std::map<request_key, settled_record>& settled) {
  if (const auto known = open_.find(one.key); known != open_.end()) {
    if (one.stands) {
      step(known->second, recorded_event(*one.stands));
    } else {
      hand_out_again(known->second, one);
    }
    return;
  }
  if (const auto before = settled.find(one.key); before != settled.end()) {
    receive_settled(one, before->second);
    return;
  }
  if (const auto ended = ended_meanwhile_.find(one.key); ended != ended_meanwhile_.end()) {
    if (!one.stands) {
      ++plant_.totals.redelivered;
      acknowledge_ended(ended->second, one.lease_number);
    }
    return;
  }
  receive_new(one);
}

void ledger::hand_out_again(entry& in, arrival& one) {
  ++plant_.totals.redelivered;
  const auto before = in.value.state;
  if (before == record_state::closing || before == record_state::settled) {
    acknowledge_ended(in.value, one.lease_number);
  }
  event what;
  const bool same = in.value.fingerprint == one.fingerprint;
  what.kind = same ? event_kind::offered_same : event_kind::offered_other;
  what.lease_number = one.lease_number;
  what.lease_until = one.lease_until;
  if (before == record_state::abandoned && !one.sealed_request.empty()) {
    what.blobs.emplace_back(blob_kind::request, std::move(one.sealed_request));
  }
  if (!same) {
    ++plant_.totals.conflicts;
  }
  step(in, std::move(what));
}

/// Recorded at the service already, though its end is not written yet: the same short word.
void ledger::acknowledge_ended(const record& of, std::uint64_t lease_number) {
  if (again_.size() < reacknowledgements_max) {
    again_.push_back({of.key, lease_number,
                      settled_record{.outcome = of.outcome,
                                     .kind = of.kind,
                                     .fingerprint = of.fingerprint,
                                     .result_digest = of.recorded_digest}});
  }
}

void ledger::receive_settled(const arrival& one, const settled_record& before) {
  if (one.stands) {
    return; // it was only asked about
  }
  ++plant_.totals.redelivered;
  // A request that was recalled after a loss of memory has no fingerprint.
  if (before.fingerprint.present() && before.fingerprint != one.fingerprint) {
    ++plant_.totals.conflicts;
    plant_.tell({report::channel::operational, report::level::error,
                 lifecycle::trail_event::conflict, plant_.time->wall(), printable(one.key.context),
                 "", 0, "requestContext: was settled before with another body; refused"});
  }
  if (again_.size() < reacknowledgements_max) {
    again_.push_back({one.key, one.lease_number, before});
  }
}

event ledger::recorded_event(const connect::service::recorded& stands) {
  event out;
  out.kind = event_kind::query_recorded;
  out.succeeded = stands.succeeded;
  out.thumbprint = stands.thumbprint;
  out.result_digest = stands.result_digest;
  return out;
}

void ledger::receive_new(arrival& one) {
  auto& in = open_[one.key];
  if (one.stands) {
    absorb(in, record_state::settled,
           lifecycle::recall({.key = one.key,
                              .kind = one.kind,
                              .lease_number = one.lease_number,
                              .arrival = arrivals_++,
                              .authority = one.authority},
                             recorded_event(*one.stands), plant_.rules, plant_.now()));
    return;
  }
  ++plant_.totals.received;
  auto out = lifecycle::receive({.key = one.key,
                                 .kind = one.kind,
                                 .fingerprint = one.fingerprint,
                                 .lease_number = one.lease_number,
                                 .lease_until = one.lease_until,
                                 .arrival = arrivals_++,
                                 .expires_at = one.expires_at,
                                 .authority = one.authority,
                                 .fault = one.fault,
                                 .sealed_request = std::move(one.sealed_request)},
                                plant_.now());
  if (mutated("skip-settled")) {
    out.next.ask_first = false; // the deliberate fault forgets in earnest: nothing else may save it
  }
  absorb(in, record_state::settled,
         std::move(out)); // "before" differs from received: it was entered
}

void ledger::apply(outcome what) {
  take_notes(); // also of a request that is gone: its key was used
  const auto found = open_.find(what.key);
  if (found == open_.end()) {
    return;
  }
  auto& in = found->second;
  if (what.event.kind == event_kind::lease_renewed) {
    renew_failures_ = 0;
  }
  if (what.ticket != 0 && in.value.live.ticket == what.ticket) {
    in.value.live.ticket = 0;
    give_back(in);
  } else if (what.ticket != 0 && (what.what == action::work || what.what == action::work_slowly)) {
    return; // a key made for an attempt that is over; it was never used and is forgotten
  }
  step(in, std::move(what.event));
}

void ledger::operator_word(const request_key& key, event_kind word, error* refusal) {
  const auto found = open_.find(key);
  if (found == open_.end()) {
    *refusal = {errc::not_found, "requestContext", "no open request has this context"};
    return;
  }
  event what;
  what.kind = word;
  auto& in = found->second;
  const auto before = in.value.state;
  auto out = lifecycle::step(in.value, std::move(what), plant_.rules, plant_.now());
  if (out.refused) {
    *refusal = {errc::conflict, "requestContext",
                "is " + std::string(name_of(before)) + ", not quarantined"};
    return;
  }
  absorb(in, before, std::move(out));
}

void ledger::surplus_answered(const surplus_certificate& what) {
  change c;
  c.key = what.request;
  c.of_entry = false;
  c.operations.emplace_back(storage::put_surplus{what});
  const auto say = [&](std::uint16_t id, const std::string& words) {
    c.reports.push_back({report::channel::operational, report::level::warning, id,
                         plant_.time->wall(), printable(what.request.context), "", 0,
                         "surplus certificate " + what.serial_number + words + what.last_answer});
  };
  if (what.done) {
    ++plant_.totals.surplus_revoked;
    say(revocation::trail_event::ca_answered, " revoked: ");
  } else if ((what.attempts & (what.attempts - 1)) == 0) { // the first, second, fourth, eighth …
    say(revocation::trail_event::surplus_kept,
        " is not revoked yet, try " + std::to_string(what.attempts) + ": ");
  }
  enqueue(std::move(c));
}

void ledger::step(entry& in, event what) {
  const auto before = in.value.state;
  absorb(in, before, lifecycle::step(in.value, std::move(what), plant_.rules, plant_.now()));
}

// -- from a step to a write ------

void ledger::absorb(entry& in, record_state before, lifecycle::step_result&& out) {
  const auto ticket = in.value.live.ticket; // the book's own: the lifecycle may forget it, not we
  in.value = out.next;
  in.value.live.ticket = ticket;
  // A repeated walk finds again what stands on the list: it stays there with its time and its
  // tries.
  std::erase_if(out.surplus, [&in](const surplus_certificate& one) {
    return !in.listed.insert(one.thumbprint).second;
  });
  count(in.value, before, out);
  change c;
  c.key = in.value.key;
  absorb_operations(c, in.value, out);
  if (before != in.value.state) {
    c.entered = in.value.state;
  }
  add_reports(c, in.value, out);
  c.surplus = std::move(out.surplus);
  if (c.operations.empty()) {
    examine(in);
    return;
  }
  ++in.undurable;
  enqueue(std::move(c));
}

void ledger::absorb_operations(change& to, const record& next, lifecycle::step_result& out) const {
  for (auto& [kind, sealed] : out.put_blobs) {
    to.operations.emplace_back(storage::put_blob{next.key, kind, std::move(sealed)});
  }
  if (out.settled) {
    if (!mutated("skip-settled")) {
      to.operations.emplace_back(storage::put_settled{next.key, *out.settled});
    }
    to.operations.emplace_back(storage::drop_record{next.key});
  } else if (out.changed) {
    to.operations.emplace_back(storage::put_record{next});
  }
  for (const auto kind : out.drop_blobs) {
    to.operations.emplace_back(storage::drop_blob{next.key, kind});
  }
  for (const auto& one : out.surplus) {
    to.operations.emplace_back(storage::put_surplus{one});
  }
  // What the index cannot hold is left out of it: a refused write would halt all of us.
  if (const auto& one = out.issued; one && fits_index(*one)) {
    to.operations.emplace_back(
      storage::put_issued{one->authority, one->serial_number, one->issuer, next.key});
  }
  if (out.trail) {
    to.operations.emplace_back(storage::put_trail{next.key, *out.trail});
  }
}

void ledger::add_reports(change& to, const record& next, const lifecycle::step_result& out) {
  const auto context = printable(next.key.context);
  if (out.trail) {
    to.reports.push_back({report::channel::operational, level_of(out.trail->event),
                          out.trail->event, out.trail->at, context, out.trail->call_id,
                          out.trail->duration_ms, out.trail->text});
    if (audited(out.trail->event)) {
      add_audit(to, out.trail->event, next);
    }
  }
  if (out.admin_event != 0) {
    const bool failed = next.outcome == settled_as::failed;
    to.reports.push_back({report::channel::admin,
                          failed ? report::level::warning : report::level::info, out.admin_event,
                          plant_.time->wall(), context, "", plant_.time->wall() - next.received_at,
                          failed ? "failed: " + next.reason
                                 : std::string(name_of(next.outcome)) + ", certificate "
                              + (next.serial_number.empty() ? "-" : next.serial_number)});
    add_audit(to, out.admin_event, next);
  }
}

void ledger::enqueue(change&& what) {
  for (const auto& op : what.operations) {
    what.size += write_size(op);
  }
  ++enqueued_;
  waiting_.push_back(std::move(what));
}

} // namespace pfx::actors::tasks
