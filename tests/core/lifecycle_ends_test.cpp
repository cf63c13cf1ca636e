// Golden transcripts of the lifecycle: failures, operators, and how requests end.
#include "core/limits.hpp"
#include "tests/catch.hpp"
#include "tests/core/lifecycle_story.hpp"

namespace {

using namespace pfx;
using namespace pfx::story;

} // namespace

TEST_CASE("a rejected result is followed by a failure, a rejected failure by an operator",
          "[core][lifecycle]") {
  teller t;
  t.until_prepared().quietly().on({.kind = event_kind::upload_rejected, .text = "odd"});
  t.on(built_failure()).on({.kind = event_kind::upload_rejected, .text = "odd too"});
  t.on(event_kind::operator_give_up).on(built_failure());
  t.on(failed(event_kind::upload_accepted)).on(walked({found(0, our_certificate)}));
  CHECK(t.text() == R"(
upload_rejected: prepared failing, then build
built: prepared; puts result, then upload
upload_rejected: quarantined, then none
operator_give_up: submitting failing, then build
built: prepared; puts result, then upload
upload_accepted: closing; drops intent certificate, then walk
walked: settled; drops request; revokes 00; ends failed 1001, then none
)");
  // A copy of the first one may arrive after all, and then stands.
  teller copy;
  copy.until_prepared().on(event_kind::upload_rejected).on(built_failure());
  copy.on(ours(event_kind::upload_recorded));
  CHECK(copy.at.outcome == settled_as::delivered);
}

TEST_CASE("poison is put aside after its attempts, and fails at its deadline",
          "[core][lifecycle]") {
  teller t;
  const auto attempt = [&t] {
    t.on(event_kind::claimed).restart(false);
    t.on({.kind = event_kind::lease_renewed, .lease_number = 1, .lease_until = t.now.boot + lease});
  };
  attempt();
  attempt();
  attempt();
  t.on(event_kind::claimed).wait(t.by.quarantine_ms).on(built_failure()).offered(2);
  t.on(failed(event_kind::upload_accepted)).on(walked({}));
  CHECK(t.text() == R"(
received: received; puts request, then claim
claimed: working, then work
restarted_unclean: received suspect, then none
lease_renewed: received suspect, then claim
claimed: working suspect, then work
restarted_unclean: received suspect, then none
lease_renewed: received suspect, then claim
claimed: working suspect, then work
restarted_unclean: received suspect, then none
lease_renewed: received suspect, then claim
claimed: quarantined, then none
deadline: received failing, then build
lease_lost: received failing, then build
built: prepared; puts result, then query
offered_same: prepared #2, then upload
upload_accepted: closing #2; drops intent certificate, then walk
walked: settled #2; drops request; ends failed 1001, then none
)");
}

