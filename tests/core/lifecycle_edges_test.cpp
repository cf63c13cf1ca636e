// What is easily forgotten: late answers, verdicts that overtake work, waits that must not run hot.
#include <algorithm>

#include "tests/catch.hpp"
#include "tests/core/lifecycle_story.hpp"

namespace {

using namespace pfx;
using namespace pfx::story;

teller submitting() {
  teller t;
  t.on(event_kind::claimed).on(worked());
  return t;
}

} // namespace

TEST_CASE("the bit of the skipped walk is cleared with the fact that breaks it",
          "[core][lifecycle]") {
  CHECK(teller(1).at.may_skip_walk);
  CHECK_FALSE(teller(2).at.may_skip_walk);
  CHECK(submitting().on(of_ca(event_kind::ca_pending)).at.may_skip_walk);
  CHECK(submitting().restart(true).at.may_skip_walk);
  CHECK_FALSE(submitting().restart(false).at.may_skip_walk);
  CHECK_FALSE(submitting().offered(2).at.may_skip_walk);
  CHECK_FALSE(submitting().on(foreign(0)).at.may_skip_walk);
  CHECK_FALSE(submitting().on(event_kind::ca_pending_foreign).at.may_skip_walk);
  CHECK_FALSE(submitting().on(event_kind::ca_conflict).at.may_skip_walk);
  CHECK_FALSE(submitting().on(event_kind::ca_closed).at.may_skip_walk);
  CHECK_FALSE(submitting().on(event_kind::submit_unanswered).at.may_skip_walk);
  CHECK_FALSE(teller().until_prepared().on(event_kind::upload_rejected).at.may_skip_walk);
  teller abandoned;
  abandoned.wait(lease).offered(2);
  CHECK_FALSE(abandoned.at.may_skip_walk);
  // Should one of the conditions be forgotten, the facts themselves still speak.
  for (const auto break_it :
       {+[](record& r) { r.lease_number = 2; }, +[](record& r) { r.generation = 1; },
        +[](record& r) { r.unanswered = true; }}) {
    teller t;
    t.until_prepared();
    break_it(t.at);
    CHECK(t.on(ours(event_kind::upload_accepted)).at.state == record_state::closing);
  }
}

TEST_CASE("a success without a thumbprint is not believed: the walk would revoke it",
          "[core][lifecycle]") {
  for (const auto kind :
       {event_kind::upload_accepted, event_kind::upload_recorded, event_kind::query_recorded}) {
    teller t;
    t.until_prepared().on({.kind = kind, .result_digest = our_bytes, .succeeded = true});
    CHECK(t.at.state == record_state::prepared);
    CHECK(t.out.drop_blobs.empty());
    CHECK(t.at.live.retry_at > t.now.boot);
  }
}

TEST_CASE("an import is judged by its bytes and has no walk", "[core][lifecycle]") {
  const auto end_of = [](event recorded) {
    teller t;
    t.until_prepared();
    t.at.kind = request_kind::pfx_import;
    t.at.authority.clear();
    t.at.thumbprint = {};
    recorded.thumbprint = {};
    t.on(std::move(recorded));
    CHECK(t.at.state == record_state::settled);
    CHECK(t.out.admin_event >= 2000);
    return t.at.outcome;
  };
  CHECK(end_of(ours(event_kind::upload_recorded)) == settled_as::delivered);
  CHECK(end_of(theirs(event_kind::upload_recorded)) == settled_as::superseded);
  CHECK(end_of(failed(event_kind::upload_recorded)) == settled_as::failed);
}

TEST_CASE("what was at work at a crash stays a suspect until it has had its turn",
          "[core][lifecycle]") {
  teller t;
  t.at.kind = request_kind::pfx_import;
  t.at.authority.clear();
  t.on(event_kind::claimed);
  t.on(event_kind::restarted_unclean).on(event_kind::restarted_unclean);
  CHECK(t.at.live.suspect); // the second crash came before it
  CHECK(t.at.attempts == 1);
  t.on({.kind = event_kind::lease_renewed, .lease_number = 1, .lease_until = t.now.boot + lease});
  t.on(event_kind::claimed).on(built());
  t.on(event_kind::restarted_unclean);
  CHECK_FALSE(t.at.live.suspect);
}

