// How each rule is taken away where the lifecycle is asked; those of the way to the outside are in
// the moves.
#include "tests/model/rules.hpp"

#include <algorithm>

#include "tests/model/flow.hpp"

namespace pfx::model {

using lifecycle::event;
using lifecycle::event_kind;

const std::array<rule_entry, rule_count - 1>& all_rules() {
  static constexpr std::array<rule_entry, rule_count - 1> entries{{
    {rule::intent_first, "intent-first", "one"},
    {rule::bytes_first, "bytes-first", "one"},
    {rule::keep_intent, "keep-intent", "one"},
    {rule::intent_outlives_lease, "intent-outlives-lease", "one"},
    {rule::reopen, "reopen", "one"},
    {rule::walk, "walk", "one-restored"},
    {rule::walk_failures, "walk-failures", "one-gives-up"},
    {rule::wait_for_late_sends, "wait-for-late-sends", "one-gives-up"},
    {rule::keep_surplus, "keep-surplus", "one-gives-up"},
    {rule::loss_revokes_nothing, "loss-revokes-nothing", "one"},
    {rule::judge_by_certificate, "judge-by-certificate", "one-restored"},
    {rule::check_key, "check-key", "one-restored"},
    {rule::silence_is_nothing, "silence-is-nothing", "one"},
    {rule::ask_before_intent, "ask-before-intent", "heir"},
    {rule::ask_when_parked, "ask-when-parked", "one-handed-out-once"},
    {rule::lease_before_send, "lease-before-send", "one"},
    {rule::walk_ends, "walk-ends", "one"},
    {rule::remember_settled, "remember-settled", "one"},
    {rule::reconcile, "reconcile", "one-restored-gives-up"},
    {rule::settle_before_reconcile, "settle-before-reconcile", "one-restored-gives-up"},
  }};
  return entries;
}

std::optional<rule> rule_of(std::string_view name) {
  const auto& all = all_rules();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [name](const rule_entry& one) { return one.name == name; });
  return found == all.end() ? std::nullopt : std::optional(found->what);
}

namespace {

constexpr auto word(record_state value) { return static_cast<std::uint64_t>(value); }

bool is_loss(std::uint64_t kind) {
  return kind == static_cast<std::uint64_t>(event_kind::lease_lost)
    || kind == static_cast<std::uint64_t>(event_kind::upload_lease_lost);
}

bool is_restart(std::uint64_t kind) {
  return kind >= static_cast<std::uint64_t>(event_kind::restarted_clean);
}

} // namespace

void flow::break_before(facts before, event& what) const {
  const auto in = static_cast<record_state>(before.state);
  if (how_.off == rule::reopen && in == record_state::abandoned
      && what.kind == event_kind::offered_same) {
    what.lease_number = 0;
  }
  if (how_.off == rule::silence_is_nothing && what.kind == event_kind::upload_unanswered) {
    const auto of = static_cast<std::uint8_t>(before.result);
    what.kind = event_kind::upload_accepted;
    what.succeeded = document::succeeded(of);
    what.result_digest.octets[0] = of;
    what.thumbprint.octets[0] = document::thumbprint(of);
  }
  if (how_.off == rule::walk_ends) {
    what.walk_ended = false;
  }
}

void flow::break_after(facts before, happening what, reaction& out) const {
  auto& r = out.next;
  const bool closes
    = before.state != word(record_state::closing) && r.state == word(record_state::closing);
  const bool failed = r.outcome == static_cast<std::uint64_t>(settled_as::failed);
  const bool lost = is_loss(what.kind) && what.number == before.lease_number;
  const auto own
    = static_cast<std::uint8_t>(before.thumbprint == 0 ? 0U : 1U << (before.thumbprint - 1U));
  switch (how_.off) {
    case rule::keep_intent:
      if (is_restart(what.kind) && r.state == word(record_state::submitting)) {
        r.state = word(record_state::received);
        r.has_intent = r.unanswered = r.ask_ca = 0;
        r.key = 0;
      }
      break;
    case rule::intent_outlives_lease:
      if (lost && r.has_intent != 0 && r.state <= word(record_state::pending)) {
        const auto number = r.lease_number;
        r = {};
        r.state = word(record_state::abandoned);
        r.lease_number = number & 0xfU;
      }
      break;
    case rule::walk:
    case rule::walk_failures:
      if (closes && (failed || how_.off == rule::walk)) {
        r.state = word(record_state::settled);
      }
      break;
    case rule::wait_for_late_sends:
      r.unanswered = 0;
      break;
    case rule::loss_revokes_nothing:
      if (lost && before.state != word(record_state::closing)) {
        out.surplus |= own;
      }
      break;
    case rule::judge_by_certificate:
      if (closes && what.document != before.result) {
        out.surplus |= own;
      }
      break;
    case rule::remember_settled:
      if (r.state == word(record_state::settled)) {
        r = {};
      }
      break;
    default:
      break;
  }
}

} // namespace pfx::model
