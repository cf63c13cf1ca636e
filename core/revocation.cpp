// How a revocation order reacts to events. Refuses what does not fit its state: an order that was
// answered is never carried out again, whatever comes late.
#include "core/revocation.hpp"

#include <algorithm>
#include <array>

#include "core/lifecycle.hpp"

namespace pfx {

namespace {

constexpr std::array<std::string_view, order_state_count> state_names{
  "received", "held", "revoking", "answered", "reported", "unreported"};

} // namespace

std::string_view name_of(order_state value) noexcept {
  const auto at = static_cast<std::size_t>(value) - 1;
  return at < state_names.size() ? state_names[at] : std::string_view("unknown");
}

namespace revocation {

namespace {

constexpr std::array<std::string_view, event_kind_count> event_names{
  "offered_same",      "offered_other", "chosen",         "not_ours",   "guarded",
  "approved",          "rejected",      "ca_done",        "ca_already", "ca_not_found",
  "ca_refused",        "ca_unanswered", "ca_unavailable", "ca_missing", "report_recorded",
  "report_unanswered", "restarted",     "deadline"};
constexpr std::array<std::string_view, 4> action_names{"none", "choose", "revoke", "report"};

/// One step under way.
struct turn {
  const event& what;
  const rules& by;
  const moment& now;
  step_result out;