TEST_CASE("an import needs no CA: its work ends with the bytes", "[core][lifecycle]") {
  const auto at_work = [] {
    teller t;
    t.at.kind = request_kind::pfx_import;
    t.at.authority.clear();
    t.on(event_kind::claimed);
    CHECK(t.next() == action::work);
    return t;
  };
  SECTION("in one go") {
    auto t = at_work();
    t.on(built());
    CHECK(t.at.state == record_state::prepared);
    CHECK_FALSE(t.at.attempt_open);
    CHECK(t.next() == action::upload);
  }
  SECTION("in the slow lane, with an attempt of its own once that has a place") {
    auto t = at_work();
    t.on(event_kind::work_slow);
    CHECK(t.out.changed);
    CHECK(t.at.state == record_state::received);
    CHECK(t.at.attempts == 0);
    CHECK_FALSE(t.at.attempt_open);
    CHECK(t.next() == action::claim_slowly);
    t.on(event_kind::claimed);
    CHECK(t.at.attempts == 1);
    CHECK(t.next() == action::work_slowly);
    t.on(built());
    CHECK(t.at.state == record_state::prepared);
  }
  SECTION("what only waited for the slow lane at a crash is no suspect") {
    auto t = at_work();
    t.on(event_kind::work_slow).on(event_kind::restarted_unclean);
    CHECK_FALSE(t.at.live.suspect);
    auto begun = at_work();
    begun.on(event_kind::work_slow).on(event_kind::claimed).on(event_kind::restarted_unclean);
    CHECK(begun.at.live.suspect);
  }
  SECTION("what is too slow for the slow lane is an attempt that failed") {
    auto t = at_work();
    t.on(event_kind::work_slow);
    for (int attempt = 1; attempt <= 3; ++attempt) {
      CHECK(t.at.state == record_state::received);
      t.at.live.retry_at = 0;
      t.on(event_kind::claimed).on(event_kind::work_slow);
    }
    CHECK(t.at.state == record_state::quarantined);
  }
  SECTION("a lost lease abandons it, unless the bytes are frozen") {
    auto t = at_work();
    t.on({.kind = event_kind::lease_lost, .lease_number = t.at.lease_number});
    CHECK(t.at.state == record_state::abandoned);
    auto frozen = at_work();
    frozen.on(built()).on({.kind = event_kind::lease_lost, .lease_number = t.at.lease_number});
    CHECK(frozen.at.state == record_state::prepared);
    CHECK(frozen.next() == action::query);
  }
  SECTION("a create never gets there without a certificate") {
    teller t;
    t.on(event_kind::claimed).on(built());
    CHECK(t.at.state == record_state::working);
  }
}

TEST_CASE("the kept bytes are those that stand, or none", "[core][lifecycle]") {
  const auto keeps = [](teller&& t, event recorded) {
    t.on(std::move(recorded));
    CHECK(t.at.state == record_state::closing);
    const auto& dropped = t.out.drop_blobs;
    return std::find(dropped.begin(), dropped.end(), blob_kind::result) == dropped.end();
  };
  const auto with_success = [] { return teller().until_prepared(); };
  const auto with_failure
    = [] { return teller().until_prepared().on(event_kind::upload_rejected).on(built_failure()); };
  CHECK(keeps(with_success(), ours(event_kind::upload_recorded)));
  CHECK_FALSE(keeps(with_success(), theirs(event_kind::upload_recorded)));
  CHECK_FALSE(keeps(with_success(), failed(event_kind::upload_recorded)));
  CHECK(keeps(with_failure(), failed(event_kind::upload_recorded)));
  CHECK_FALSE(keeps(with_failure(), ours(event_kind::upload_recorded)));
}

TEST_CASE("a submit whose answer is lost after the record moved on is still waited for",
          "[core][lifecycle]") {
  auto t = submitting();
  t.at.live.ticket = 7; // the submit is on its way when a query finds another's result
  t.on(theirs(event_kind::query_recorded));
  CHECK(t.next() == action::none); // no walk before the submit has its answer
  t.at.live.ticket = 0;
  t.on(event_kind::submit_unanswered).on(walked({found(0, their_certificate)}));
  CHECK(t.at.state == record_state::closing);
  t.wait(t.by.ca_settle_ms - 1);
  CHECK(t.next() == action::none);
  t.wait(1).on(walked({found(0, their_certificate), found(1, our_certificate)}));
  CHECK(t.at.state == record_state::settled);
  CHECK(t.out.surplus.size() == 1);

  auto aside = submitting();
  aside.on(event_kind::query_unknown).on(event_kind::submit_unanswered);
  CHECK(aside.at.state == record_state::quarantined);
  CHECK(aside.at.unanswered);

  auto taken = teller();
  taken.until_issued().on(event_kind::submit_unanswered);
  CHECK_FALSE(taken.at.unanswered); // the slot holds our certificate: nothing new can come of it
}

