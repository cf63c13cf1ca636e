// What a record calls for: the next action, the event that mere time brings, when to look again.
// How it reacts to events is in lifecycle_table.cpp.
#include "core/lifecycle.hpp"

#include <algorithm>

namespace pfx::lifecycle {

namespace {

constexpr std::array<std::string_view, event_kind_count> event_names{
  "offered_same",    "offered_other",     "claimed",         "worked",
  "work_refused",    "work_failed",       "work_slow",       "ca_issued",       "ca_foreign",
  "ca_pending",      "ca_pending_foreign", "ca_refused",     "ca_conflict",
  "ca_never_seen",   "ca_closed",         "submit_unanswered", "ca_unavailable",
  "built",           "build_failed",      "upload_accepted", "upload_recorded",
  "upload_lease_lost", "upload_missing",  "upload_rejected", "upload_unknown",
  "upload_unanswered", "query_open",      "query_leased",    "query_recorded",
  "query_unknown",   "query_unanswered",  "lease_renewed",   "lease_lost",
  "deadline",        "walked",            "operator_retry",  "operator_give_up",
  "restarted_clean", "restarted_unclean"};
static_assert(event_names.back() == "restarted_unclean");

constexpr std::array<std::string_view, action_count> action_names{
  "none", "claim", "claim_slowly", "work",  "work_slowly", "submit",
  "find", "build", "upload",       "query", "walk"};
/// Those before it send nothing.
constexpr auto first_outside = static_cast<std::size_t>(action::work);

/// Actions that the flow takes beside a single record's: their labels belong to the same campaign.
constexpr std::array<std::string_view, 5> shared_actions{"check_in", "download", "renew",
                                                         "reacknowledge", "revoke"};

bool leased(const record& r, const moment& now) { return r.live.lease_until > now.boot; }

bool needs_lease(record_state state) {
  switch (state) {
    case record_state::received:
    case record_state::working:
    case record_state::submitting:
    case record_state::pending:
    case record_state::issued:
    case record_state::prepared: return true;
    default: return false;
  }
}

action action_with_lease(const record& r) {
  switch (r.state) {
    case record_state::received:
      return r.ask_first ? action::query : r.live.slow ? action::claim_slowly : action::claim;
    case record_state::working: return r.live.slow ? action::work_slowly : action::work;
    case record_state::submitting:
      return r.ask_first ? action::query : r.ask_ca ? action::find : action::submit;
    case record_state::pending: return r.ask_first ? action::query : action::find;
    case record_state::issued: return r.attempt_open ? action::build : action::claim;
    case record_state::prepared:
      return r.ask_first || r.live.ask_service ? action::query : action::upload;
    default: return action::none;
  }
}

/// A request without a readable expiry ends all the same.
constexpr std::int64_t unreadable_expiry_ms = 7LL * 24 * 3600 * 1000;

unix_ms expiry_of(const record& r) {
  return r.expires_at != 0 ? r.expires_at : r.received_at + unreadable_expiry_ms;
}

/// The wall-clock moment at which mere time changes something; 0 = never.
unix_ms deadline_of(const record& r) {
  if (r.failing) {
    return 0;
  }
  switch (r.state) {
    case record_state::quarantined: return r.quarantined_until;
    case record_state::pending: return std::min(expiry_of(r), r.pending_until);
    case record_state::received:
    case record_state::working:
      // Whether it is ours at all is being asked; if not, it is abandoned and not failed.
      return r.live.lease_asked ? 0 : expiry_of(r);
    case record_state::submitting:
    case record_state::issued: return expiry_of(r);
    default: return 0;
  }
}

} // namespace

std::string_view name_of(event_kind value) noexcept {
  return event_names[static_cast<std::size_t>(value)];
}

std::string_view name_of(action value) noexcept {
  return action_names[static_cast<std::size_t>(value)];
}

std::int64_t backoff_ms(const rules& by, std::uint32_t failures, std::uint64_t random) {
  const auto doublings = std::min<std::uint32_t>(failures, 20);
  const auto ceiling = std::min(by.backoff_max_ms, by.backoff_base_ms << doublings);
  return static_cast<std::int64_t>(random % static_cast<std::uint64_t>(ceiling + 1));
}

step_result receive(const reception& what, const moment& now) {
  step_result out;
  out.changed = true;
  auto& r = out.next;
  r.key = what.key;
  r.state = record_state::received;
  r.kind = what.kind;
  r.fingerprint = what.fingerprint;
  r.lease_number = what.lease_number;
  r.arrival = what.arrival;
  r.received_at = now.wall;
  r.expires_at = what.expires_at;
  r.authority = what.authority;
  r.may_skip_walk = what.lease_number == 1;
  r.ask_first = what.lease_number > 1;
  r.live.lease_until = what.lease_until;
  std::string text = "leaseNumber " + std::to_string(r.lease_number);
  if (what.fault) {
    r.failing = true;
    r.failure_code = service_code_of(what.fault->code);
    r.reason = what.fault->field.empty() ? what.fault->message
                                         : what.fault->field + ": " + what.fault->message;
    text += "; " + r.reason;
  } else {
    out.put_blobs.emplace_back(blob_kind::request, what.sealed_request);
  }
  const auto offset = r.kind == request_kind::pfx_import ? 1000 : 0;
  out.trail = trail_entry{now.wall, static_cast<std::uint16_t>(trail_event::received + offset),
                          r.state,  "", 0, std::move(text)};
  return out;
}

step_result recall(const reception& what, event recorded, const rules& by, const moment& now) {
  auto before = receive(what, now).next;
  before.ask_first = false;
  before.may_skip_walk = false;
  before.unanswered = !what.authority.empty();
  before.live.last_send = now.boot;
  auto out = step(before, std::move(recorded), by, now);
  out.changed = true;
  return out;
}

action next_action(const record& r, const moment& now) {
  if (r.live.ticket != 0 || r.live.retry_at > now.boot) {
    return action::none;
  }
  if (r.state == record_state::closing) {
    return action::walk;
  }
  if (r.state == record_state::quarantined) {
    return r.has_intent && !leased(r, now) ? action::query : action::none;
  }
  if (!needs_lease(r.state) || r.live.lease_asked) {
    return action::none;
  }
  if (r.failing) {
    return r.ask_first && !r.has_intent && leased(r, now) ? action::query : action::build;
  }
  if (!leased(r, now)) {
    // Parked; without an intent or a result it is on its way to abandoned.
    return r.has_intent || r.state == record_state::prepared ? action::query : action::none;
  }
  return action_with_lease(r);
}

bool takes_part(const record& r, const moment& now) {
  return (r.state == record_state::closing && r.live.retry_at <= now.boot)
         || (needs_lease(r.state) && (r.live.lease_asked || leased(r, now)));
}

bool lease_due(const record& r, std::int64_t lease_ms, const moment& now) {
  return needs_lease(r.state) && !r.live.lease_asked && leased(r, now)
         && r.live.lease_until - now.boot < lease_ms / 2;
}

std::optional<event> due(const record& r, const moment& now) {
  const bool lapsed = needs_lease(r.state) && !r.live.lease_asked && !leased(r, now);
  const bool first_notice = r.live.lease_until != 0 || !(r.has_intent || r.failing);
  if (lapsed && first_notice && r.state != record_state::prepared) {
    return event{.kind = event_kind::lease_lost, .lease_number = r.lease_number};
  }
  const auto deadline = deadline_of(r);
  if (deadline != 0 && now.wall >= deadline) {
    return event{.kind = event_kind::deadline};
  }
  return std::nullopt;
}

boot_ms wake_at(const record& r, const moment& now) {
  boot_ms soonest = 0;
  const auto consider = [&soonest, &now](boot_ms at) {
    if (at > now.boot && (soonest == 0 || at < soonest)) {
      soonest = at;
    }
  };
  consider(r.live.retry_at);
  if (needs_lease(r.state) || r.state == record_state::quarantined) {
    consider(r.live.lease_until);
  }
  if (const auto deadline = deadline_of(r); deadline != 0) {
    consider(now.boot + std::max<std::int64_t>(1, deadline - now.wall));
  }
  return soonest;
}

std::vector<std::string> fault_labels() {
  std::vector<std::string> labels;
  for (std::size_t i = first_outside; i < action_count; ++i) {
    labels.push_back("before_send." + std::string(action_names[i]));
    labels.push_back("after_answer." + std::string(action_names[i]));
  }
  for (const auto name : shared_actions) {
    labels.push_back("before_send." + std::string(name));
    labels.push_back("after_answer." + std::string(name));
  }
  for (std::size_t i = 1; i <= record_state_count; ++i) {
    const auto name = std::string(name_of(static_cast<record_state>(i)));
    labels.push_back("before_persist." + name);
    labels.push_back("after_persist." + name);
  }
  return labels;
}

} // namespace pfx::lifecycle