  revocation_order& next() { return out.next; }
  void note(std::uint16_t id, std::string text) {
    out.event_id = id;
    out.note = std::move(text);
  }
};

void back_off(turn& t) {
  auto& live = t.next().live;
  const lifecycle::rules waits{.backoff_base_ms = t.by.backoff_base_ms,
                               .backoff_max_ms = t.by.backoff_max_ms};
  const auto own = lifecycle::backoff_ms(waits, live.failures, t.now.random);
  live.retry_at = t.now.boot + std::max(own, std::min(t.what.retry_after_ms, t.by.backoff_max_ms));
  ++live.failures;
}

/// The first, second, fourth, eighth … of a row get a line: a month of trying is a dozen.
bool worth_a_line(std::uint32_t before) { return (before & (before + 1)) == 0; }

void answer(turn& t, service_code code, std::string text) {
  auto& o = t.next();
  o.state = order_state::answered;
  o.code = code;
  o.text = fitting(std::move(text));
  o.answered_at = t.now.wall;
  o.live = {};
  t.note(code == service_code::none ? trail_event::ca_answered : trail_event::ca_failed,
         code == service_code::none ? "revoked" : o.text);
}

bool may_be_sent_again(service_code code) { return code >= service_code::retryable; }

void offered_again(turn& t) {
  auto& o = t.next();
  o.transaction_id = t.what.transaction_id;
  ++o.hand_outs;
  o.live.retry_at = 0;
  o.live.failures = 0;
  t.note(trail_event::redelivered, "handed out again");
  if (!is_final(o.state)) {
    return;
  }
  if (!may_be_sent_again(o.code)) {
    o.state = order_state::answered; // the same report once more, and nothing else
    o.answered_at = t.now.wall;
    return;
  }
  o.state = order_state::received; // we asked for it to be sent again
  o.uploads = 0;                   // what becomes of it now is news
  o.code = service_code::none;
  o.text.clear();
  o.received_at = t.now.wall;
}

void choose(turn& t) {
  auto& o = t.next();
  o.state = order_state::revoking;
  o.authority = t.what.authority;
  o.issuer = t.what.issuer;
  o.serial = t.what.serial;
  o.revoked_at = t.now.wall;
  o.live = {};
  t.note(trail_event::intent, "certificate " + o.serial + " of " + o.authority);
}

void hold(turn& t) {
  t.next().state = order_state::held;
  t.next().live = {};
  t.note(trail_event::held, t.what.text);
}

void take_word(turn& t) {
  if (t.what.kind == event_kind::approved) {
    t.next().state = order_state::received;
    t.next().approved = true;
    t.next().received_at = t.now.wall; // the wait for an operator is none for its CA
    t.note(trail_event::operator_word, "approved by an operator");
    return;
  }
  answer(t, service_code::non_retryable, "rejected by an operator");
  t.note(trail_event::operator_word, "rejected by an operator");
}

void take_ca_answer(turn& t) {
  auto& o = t.next();
  ++o.attempts;
  switch (t.what.kind) {
    case event_kind::ca_done:
      answer(t, service_code::none, "");
      o.crl_number = t.what.crl_number;
      if (!o.crl_number.empty()) {
        t.out.note += ", listed from CRL number " + o.crl_number + " on";
      }
      return;
    case event_kind::ca_already: // by an earlier call of ours, or by somebody else: it is revoked
      answer(t, service_code::none, "");
      o.crl_number = t.what.crl_number;
      t.note(trail_event::ca_answered,
             "was revoked already"
               + (o.crl_number.empty() ? "" : ", listed from CRL number " + o.crl_number + " on"));
      return;
    case event_kind::ca_not_found:
      answer(t, service_code::certificate_not_found, "the CA does not know serial " + o.serial);
      return;
    case event_kind::ca_refused:
      answer(t, service_code::non_retryable, "the CA refuses: " + t.what.text);
      return;
    default:
      o.attempts -= t.what.kind == event_kind::ca_unavailable ? 1 : 0;
      back_off(t);
      if (worth_a_line(o.live.calls_failed++)) {
        t.note(trail_event::retry, "no answer from the CA: " + t.what.text);
      }
      return;
  }
}

/// No intent, and no place in the hour's limit: whoever cannot be asked revokes nothing.
void wait_for_ca(turn& t) {
  auto& o = t.next();
  o.live.missing_ca = t.what.authority;
  back_off(t);
  if (worth_a_line(o.live.calls_failed++)) {
    t.note(o.state == order_state::received ? trail_event::no_ca : trail_event::retry, t.what.text);
  }
}

/// An open call counts: nobody knows whether it arrived.
void restart(turn& t) {
  auto& o = t.next();
  o.attempts += o.state == order_state::revoking ? 1 : 0;
  o.live = {};
}

void take_report_answer(turn& t) {
  auto& o = t.next();
  if (t.what.kind == event_kind::report_unanswered) {
    back_off(t);
    if (worth_a_line(o.live.reports_failed++)) {
      t.note(trail_event::report_failed, t.what.text);
    }
    return;
  }
  o.state = order_state::reported;
  o.live = {};
  if (++o.uploads == 1) {
    t.out.admin_event = o.code == service_code::none ? trail_event::revoked : trail_event::failed;
  }
  t.note(trail_event::reported, "recorded by the service");
}

void give_up_report(turn& t) {
  auto& o = t.next();
  o.state = order_state::unreported;
  o.answered_at = t.now.wall;
  o.live = {};
  t.out.admin_event = trail_event::unreported;
  t.note(trail_event::unreported, "not reported: " + t.what.text);
}

void take_deadline(turn& t) {
  if (t.next().state == order_state::answered) {
    give_up_report(t);
  } else {
    answer(t, service_code::service_unavailable, t.what.text);
  }
}

/// Whether an event means anything in a state. The others are late or out of place.
bool fits(event_kind what, const revocation_order& of) {
  const auto in = of.state;
  switch (what) {
    case event_kind::offered_same:
    case event_kind::offered_other:
    case event_kind::restarted:
      return true;
    case event_kind::chosen:
    case event_kind::not_ours:
    case event_kind::guarded:
      return in == order_state::received;
    case event_kind::approved:
      return in == order_state::held;
    case event_kind::rejected:
      return in == order_state::held || may_be_rejected(of);
    case event_kind::ca_missing:
      return in == order_state::received || in == order_state::revoking;
    case event_kind::report_recorded:
    case event_kind::report_unanswered:
      return in == order_state::answered;
    case event_kind::deadline:
      return !is_final(in);
    default:
      return in == order_state::revoking; // the CA's words
  }
}

void react(turn& t) {
  switch (t.what.kind) {
    case event_kind::offered_same:
      offered_again(t);
      break;
    case event_kind::offered_other:
      t.note(trail_event::conflict, "requestContext: handed out with another body; refused");
      break;
    case event_kind::chosen:
      choose(t);
      break;
    case event_kind::not_ours:
      answer(t, t.what.code, t.what.text);
      break;
    case event_kind::guarded:
      hold(t);
      break;
    case event_kind::approved:
    case event_kind::rejected:
      take_word(t);
      break;
    case event_kind::report_recorded:
    case event_kind::report_unanswered:
      take_report_answer(t);
      break;
    case event_kind::ca_missing:
      wait_for_ca(t);
      break;
    case event_kind::restarted:
      restart(t);
      break;
    case event_kind::deadline:
      take_deadline(t);
      break;
    default:
      take_ca_answer(t);
      break;
  }
}

} // namespace

std::string_view name_of(event_kind value) noexcept {
  return event_names[static_cast<std::size_t>(value)];
}

std::string_view name_of(action value) noexcept {
  return action_names[static_cast<std::size_t>(value)];
}

std::string fitting(std::string text) {
  if (text.size() > text_bytes_max) {
    auto end = text_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
      --end;
    }
    text.resize(end);
  }
  return text;
}

step_result receive(const offer& what, const moment& now) {
  step_result out;
  out.changed = true;
  auto& o = out.next;
  o.key = what.key;
  o.serial_number = what.serial_number;
  o.issuer_name = what.issuer_name;
  o.ca_configuration = what.ca_configuration;
  o.fingerprint = what.fingerprint;
  o.transaction_id = what.transaction_id;
  o.arrival = what.arrival;
  o.received_at = now.wall;
  out.event_id = trail_event::received;
  out.note = "serialNumber " + printable(what.serial_number);
  return out;
}

step_result step(const revocation_order& now_is, const event& what, const rules& by,
                 const moment& now) {
  turn t{what, by, now, {.next = now_is}};
  if (!fits(what.kind, now_is)) {
    t.out.refused = what.kind == event_kind::approved || what.kind == event_kind::rejected;
    return t.out;
  }
  react(t);
  auto before = now_is;
  before.live = t.next().live;
  t.out.changed = !(before == t.next());
  return t.out;
}

action next_action(const revocation_order& value, const moment& now) {
  if (value.live.in_flight || value.live.retry_at > now.boot) {
    return action::none;
  }
  switch (value.state) {
    case order_state::received:
      return action::choose;
    case order_state::revoking:
      return action::revoke;
    case order_state::answered:
      return action::report;
    default:
      return action::none;
  }
}

bool may_be_rejected(const revocation_order& value) {
  const bool open = value.state == order_state::received || value.state == order_state::revoking;
  return open && !value.live.missing_ca.empty() && value.attempts == 0;
}

std::optional<event> due(const revocation_order& value, const rules& by, const moment& now) {
  // Not before a call under way has ended: its answer may be the one that is waited for. And not
  // before one was made: the time may have passed while nobody could make any.
  const bool asked
    = value.state == order_state::revoking && !value.live.in_flight && value.live.failures > 0;
  if (asked && now.wall >= value.revoked_at + by.deadline_ms) {
    return event{.kind = event_kind::deadline, .text = "the CA did not answer in time"};
  }
  const bool waits = value.state == order_state::received && !value.live.in_flight
    && !value.live.missing_ca.empty();
  if (waits && now.wall >= value.received_at + by.deadline_ms) {
    return event{.kind = event_kind::deadline,
                 .text = "certificateAuthority: not configured here: " + value.live.missing_ca};
  }
  if (value.state == order_state::held && now.wall >= value.received_at + by.held_deadline_ms) {
    return event{.kind = event_kind::deadline, .text = "held, and no operator decided in time"};
  }
  const bool tried = value.state == order_state::answered && !value.live.in_flight
    && value.live.reports_failed > 0;
  if (tried && now.wall >= value.answered_at + by.report_deadline_ms) {
    return event{.kind = event_kind::deadline, .text = "the service did not record it in time"};
  }
  return std::nullopt;
}

} // namespace revocation

} // namespace pfx
