// Every cell of the table, met with every kind of record: what must hold whatever happens.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "core/limits.hpp"
#include "tests/catch.hpp"
#include "tests/core/lifecycle_story.hpp"

namespace {

using namespace pfx;
using namespace pfx::story;

constexpr std::uint64_t number = 5;
const lifecycle::moment now{.wall = 1'000'000, .boot = 500'000, .random = 77};
const lifecycle::rules by;

/// One record of each state, as the flow makes them.
record in_state(record_state state) {
  record r;
  r.key = {"contoso", flow::pfx, "r"};
  r.kind = request_kind::pfx_create;
  r.fingerprint = digest_of(0x44);
  r.lease_number = number;
  r.received_at = now.wall;
  r.expires_at = expiry;
  r.authority = "Corp-CA";
  r.live.lease_until = now.boot + lease;
  r.state = state;
  r.attempt_open = state == record_state::working;
  r.attempts = r.attempt_open ? 1 : 0;
  switch (state) {
    case record_state::prepared:
    case record_state::closing:
    case record_state::settled:
      r.result_digest = our_bytes;
      r.result_succeeded = true;
      [[fallthrough]];
    case record_state::issued:
      r.thumbprint = our_certificate;
      [[fallthrough]];
    case record_state::submitting:
    case record_state::pending:
      r.has_intent = true;
      break;
    case record_state::quarantined:
      r.quarantined_until = now.wall + 1'000;
      break;
    default:
      break;
  }
  if (state == record_state::pending) {
    r.pending_until = now.wall + 1'000;
  }
  if (state == record_state::closing || state == record_state::settled) {
    r.outcome = settled_as::delivered;
    r.recorded_thumbprint = our_certificate;
    r.recorded_digest = our_bytes;
  }
  return r;
}

/// The same record in other circumstances that can come about.
std::vector<record> circumstances(record_state state) {
  std::vector<record> out;
  const auto usual = in_state(state);
  const auto with = [&out, &usual](auto&& change) {
    auto other = usual;
    change(other);
    out.push_back(std::move(other));
  };
  const bool open = state != record_state::settled && state != record_state::abandoned;
  out.push_back(usual);
  with([](record& r) { r.live.lease_until = 0; });
  with([](record& r) { r.live.lease_until = now.boot - 1; });
  with([](record& r) { r.live = {.lease_asked = true}; });
  with([](record& r) { r.live.ticket = 9; });
  with([](record& r) { r.live.retry_at = now.boot + 100; });
  with([](record& r) { r.expires_at = 0; });
  with([](record& r) { r.expires_at = now.wall - 1; });
  with([](record& r) { r.attempts = by.attempts_max; });
  with([](record& r) { r.ask_first = r.ask_ca = r.unanswered = true; });
  with([](record& r) { r.generation = limits::generations_max - 1; });
  with([](record& r) { r.authority.clear(); });
  with([](record& r) { r.kind = request_kind::pfx_import; });
  with([](record& r) { r.rejected_before = true; });
  if (state == record_state::quarantined) {
    with([](record& r) { r.disowned = true; });
    with([](record& r) {
      r.has_intent = true;
      r.disowned = true;
      r.result_digest = our_bytes;
    });
  } else if (open && state != record_state::closing) {
    with([](record& r) {
      r.failing = true;
      r.attempt_open = false;
    });
    with([](record& r) {
      r.failing = true;
      r.attempt_open = false;
      r.live.lease_until = 0;
    });
  }
  return out;
}

event event_of(event_kind kind) {
  event out{.kind = kind,
            .lease_number = number,
            .lease_until = now.boot + lease,
            .thumbprint = their_certificate,
            .result_digest = their_bytes,
            .serial_number = "0b",
            .pending_id = "p",
            .code = service_code::non_retryable,
            .text = "text"};
  if (kind == event_kind::walked) {
    out.found = {found(0, our_certificate), found(1, their_certificate)};
    out.walk_ended = true;
  }
  return out;
}

/// Each kind of event, also with older and newer numbers, and with success and failure.
std::vector<event> variants(event_kind kind) {
  std::vector<event> out;
  for (const std::uint64_t other : {number, number - 1, number + 1, std::uint64_t{0}}) {
    for (const bool succeeded : {true, false}) {
      auto one = event_of(kind);
      one.lease_number = other;
      one.succeeded = succeeded;
      out.push_back(one);
      one.walk_ended = false;
      one.generation = limits::generations_max - 1;
      out.push_back(one);
    }
  }
  return out;
}

template <class Visit>
void each_case(Visit visit) {
  for (std::size_t k = 0; k < lifecycle::event_kind_count; ++k) {
    for (std::size_t s = 1; s <= record_state_count; ++s) {
      for (const auto& before : circumstances(static_cast<record_state>(s))) {
        for (const auto& what : variants(static_cast<event_kind>(k))) {
          visit(before, what, lifecycle::step(before, what, by, now));
        }
      }
    }
  }
}

std::string where(const record& before, const event& what, const record& after) {
  return std::string(lifecycle::name_of(what.kind)) + " in " + std::string(name_of(before.state))
    + " -> " + std::string(name_of(after.state));
}

/// Collects what fails, so that a test says all cells at once.
class findings {
public:
  void check(bool holds, const std::string& text) {
    ++checked_;
    if (!holds) {
      texts_.insert(text);
    }
  }
  [[nodiscard]] std::string text() const {
    std::string out;
    for (const auto& one : texts_) {
      out += one + "\n";
    }
    return out;
  }
  [[nodiscard]] std::size_t checked() const { return checked_; }

private:
  std::set<std::string> texts_;
  std::size_t checked_ = 0;
};

bool is_end(record_state state) {
  return state == record_state::settled || state == record_state::abandoned;
}

/// Something will happen by itself: work, a deadline, a timer, or an answer that is awaited.
bool has_a_way_out(const record& r) {
  return r.live.ticket != 0 || r.live.lease_asked || lifecycle::next_action(r, now) != action::none
    || lifecycle::due(r, now) || lifecycle::wake_at(r, now) > now.boot;
}

} // namespace

TEST_CASE("no cell lets a leaseNumber fall or changes who a request is", "[core][lifecycle]") {
  findings found;
  each_case([&found](const record& before, const event& what, const lifecycle::step_result& out) {
    const auto at = where(before, what, out.next);
    found.check(out.next.lease_number >= before.lease_number, at + ": lease number");
    found.check(out.next.key == before.key && out.next.kind == before.kind
                  && out.next.fingerprint == before.fingerprint
                  && out.next.authority == before.authority && out.next.arrival == before.arrival,
                at + ": identity");
    found.check(!before.has_intent || out.next.generation >= before.generation,
                at + ": generation");
    found.check(!before.has_intent || out.next.has_intent, at + ": intent lost");
    found.check(!out.next.may_skip_walk || before.may_skip_walk, at + ": may skip set again");
  });
  CHECK(found.text() == "");
  CHECK(found.checked() > 100'000);
}

TEST_CASE("no cell leaves a record without a way out", "[core][lifecycle]") {
  findings found;
  each_case([&found](const record& before, const event& what, const lifecycle::step_result& out) {
    const auto& r = out.next;
    const auto at = where(before, what, r);
    found.check(is_end(r.state) || has_a_way_out(r), at + ": nothing will ever happen");
    found.check(r.state != record_state::quarantined || (r.quarantined_until > 0 && !r.failing),
                at + ": quarantine without an end");
    found.check(r.state != record_state::quarantined || before.state == record_state::quarantined
                  || !r.reason.empty(),
                at + ": quarantine without a reason");
  });
  CHECK(found.text() == "");
}

TEST_CASE("an end is an end", "[core][lifecycle]") {
  findings found;
  each_case([&found](const record& before, const event& what, const lifecycle::step_result& out) {
    const auto at = where(before, what, out.next);
    if (before.state == record_state::settled) {
      found.check(!out.changed && !out.settled && out.put_blobs.empty() && out.surplus.empty(), at);
      return;
    }
    found.check(out.settled.has_value() == (out.next.state == record_state::settled),
                at + ": settled and not said");
    found.check((out.admin_event != 0) == out.settled.has_value(), at + ": admin event");
    if (before.state == record_state::abandoned && out.next.state != record_state::abandoned) {
      const bool reopened
        = (what.kind == event_kind::offered_same || what.kind == event_kind::offered_other)
        && what.lease_number > before.lease_number;
      const bool recorded
        = out.next.state == record_state::closing || out.next.state == record_state::settled;
      found.check(reopened || recorded, at);
      found.check(!reopened || out.next.ask_first, at + ": reopened without a question");
    }
    if (before.state == record_state::closing) {
      found.check(out.next.state == record_state::closing
                    || (what.kind == event_kind::walked && what.walk_ended),
                  at + ": closing left");
      found.check(out.next.outcome == before.outcome
                    && out.next.recorded_thumbprint == before.recorded_thumbprint,
                  at + ": what stands was changed");
    }
  });
  CHECK(found.text() == "");
}

TEST_CASE("only a recorded result revokes, and never what is recorded", "[core][lifecycle]") {
  findings found;
  each_case([&found](const record& before, const event& what, const lifecycle::step_result& out) {
    const auto at = where(before, what, out.next);
    found.check(out.surplus.empty() || before.state == record_state::closing, at + ": revoked");
    for (const auto& one : out.surplus) {
      found.check(before.outcome == settled_as::failed
                    || one.thumbprint != before.recorded_thumbprint,
                  at + ": the recorded one");
      found.check(one.thumbprint.present() && one.request == before.key
                    && one.authority == before.authority,
                  at + ": incomplete");
    }
  });
  CHECK(found.text() == "");
}

TEST_CASE("frozen bytes are never replaced but after a rejection", "[core][lifecycle]") {
  findings found;
  each_case([&found](const record& before, const event& what, const lifecycle::step_result& out) {
    const auto at = where(before, what, out.next);
    const bool replaced
      = before.result_digest.present() && out.next.result_digest != before.result_digest;
    found.check(!replaced || before.failing, at + ": bytes replaced");
    for (const auto& [kind, sealed] : out.put_blobs) {
      found.check(kind != blob_kind::intent || !before.has_intent, at + ": second key");
      found.check(kind != blob_kind::result || out.next.state == record_state::prepared,
                  at + ": result stored elsewhere");
    }
    if (out.next.state == record_state::closing && before.state != record_state::closing) {
      const std::set<blob_kind> dropped(out.drop_blobs.begin(), out.drop_blobs.end());
      // The names that were asked for are kept where only they say whose a certificate is.
      const bool names = out.next.outcome == settled_as::failed && !out.next.authority.empty()
        && out.next.kind == request_kind::pfx_create;
      found.check(dropped.count(blob_kind::intent) == 1
                    && dropped.count(blob_kind::request) == (names ? 0U : 1U)
                    && dropped.count(blob_kind::certificate) == 1,
                  at + ": a secret is kept");
      const bool keeps = dropped.count(blob_kind::result) == 0;
      found.check(!keeps || out.next.outcome != settled_as::superseded, at + ": bytes kept");
    }
  });
  CHECK(found.text() == "");
}

TEST_CASE("nothing is sent without a lease", "[core][lifecycle]") {
  findings found;
  for (std::size_t s = 1; s <= record_state_count; ++s) {
    for (auto r : circumstances(static_cast<record_state>(s))) {
      const auto what = lifecycle::next_action(r, now);
      const bool leased = r.live.lease_until > now.boot;
      const bool sends = what == action::submit || what == action::upload || what == action::work
        || what == action::claim || what == action::claim_slowly || what == action::find;
      found.check(!sends || leased, std::string(name_of(r.state)) + ": without a lease");
      found.check(what != action::submit || (r.has_intent && !r.ask_ca && !r.ask_first),
                  "submit without an intent, or unasked");
      found.check(what != action::upload || r.result_digest.present(), "upload of nothing");
      found.check(what == action::none || r.live.ticket == 0, "two actions at once");
    }
  }
  CHECK(found.text() == "");
}

TEST_CASE("an operator is told when a word does not fit", "[core][lifecycle]") {
  for (std::size_t s = 1; s <= record_state_count; ++s) {
    const auto r = in_state(static_cast<record_state>(s));
    for (const auto word : {event_kind::operator_retry, event_kind::operator_give_up}) {
      const auto out = lifecycle::step(r, event{.kind = word}, by, now);
      CHECK(out.refused == (r.state != record_state::quarantined));
      CHECK(out.changed == (r.state == record_state::quarantined));
    }
  }
}

TEST_CASE("every cell has a sentence, and every label a name", "[core][lifecycle]") {
  for (std::size_t k = 0; k < lifecycle::event_kind_count; ++k) {
    CHECK_FALSE(lifecycle::name_of(static_cast<event_kind>(k)).empty());
    for (std::size_t s = 1; s <= record_state_count; ++s) {
      CHECK_FALSE(
        lifecycle::reaction_text(static_cast<event_kind>(k), static_cast<record_state>(s)).empty());
    }
  }
  const auto labels = lifecycle::fault_labels();
  CHECK(std::set<std::string>(labels.begin(), labels.end()).size() == labels.size());
  CHECK(std::count(labels.begin(), labels.end(), "before_send.submit") == 1);
  CHECK(std::count(labels.begin(), labels.end(), "after_persist.submitting") == 1);
}

TEST_CASE("what says \"nothing\" does nothing", "[core][lifecycle]") {
  findings found;
  each_case([&found](const record& before, const event& what, const lifecycle::step_result& out) {
    if (lifecycle::reaction_text(what.kind, before.state) == "nothing") {
      found.check(out.next == before && !out.changed && !out.trail, where(before, what, out.next));
    }
  });
  CHECK(found.text() == "");
}

TEST_CASE("a wait grows, is never longer than its limit, and is as long as was asked for",
          "[core][lifecycle]") {
  lifecycle::rules some;
  for (const std::uint32_t failures : {0U, 1U, 5U, 20U, 21U, 4'000'000'000U}) {
    for (const std::uint64_t random : {0UL, 12'345'678'901UL, ~0UL}) {
      const auto ms = lifecycle::backoff_ms(some, failures, random);
      CHECK(ms >= 0);
      CHECK(ms <= some.backoff_max_ms);
    }
  }
  CHECK(lifecycle::backoff_ms(some, 0, 500) == 500);
  CHECK(lifecycle::backoff_ms(some, 3, 4'000) == 4'000);
  auto r = in_state(record_state::submitting);
  auto busy = event_of(event_kind::ca_unavailable);
  busy.retry_after_ms = 77'000;
  const auto out = lifecycle::step(r, busy, by, now);
  CHECK(out.next.live.retry_at == now.boot + 77'000);
  CHECK_FALSE(out.changed);
}
