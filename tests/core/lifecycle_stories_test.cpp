// Golden transcripts of the lifecycle: the way of a request to its certificate.
#include "tests/catch.hpp"
#include "tests/core/lifecycle_story.hpp"

namespace {

using namespace pfx;
using namespace pfx::story;

} // namespace

TEST_CASE("a create goes through, and its walk is skipped", "[core][lifecycle]") {
  teller t;
  t.on(event_kind::claimed).on(worked()).on(issued()).on(built());
  t.on(ours(event_kind::upload_accepted));
  CHECK(t.text() == R"(
received: received; puts request, then claim
claimed: working, then work
worked: submitting; puts intent, then submit
ca_issued: issued; puts certificate, then build
built: prepared; puts result, then upload
upload_accepted: settled; drops request intent certificate; ends delivered 1000, then none
)");
  CHECK(t.out.settled->thumbprint == our_certificate);
  CHECK(t.out.settled->result_digest == our_bytes);
  CHECK(t.out.settled->serial_number == "0a");
}

TEST_CASE("whatever breaks a condition of the skip brings the walk back", "[core][lifecycle]") {
  const auto closing = [](auto&& trouble) {
    teller t;
    trouble(t);
    t.on(ours(event_kind::upload_accepted));
    return t.at.state == record_state::closing;
  };
  CHECK_FALSE(closing([](teller& t) { t.until_prepared(); }));
  CHECK_FALSE(closing([](teller& t) {
    t.on(event_kind::claimed).on(worked()).on(of_ca(event_kind::ca_pending));
    t.on(issued()).on(built());
  }));
  CHECK_FALSE(closing([](teller& t) { t.until_prepared().restart(true); }));
  CHECK(closing([](teller& t) { t.until_prepared().restart(false); }));
  CHECK(closing([](teller& t) { t.offered(2).until_prepared(); }));
  CHECK(closing([](teller& t) { t.until_prepared().offered(2); }));
  CHECK(closing([](teller& t) {
    t.on(event_kind::claimed).on(worked()).on(event_kind::submit_unanswered);
    t.on(issued()).on(built());
  }));
  CHECK(closing([](teller& t) {
    t.on(event_kind::claimed).on(worked()).on(event_kind::ca_conflict).on(issued()).on(built());
  }));
  CHECK(closing([](teller& t) {
    t.on(event_kind::claimed).on(worked()).on(foreign(0)).on(issued(1)).on(built());
  }));
  CHECK(closing([](teller& t) { t.until_prepared().on(event_kind::upload_rejected); }));
  const auto other_end = [](event said) {
    teller t;
    t.until_prepared().on(std::move(said));
    return t.at.state == record_state::closing;
  };
  CHECK(other_end(ours(event_kind::upload_recorded)));
  CHECK(other_end(ours(event_kind::query_recorded)));
  CHECK(other_end(theirs(event_kind::upload_accepted)));
  CHECK(other_end(failed(event_kind::upload_accepted)));
}

TEST_CASE("a request that was handed out before is asked about first", "[core][lifecycle]") {
  teller t(2);
  t.on(event_kind::query_leased).on(event_kind::claimed);
  CHECK(t.text() == R"(
received: received #2; puts request, then query
query_leased: received #2, then claim
claimed: working #2, then work
)");
  teller recorded(2);
  recorded.on(theirs(event_kind::query_recorded)).on(walked({found(0, their_certificate)}));
  CHECK(recorded.text() == R"(
received: received #2; puts request, then query
query_recorded: closing #2; drops request intent certificate result, then walk
walked: settled #2; ends superseded 1004, then none
)");
}

TEST_CASE("a lease lost before the intent leaves a trace that a new hand-out reopens",
          "[core][lifecycle]") {
  teller t;
  t.on(event_kind::claimed).wait(lease).on(worked()).offered(1).offered(2);
  t.on(event_kind::query_leased).on(event_kind::claimed).on(worked());
  CHECK(t.text() == R"(
received: received; puts request, then claim
claimed: working, then work
lease_lost: abandoned; drops request, then none
worked: abandoned, then none
offered_same: abandoned, then none
offered_same: received #2; puts request, then query
query_leased: received #2, then claim
claimed: working #2, then work
worked: submitting #2; puts intent, then submit
)");
}

