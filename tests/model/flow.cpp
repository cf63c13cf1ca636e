// From facts to a record and back, and the moments at which the lifecycle is asked.
#include "tests/model/flow.hpp"

#include <bit>

namespace pfx::model {

using lifecycle::action;
using lifecycle::event;
using lifecycle::event_kind;

namespace {

// Times that stand for "before", "now" and "after": only their order matters.
constexpr boot_ms boot_now = 1'000'000'000;
constexpr boot_ms lease_end = boot_now + 60'000;
constexpr boot_ms lease_ended = boot_now - 1;
constexpr unix_ms wall_now = 1'000'000'000'000;
constexpr unix_ms wall_deadline = wall_now + 1'000'000'000;
constexpr unix_ms wall_late = wall_deadline + 1'000'000'000;
constexpr std::int64_t settle_ms = 120'000;
constexpr boot_ms sent_long_ago = boot_now - 10 * settle_ms;
constexpr std::int64_t any_lease_ms = 10'000'000; ///< renewal is due at any time of a lease
constexpr std::uint32_t endless_attempts = 1'000'000;

lifecycle::moment moment_of(bool late) {
  return {.wall = late ? wall_late : wall_now, .boot = boot_now, .random = 0};
}

digest name(std::uint64_t value) {
  digest out;
  out.octets[0] = static_cast<std::uint8_t>(value);
  return out;
}

std::uint8_t value_of(const digest& from) { return from.octets[0]; }

boot_ms deadline_of(std::uint64_t lease) {
  return lease == lease_held ? lease_end : lease == lease_past ? lease_ended : 0;
}

event event_of(happening what) {
  event out;
  out.kind = static_cast<event_kind>(what.kind);
  out.lease_number = what.number;
  out.lease_until = deadline_of(what.lease);
  const auto of = static_cast<std::uint8_t>(what.document);
  out.result_digest = name(of);
  out.succeeded = document::succeeded(of);
  out.thumbprint = name(what.thumbprint != 0 ? what.thumbprint : document::thumbprint(of));
  out.generation = static_cast<std::uint8_t>(what.generation);
  out.walk_ended = what.walk_ended != 0;
  for (std::uint8_t g = 0; g < slots; ++g) {
    if ((what.found >> g & 1U) != 0) {
      out.found.push_back({g, "CN=CA", "", name(g + 1U)});
    }
  }
  return out;
}

} // namespace

happening happens(event_kind kind) {
  happening out{};
  out.kind = static_cast<std::uint64_t>(kind) & 0x3fU;
  return out;
}

flow::flow(const options& how, coverage* met) : how_(how), met_(met) {
  rules_.attempts_max = how.attempts_max == 0 ? endless_attempts : how.attempts_max;
  rules_.ca_settle_ms = settle_ms;
}

record flow::expand(facts from) const {
  record r;
  r.key = {"t", pfx::flow::pfx, "r"};
  r.state = static_cast<record_state>(from.state);
  r.kind = how_.import ? request_kind::pfx_import : request_kind::pfx_create;
  r.authority = how_.import ? "" : "CA";
  r.lease_number = from.lease_number;
  r.received_at = wall_now;
  r.expires_at = wall_deadline;
  r.attempts = from.attempts;
  r.attempt_open = from.attempt_open != 0;
  r.ask_first = from.ask_first != 0;
  r.has_intent = from.has_intent != 0;
  r.generation = static_cast<std::uint8_t>(from.generation);
  r.unanswered = from.unanswered != 0;
  r.ask_ca = from.ask_ca != 0;
  r.may_skip_walk = from.may_skip_walk != 0;
  r.pending_until = r.state == record_state::pending ? wall_deadline : 0;
  r.thumbprint = name(from.thumbprint);
  r.failing = from.failing != 0;
  r.result_digest = name(from.result);
  r.result_succeeded = from.result_succeeded != 0;
  r.rejected_before = from.rejected_before != 0;
  r.quarantined_until = r.state == record_state::quarantined ? wall_deadline : 0;
  r.disowned = from.disowned != 0;
  r.outcome = static_cast<settled_as>(from.outcome);
  r.recorded_thumbprint = name(from.recorded_thumbprint);
  r.live.lease_until = deadline_of(from.lease);
  r.live.last_send = from.sent_lately != 0 ? boot_now : sent_long_ago;
  r.live.lease_asked = from.lease_asked != 0;
  r.live.ask_service = from.ask_service != 0;
  r.live.ticket = from.ticket;
  r.live.slow = from.slow != 0;
  return r;
}

facts flow::pack(const record& from, std::uint64_t key) const {
  facts out{};
  out.state = static_cast<std::uint64_t>(from.state) & 0xfU;
  out.lease_number = from.lease_number & 0xfU;
  out.attempts = how_.attempts_max == 0 ? 0 : from.attempts & 3U;
  out.attempt_open = from.attempt_open;
  out.ask_first = from.ask_first;
  out.has_intent = from.has_intent;
  out.generation = from.generation & 7U;
  out.unanswered = from.unanswered;
  out.ask_ca = from.ask_ca;
  out.may_skip_walk = from.may_skip_walk;
  out.thumbprint = value_of(from.thumbprint) & 0xfU;
  out.failing = from.failing;
  out.result = value_of(from.result_digest);
  out.result_succeeded = from.result_succeeded;
  out.rejected_before = from.rejected_before;
  out.disowned = from.disowned;
  out.outcome = static_cast<std::uint64_t>(from.outcome) & 3U;
  out.recorded_thumbprint = value_of(from.recorded_thumbprint) & 0xfU;
  out.key = from.has_intent ? key & 7U : 0U;
  out.lease = from.live.lease_until == 0 ? lease_none
    : from.live.lease_until > boot_now   ? lease_held
                                         : lease_past;
  out.sent_lately = from.live.last_send > sent_long_ago;
  out.lease_asked = from.live.lease_asked;
  out.ask_service = from.live.ask_service;
  out.ticket = from.live.ticket != 0;
  out.slow = from.live.slow;
  return out;
}

reaction flow::compute(facts before, happening what) const {
  auto event = event_of(what);
  if (what.walk_early != 0 && before.sent_lately == 0) {
    event.duration_ms = boot_now - sent_long_ago - settle_ms / 2; // began when it could yet arrive
  }
  break_before(before, event);
  const bool late = what.late != 0;
  const auto step = lifecycle::step(expand(before), event, rules_, moment_of(late));
  reaction out{pack(step.next, before.key), 0, step.refused};
  out.next.ticket = before.ticket; // the ledger's own
  for (const auto& one : step.surplus) {
    out.surplus = static_cast<std::uint8_t>(out.surplus | 1U << (value_of(one.thumbprint) - 1U));
  }
  break_after(before, what, out);
  return out;
}

reaction flow::apply(facts before, happening what) {
  auto& of_state = known_[std::bit_cast<std::uint64_t>(before)];
  const auto key = std::bit_cast<std::uint64_t>(what);
  if (const auto found = of_state.find(key); found != of_state.end()) {
    return found->second;
  }
  if (met_ != nullptr) {
    (*met_)[what.kind][before.state - 1] = true;
  }
  return of_state.emplace(key, compute(before, what)).first->second;
}

outlook flow::look(facts at) {
  const auto [place, fresh] = looked_.try_emplace(std::bit_cast<std::uint64_t>(at));
  if (!fresh) {
    return place->second;
  }
  const auto r = expand(at);
  const auto now = moment_of(false);
  auto& out = place->second;
  out.next = lifecycle::next_action(r, now);
  if (const auto due = lifecycle::due(r, now)) {
    out.lapsed = due->kind == event_kind::lease_lost;
  }
  if (const auto due = lifecycle::due(r, moment_of(true))) {
    out.has_deadline = due->kind == event_kind::deadline;
  }
  out.lease_due = lifecycle::lease_due(r, any_lease_ms, now);
  return out;
}

facts flow::receive(std::uint8_t number, std::uint64_t lease) const {
  auto out
    = lifecycle::receive({.key = {"t", pfx::flow::pfx, "r"},
                          .kind = how_.import ? request_kind::pfx_import : request_kind::pfx_create,
                          .lease_number = number,
                          .lease_until = deadline_of(lease),
                          .expires_at = wall_deadline,
                          .authority = how_.import ? "" : "CA"},
                         moment_of(false));
  if (how_.off == rule::ask_before_intent || how_.off == rule::remember_settled) {
    out.next.ask_first = false;
  }
  return pack(out.next, 0);
}

facts flow::recall(std::uint8_t number, std::uint8_t recorded) const {
  auto what = happens(event_kind::query_recorded);
  what.document = recorded;
  const auto out
    = lifecycle::recall({.key = {"t", pfx::flow::pfx, "r"},
                         .kind = how_.import ? request_kind::pfx_import : request_kind::pfx_create,
                         .lease_number = number,
                         .authority = how_.import ? "" : "CA"},
                        event_of(what), rules_, moment_of(false));
  return pack(out.next, 0);
}

facts flow::ask_everything(facts before) const {
  const auto ended = static_cast<std::uint64_t>(record_state::settled);
  if (before.state == 0 || before.state == ended) {
    return before;
  }
  before.ask_first = 1;
  before.may_skip_walk = 0;
  if (before.has_intent != 0 && before.thumbprint == 0) {
    before.unanswered = before.ask_ca = before.sent_lately = 1;
  }
  return before;
}

} // namespace pfx::model