TEST_CASE("after a restart the wait for late submits begins anew", "[core][lifecycle]") {
  for (const bool clean : {true, false}) {
    auto t = submitting();
    t.on(event_kind::submit_unanswered).on(theirs(event_kind::query_recorded));
    t.wait(t.by.ca_settle_ms + 1).restart(clean).on(walked({}));
    CHECK(t.at.state == record_state::closing);
    t.wait(t.by.ca_settle_ms).on(walked({}));
    CHECK(t.at.state == record_state::settled);
  }
}

TEST_CASE("silence is followed by a question, not by another submit", "[core][lifecycle]") {
  auto t = submitting();
  CHECK(t.next() == action::submit);
  t.on(event_kind::submit_unanswered).wait(1'000);
  CHECK(t.next() == action::find);
  t.on(event_kind::ca_unavailable).wait(1'000);
  CHECK(t.next() == action::find);
  t.on(event_kind::ca_never_seen);
  CHECK(t.next() == action::submit);

  teller upload;
  upload.until_prepared().on(event_kind::upload_unanswered).wait(1'000);
  CHECK(upload.next() == action::query);
  teller cut_off;
  cut_off.until_prepared().restart(false);
  cut_off.on({.kind = event_kind::lease_renewed,
              .lease_number = 1,
              .lease_until = cut_off.now.boot + lease});
  CHECK(cut_off.next() == action::query);
  CHECK(cut_off.on(event_kind::query_leased).next() == action::upload);
}

TEST_CASE("a CA that says conflict and never seen by turns is not asked without a pause",
          "[core][lifecycle]") {
  auto t = submitting();
  t.on(event_kind::ca_conflict);
  CHECK(t.next() == action::find);
  t.on(event_kind::ca_never_seen);
  CHECK(t.next() == action::submit);
  t.on(event_kind::ca_conflict);
  CHECK(t.next() == action::none);
  CHECK(t.at.live.retry_at > t.now.boot);
}

TEST_CASE("a verdict overtakes the work that is still going on", "[core][lifecycle]") {
  const auto expired = [](teller&& t) { return std::move(t.on(event_kind::deadline)); };
  auto at_work = expired(std::move(teller().on(event_kind::claimed)));
  CHECK(at_work.at.failing);
  at_work.on(worked());
  CHECK_FALSE(at_work.at.has_intent); // no key is stored that will never be used
  CHECK(at_work.out.put_blobs.empty());
  at_work.on({.kind = event_kind::work_failed, .text = "late"});
  CHECK(at_work.at.failing);
  CHECK(at_work.at.reason == "expiresDateTime passed");

  auto building = expired(std::move(teller().until_issued()));
  building.on(built());
  CHECK(building.at.state == record_state::issued); // a success is no failure
  building.at.attempts = building.by.attempts_max;
  building.on({.kind = event_kind::build_failed, .text = "no room"});
  CHECK(building.at.state == record_state::issued); // the failure's bytes are tried for ever
  CHECK(building.at.live.retry_at > building.now.boot);
  building.wait(1'000);
  CHECK(building.next() == action::build);
  building.on(event_kind::claimed);
  CHECK(building.out.refused);
  CHECK(building.on(built_failure()).at.state == record_state::prepared);
}

TEST_CASE("answers for an older leaseNumber are ignored", "[core][lifecycle]") {
  for (const auto kind : {event_kind::lease_lost, event_kind::upload_lease_lost}) {
    teller received;
    received.offered(2).on(numbered(kind, 1));
    CHECK(received.at.state == record_state::received);
    CHECK(received.at.live.lease_until > received.now.boot);
    auto parked = submitting();
    parked.offered(2).on(numbered(kind, 1));
    CHECK(parked.at.live.lease_until > parked.now.boot);
    parked.on(numbered(kind, 2));
    CHECK(parked.at.live.lease_until == 0);
  }
  teller renewed;
  const auto until = renewed.offered(2).at.live.lease_until;
  renewed.on({.kind = event_kind::lease_renewed, .lease_number = 1, .lease_until = until + 5'000});
  CHECK(renewed.at.live.lease_until == until);
}

TEST_CASE("attempts outlive a lost lease, but one that was left off does not count",
          "[core][lifecycle]") {
  teller t;
  std::uint64_t number = 1;
  for (; number <= 5; ++number) { // slow, not poisonous
    t.on(event_kind::claimed).wait(lease);
    CHECK(t.at.state == record_state::abandoned);
    CHECK(t.at.attempts == 0);
    t.offered(number + 1).on(event_kind::query_leased);
  }
  for (int crash = 0; crash < 3; ++crash, ++number) {
    t.on(event_kind::claimed);
    CHECK(t.at.state == record_state::working);
    t.restart(false).on(numbered(event_kind::lease_lost, number));
    CHECK(t.at.state == record_state::abandoned);
    t.offered(number + 1).on(event_kind::query_leased);
  }
  CHECK(t.on(event_kind::claimed).at.state == record_state::quarantined);
}

TEST_CASE("a request that was disowned and is known again is no longer disowned",
          "[core][lifecycle]") {
  for (const bool handed_out : {true, false}) {
    auto t = submitting();
    t.on(event_kind::query_unknown);
    if (handed_out) {
      t.offered(2);
    } else {
      t.on(event_kind::query_open);
    }
    // It has no frozen bytes: an operator or the deadline decides, and then a failure is sent.
    CHECK(t.at.state == record_state::quarantined);
    CHECK_FALSE(t.at.disowned);
    t.on(event_kind::deadline);
    CHECK(t.at.failing);
  }
}

TEST_CASE("whether it is ours is asked before a request is failed for its age",
          "[core][lifecycle]") {
  teller t;
  t.restart(true);
  CHECK(t.at.live.lease_asked);
  t.now.wall = expiry + 1;
  CHECK_FALSE(lifecycle::due(t.at, t.now));
  CHECK(lifecycle::wake_at(t.at, t.now) == 0);
  t.on(numbered(event_kind::lease_lost, 1));
  CHECK(t.at.state == record_state::abandoned);
}

TEST_CASE("a request without a readable expiry expires all the same", "[core][lifecycle]") {
  auto t = submitting();
  t.at.expires_at = 0;
  CHECK(lifecycle::wake_at(t.at, t.now) > t.now.boot);
  t.now.wall += 8LL * 24 * 3'600'000;
  t.at.live.lease_until = t.now.boot + lease;
  const auto what = lifecycle::due(t.at, t.now);
  REQUIRE(what);
  CHECK(what->kind == event_kind::deadline);
}

TEST_CASE("a quarantined record wakes when its lease ends, to ask about itself",
          "[core][lifecycle]") {
  auto t = submitting();
  t.on(event_kind::query_unknown).wait(1'000);
  CHECK(t.next() == action::none);
  CHECK(lifecycle::wake_at(t.at, t.now) == t.at.live.lease_until);
  t.now.boot = t.at.live.lease_until;
  CHECK(t.next() == action::query);
}

TEST_CASE("a lease is renewed in its second half, once at a time", "[core][lifecycle]") {
  teller t;
  CHECK_FALSE(lifecycle::lease_due(t.at, lease, t.now));
  t.wait(lease / 2 + 1);
  CHECK(lifecycle::lease_due(t.at, lease, t.now));
  t.at.live.lease_asked = true;
  CHECK_FALSE(lifecycle::lease_due(t.at, lease, t.now));
  t.on({.kind = event_kind::lease_renewed, .lease_number = 1, .lease_until = t.now.boot + lease});
  CHECK_FALSE(t.at.live.lease_asked);
  CHECK_FALSE(lifecycle::lease_due(t.at, lease, t.now));
  teller closing;
  closing.until_prepared().on(ours(event_kind::upload_recorded)).wait(lease - 1);
  CHECK_FALSE(lifecycle::lease_due(closing.at, lease, closing.now));
}

TEST_CASE("every record survives its own storage form at every step", "[core][lifecycle]") {
  teller t;
  const auto stored = [&t] {
    auto back = decode_record(t.at.key, encode(t.at));
    REQUIRE(back);
    back->live = t.at.live;
    CHECK(*back == t.at);
  };
  stored();
  for (const auto& what :
       {event{.kind = event_kind::claimed}, worked(), event{.kind = event_kind::ca_conflict},
        foreign(0), event{.kind = event_kind::submit_unanswered}, issued(1), built(),
        event{.kind = event_kind::upload_rejected, .text = "x"}, built_failure(),
        event{.kind = event_kind::upload_unknown}, event{.kind = event_kind::operator_retry},
        theirs(event_kind::query_recorded)}) {
    t.on(what);
    stored();
  }
}