TEST_CASE("a lease lost after the intent parks the record, and nothing is revoked",
          "[core][lifecycle]") {
  teller t;
  t.on(event_kind::claimed).on(worked()).wait(lease).on(event_kind::query_leased);
  t.wait(500).on(event_kind::query_unanswered).wait(1'000).offered(2).on(issued());
  t.on(numbered(event_kind::upload_lease_lost, 1)).on(built());
  t.on(numbered(event_kind::upload_lease_lost, 2)).on(theirs(event_kind::query_recorded));
  t.on(walked({found(0, our_certificate), found(1, their_certificate)}));
  CHECK(t.text() == R"(
received: received; puts request, then claim
claimed: working, then work
worked: submitting; puts intent, then submit
lease_lost: submitting, then query
query_leased: submitting, then none
query_unanswered: submitting, then none
offered_same: submitting #2, then submit
ca_issued: issued #2; puts certificate, then build
upload_lease_lost: issued #2, then build
built: prepared #2; puts result, then upload
upload_lease_lost: prepared #2, then query
query_recorded: closing #2; drops request intent certificate result, then walk
walked: settled #2; revokes 00; ends superseded 1004, then none
)");
}

TEST_CASE("an unclean end is thought through in every state", "[core][lifecycle]") {
  const auto after = [](auto&& before) {
    teller t;
    before(t);
    t.restart(false);
    return t.last().substr(t.last().find(' ') + 1);
  };
  CHECK(after([](teller&) {}) == "received, then none");
  CHECK(after([](teller& t) { t.on(event_kind::claimed); }) == "received suspect, then none");
  CHECK(after([](teller& t) { t.on(event_kind::claimed).on(worked()); })
        == "submitting unanswered, then none");
  CHECK(after([](teller& t) {
          t.on(event_kind::claimed).on(worked()).on(of_ca(event_kind::ca_pending));
        })
        == "pending unanswered, then none");
  CHECK(after([](teller& t) { t.until_issued(); }) == "issued suspect, then none");
  CHECK(after([](teller& t) { t.until_prepared(); }) == "prepared, then none");
  CHECK(after([](teller& t) { t.until_prepared().on(theirs(event_kind::upload_recorded)); })
        == "closing, then walk");
  CHECK(after([](teller& t) { t.wait(lease); }) == "abandoned, then none");
  CHECK(
    after([](teller& t) { t.on(event_kind::claimed).on(worked()).on(event_kind::query_unknown); })
    == "quarantined unanswered disowned, then query");
}

TEST_CASE("a submit that was cut off is asked about, then sent again as it was",
          "[core][lifecycle]") {
  teller t;
  t.on(event_kind::claimed).on(worked()).restart(false);
  t.on({.kind = event_kind::lease_renewed, .lease_number = 1, .lease_until = t.now.boot + lease});
  t.on(event_kind::ca_never_seen).on(event_kind::submit_unanswered).wait(500);
  t.on(event_kind::ca_unavailable).wait(1'000).on(issued()).on(built());
  t.on(ours(event_kind::upload_accepted)).on(walked({found(0, our_certificate)}));
  CHECK(t.text() == R"(
received: received; puts request, then claim
claimed: working, then work
worked: submitting; puts intent, then submit
restarted_unclean: submitting unanswered, then none
lease_renewed: submitting unanswered, then find
ca_never_seen: submitting unanswered, then submit
submit_unanswered: submitting unanswered, then none
ca_unavailable: submitting unanswered, then none
ca_issued: issued; puts certificate, then build
built: prepared; puts result, then upload
upload_accepted: closing; drops request intent certificate, then walk
walked: settled; ends delivered 1000, then none
)");
}

TEST_CASE("a CA that lets wait is polled until its deadline", "[core][lifecycle]") {
  teller t;
  t.by.pending_deadline_ms = 10'000;
  t.on(event_kind::claimed).on(worked());
  t.on({.kind = event_kind::ca_pending, .pending_id = "p7", .retry_after_ms = 2'000}).wait(1'999);
  CHECK(t.next() == action::none);
  t.wait(1).on({.kind = event_kind::ca_pending, .pending_id = "p7", .retry_after_ms = 2'000});
  t.wait(10'000).on(issued()).on(built_failure()).on(failed(event_kind::upload_accepted));
  t.on(walked({found(0, our_certificate)}));
  CHECK(t.text() == R"(
received: received; puts request, then claim
claimed: working, then work
worked: submitting; puts intent, then submit
ca_pending: pending, then none
ca_pending: pending, then none
deadline: pending failing, then build
ca_issued: pending failing, then build
built: prepared; puts result, then upload
upload_accepted: closing; drops intent certificate, then walk
walked: settled; drops request; revokes 00; ends failed 1001, then none
)");
}

TEST_CASE("a CA that refuses ends in a failure, and that is walked", "[core][lifecycle]") {
  teller t;
  t.on(event_kind::claimed).on(worked()).on(of_ca(event_kind::ca_refused)).on(built_failure());
  t.on(failed(event_kind::upload_accepted)).on(walked({}));
  CHECK(t.text() == R"(
received: received; puts request, then claim
claimed: working, then work
worked: submitting; puts intent, then submit
ca_refused: submitting failing, then build
built: prepared; puts result, then upload
upload_accepted: closing; drops intent certificate, then walk
walked: settled; drops request; ends failed 1001, then none
)");
}

TEST_CASE("a policy that refuses ends in a failure without an intent", "[core][lifecycle]") {
  teller t;
  t.on(event_kind::claimed);
  t.on({.kind = event_kind::work_refused, .code = service_code::parameter_invalid, .text = "no"});
  t.on(built_failure()).on(failed(event_kind::upload_accepted)).on(walked({}));
  CHECK(t.text() == R"(
received: received; puts request, then claim
claimed: working, then work
work_refused: working failing, then build
built: prepared; puts result, then upload
upload_accepted: closing; drops intent certificate, then walk
walked: settled; drops request; ends failed 1001, then none
)");
  CHECK(t.out.settled->failure_code == service_code::parameter_invalid);
}

TEST_CASE("a foreign certificate leads to the next generation", "[core][lifecycle]") {
  teller t;
  t.on(event_kind::claimed).on(worked()).on(event_kind::ca_conflict).on(foreign(0));
  t.on(foreign(0)).on(issued(0)).on(issued(1)).on(built()).on(ours(event_kind::upload_accepted));
  t.on(walked({found(0, their_certificate), found(1, our_certificate)}));
  CHECK(t.text() == R"(
received: received; puts request, then claim
claimed: working, then work
worked: submitting; puts intent, then submit
ca_conflict: submitting, then find
ca_foreign: submitting g1, then submit
ca_foreign: submitting g1, then submit
ca_issued: submitting g1, then submit
ca_issued: issued g1; puts certificate, then build
built: prepared g1; puts result, then upload
upload_accepted: closing g1; drops request intent certificate, then walk
walked: settled g1; revokes 00; ends delivered 1000, then none
)");
}

TEST_CASE("when every generation is foreign the request is put aside", "[core][lifecycle]") {
  teller t;
  t.on(event_kind::claimed).on(worked());
  for (std::uint8_t g = 0; g < 7; ++g) {
    t.on(foreign(g));
  }
  t.quietly().on(foreign(7)).on(event_kind::operator_retry).on(event_kind::query_leased);
  t.on(foreign(7));
  CHECK(t.text() == R"(
ca_foreign: quarantined g7, then none
operator_retry: submitting g7, then query
query_leased: submitting g7, then find
ca_foreign: quarantined g7, then none
)");
}

TEST_CASE("a foreign request that waits is waited for", "[core][lifecycle]") {
  teller t;
  t.on(event_kind::claimed).on(worked()).on(event_kind::ca_conflict);
  t.on(event_kind::ca_pending_foreign).wait(1'000).on(foreign(0));
  CHECK(t.text() == R"(
received: received; puts request, then claim
claimed: working, then work
worked: submitting; puts intent, then submit
ca_conflict: submitting, then find
ca_pending_foreign: submitting, then none
ca_foreign: submitting g1, then submit
)");
}

TEST_CASE("a closed transaction id means that the service knows more", "[core][lifecycle]") {
  teller t;
  t.on(event_kind::claimed).on(worked()).on(event_kind::ca_closed).wait(500);
  t.on(theirs(event_kind::query_recorded)).on(walked({found(0, their_certificate)}));
  CHECK(t.text() == R"(
received: received; puts request, then claim
claimed: working, then work
worked: submitting; puts intent, then submit
ca_closed: submitting, then none
query_recorded: closing; drops request intent certificate result, then walk
walked: settled; ends superseded 1004, then none
)");
}