TEST_CASE("an operator releases what was put aside for a new round", "[core][lifecycle]") {
  teller t;
  for (int i = 0; i < 3; ++i) {
    t.on(event_kind::claimed).on({.kind = event_kind::work_failed, .text = "no entropy"});
    t.wait(5'000);
  }
  t.quietly().on(event_kind::operator_retry).on(event_kind::query_leased);
  t.on(event_kind::claimed).on(event_kind::operator_retry);
  CHECK(t.text() == R"(
operator_retry: received, then query
query_leased: received, then claim
claimed: working, then work
operator_retry: working; refused, then work
)");
}

TEST_CASE("what the service is told at a deadline names no fault of this machine",
          "[core][lifecycle]") {
  const event trouble{.kind = event_kind::work_failed, .text = "io: /var/lib/x/keys: denied"};
  teller aside;
  for (int i = 0; i < 3; ++i) {
    aside.on(event_kind::claimed).on(trouble);
    aside.wait(5'000);
  }
  CHECK(aside.at.reason.find("/var/lib/x") != std::string::npos); // the operator's
  aside.wait(aside.by.quarantine_ms);
  REQUIRE(aside.at.failing);
  CHECK(aside.at.reason.find("/var/lib/x") == std::string::npos);
  teller expired;
  expired.on(event_kind::claimed).on(trouble);
  expired.now.boot -= expiry; // the lease is held on: only the wall's time passes
  expired.at.live.lease_until = expiry;
  expired.wait(expiry);
  REQUIRE(expired.at.failing);
  CHECK(expired.at.reason == "expiresDateTime passed");
}

TEST_CASE("the same request with another body is a conflict, and the first one goes on",
          "[core][lifecycle]") {
  teller t;
  t.on(event_kind::claimed).offered(2, event_kind::offered_other).on(worked());
  CHECK(t.text() == R"(
received: received; puts request, then claim
claimed: working, then work
offered_other: working #2, then work
worked: submitting #2; puts intent, then submit
)");
  CHECK(t.at.fingerprint == digest_of(0x44));
  teller abandoned;
  abandoned.wait(lease).quietly().offered(2, event_kind::offered_other);
  abandoned.on(event_kind::query_leased).on(built_failure());
  CHECK(abandoned.text() == R"(
offered_other: received #2 failing; puts request, then query
query_leased: received #2 failing, then build
built: prepared #2; puts result, then upload
)");
  CHECK(abandoned.at.failure_code == service_code::conflict);
}

TEST_CASE("a request that expires fails, wherever it is", "[core][lifecycle]") {
  teller t;
  t.on(event_kind::claimed).on(worked()).on(event_kind::ca_unavailable);
  t.offered(2);
  t.now.boot -= expiry; // the lease is held on: only the wall's time passes
  t.at.live.lease_until = expiry;
  t.wait(expiry).on(built_failure());
  CHECK(t.text() == R"(
received: received; puts request, then claim
claimed: working, then work
worked: submitting; puts intent, then submit
ca_unavailable: submitting, then none
offered_same: submitting #2, then submit
deadline: submitting #2 failing, then build
built: prepared #2; puts result, then upload
)");
}

TEST_CASE("a request unknown to the service is put aside and revokes nothing",
          "[core][lifecycle]") {
  teller t;
  t.until_prepared().quietly().on(event_kind::upload_unknown).wait(lease);
  t.on(event_kind::query_unknown).wait(t.by.quarantine_ms);
  CHECK(t.text() == R"(
upload_unknown: quarantined disowned, then none
query_unknown: quarantined disowned, then none
deadline: settled disowned; drops request intent certificate result; ends failed 1001, then none
)");
}

TEST_CASE("a request that the service knows again goes on with the same bytes",
          "[core][lifecycle]") {
  for (const bool handed_out : {true, false}) {
    teller t;
    t.until_prepared().on(event_kind::upload_unknown);
    CHECK(t.at.state == record_state::quarantined);
    if (handed_out) {
      t.offered(2);
    } else {
      t.on(event_kind::query_open);
    }
    CHECK(t.at.state == record_state::prepared);
    CHECK(t.at.result_digest == our_bytes);
    CHECK(t.next() == action::upload);
    t.on(ours(event_kind::upload_accepted));
    CHECK(t.at.outcome == settled_as::delivered);
  }
}

TEST_CASE("an upload without an answer is asked about, then repeated", "[core][lifecycle]") {
  teller t;
  t.until_prepared().quietly().on(event_kind::upload_unanswered).wait(500);
  t.on(event_kind::query_leased).on(event_kind::upload_unanswered).wait(1'000);
  t.on(ours(event_kind::query_recorded)).on(walked({found(0, our_certificate)}));
  CHECK(t.text() == R"(
upload_unanswered: prepared, then none
query_leased: prepared, then upload
upload_unanswered: prepared, then none
query_recorded: closing; drops request intent certificate, then walk
walked: settled; ends delivered 1000, then none
)");
}

TEST_CASE("closing waits for what is pending and for what may still arrive", "[core][lifecycle]") {
  teller t;
  t.on(event_kind::claimed).on(worked()).on(event_kind::submit_unanswered);
  t.on(theirs(event_kind::query_recorded)).quietly();
  t.on(walked({found(0, their_certificate)}, false)).wait(1'000);
  t.on(walked({found(0, their_certificate)})).wait(t.by.ca_settle_ms - 1'001);
  CHECK(t.next() == action::none);
  t.wait(1).on(walked({found(0, their_certificate)}, true, 10)).on(event_kind::ca_unavailable);
  t.wait(10'000).on(walked({found(0, their_certificate), found(1, our_certificate)}));
  CHECK(t.text() == R"(
walked: closing unanswered, then none
walked: closing unanswered, then none
walked: closing unanswered, then walk
ca_unavailable: closing unanswered, then none
walked: settled unanswered; revokes 01; ends superseded 1004, then none
)");
}

TEST_CASE("a walk that is doubted lists nothing, is repeated, and ends without a revocation",
          "[core][lifecycle]") {
  const event doubted{.kind = event_kind::walked,
                      .text = "the CA shows a certificate of other names",
                      .found = {found(0, their_certificate), found(1, our_certificate)},
                      .walk_ended = true,
                      .walk_doubted = true};
  teller once;
  once.until_prepared().on(ours(event_kind::upload_recorded)).quietly().on(doubted);
  CHECK(once.next() == action::none);
  once.wait(1'000).on(walked({found(0, their_certificate), found(1, our_certificate)}));
  CHECK(once.text() == R"(
walked: closing, then none
walked: settled; revokes 00; ends delivered 1000, then none
)");
  teller for_ever;
  for_ever.until_prepared().on(ours(event_kind::upload_recorded));
  for (std::uint32_t i = 0; i < limits::walk_doubts_max; ++i) {
    for_ever.on(doubted).wait(for_ever.by.backoff_max_ms);
    REQUIRE(for_ever.at.state == record_state::closing);
    CHECK(for_ever.next() == action::walk);
  }
  CHECK(for_ever.on(doubted).last() == "walked: settled; ends delivered 1000, then none");
  CHECK(for_ever.out.trail->text.find("without revoking anything") != std::string::npos);
}

TEST_CASE("what was put aside under a clock that was years ahead does not wait for years",
          "[core][lifecycle]") {
  constexpr std::int64_t ten_years_ms = 315'360'000'000;
  teller t;
  t.on(event_kind::claimed).on(worked()).on(event_kind::ca_pending);
  t.now.wall += ten_years_ms;
  auto aside = t;
  aside.on(event_kind::upload_unknown).on(event_kind::query_unknown);
  REQUIRE(aside.at.state == record_state::quarantined);
  aside.now.wall -= ten_years_ms;
  aside.restart(true);
  CHECK(aside.at.quarantined_until == aside.now.wall + aside.by.quarantine_ms);
  teller waits;
  waits.now.wall += ten_years_ms;
  waits.on(event_kind::claimed).on(worked()).on(event_kind::ca_pending);
  waits.now.wall -= ten_years_ms;
  waits.restart(true);
  CHECK(waits.at.pending_until == waits.now.wall + waits.by.pending_deadline_ms);
}

TEST_CASE("a CA that asks to be left alone for ten years is asked again in ten minutes",
          "[core][lifecycle]") {
  teller t;
  t.on(event_kind::claimed).on(worked());
  t.at.expires_at = 0; // nothing else brings it back
  t.on({.kind = event_kind::ca_unavailable, .retry_after_ms = 315'360'000'000});
  CHECK(t.at.live.retry_at == t.now.boot + limits::asked_wait_ms_max);
}

TEST_CASE("a request that cannot be read ends in a failure", "[core][lifecycle]") {
  teller t(1, error{errc::bad_input, "certificate.subject", "is words"});
  t.on(built_failure()).on(failed(event_kind::upload_accepted)).on(walked({}));
  CHECK(t.text() == R"(
received: received failing, then build
built: prepared; puts result, then upload
upload_accepted: closing; drops intent certificate, then walk
walked: settled; drops request; ends failed 1001, then none
)");
  CHECK(t.at.reason == "certificate.subject: is words");
}
