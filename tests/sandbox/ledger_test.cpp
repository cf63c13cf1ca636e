// The service's rules of leases, results and epochs (docs/protocol.md), one by one.
#include <algorithm>

#include "sandbox/ledger.hpp"
#include "tests/catch.hpp"

using namespace pfx;
using namespace pfx::sandbox;
using service::upload_status;

namespace {

constexpr std::int64_t lease = 10'000;

const std::vector<request_kind> both{request_kind::pfx_create, request_kind::pfx_import};
const service::caller alice{"alice", 1, "run-a"};
const service::caller bob{"bob", 1, "run-b"};

digest digest_of(std::uint8_t n) {
  digest out;
  out.octets.fill(n);
  return out;
}

/// A ledger with some requests, a clock by hand and the journal it would have written.
struct desk {
  ledger books;
  std::vector<line> lines;
  boot_ms now = 1'000'000;

  explicit desk(std::size_t requests, double redeliver = 0, double reject = 0, double lose = 0)
      : books({60'000, redeliver, 1, reject, lose}) {
    for (std::size_t n = 0; n < requests; ++n) {
      CHECK(books.enqueue({"r" + std::to_string(n), n}));
    }
  }
  std::vector<hand_out> download(const service::caller& who, std::size_t most = 100) {
    return books.download(who, {most, both, lease}, now, lines);
  }
  upload_status upload(const service::caller& who, const std::string& context, std::uint64_t number,
                       std::uint8_t result = 1, bool with_document = true) {
    ledger::document says;
    says.succeeded = true;
    says.thumbprint = digest_of(result);
    const service::upload_entry entry{context, number, digest_of(result), {}};
    last = books.upload(who, entry, with_document ? &says : nullptr, now, lines);
    return last.status;
  }
  bool held(const service::caller& who, const std::string& context, std::uint64_t number) {
    return books.renew(who, lease, {{context, number}}, now, lines).front().held;
  }
  service::upload_answer last;
};

} // namespace

TEST_CASE("only the kinds asked for are handed out, and counted as more", "[ledger]") {
  desk one(1);
  REQUIRE(one.books.enqueue({.context = "import", .index = 1, .import = true}));
  const std::vector<request_kind> creates{request_kind::pfx_create};
  const auto given = one.books.download(alice, {10, creates, lease}, one.now, one.lines);
  REQUIRE(given.size() == 1);
  CHECK(given[0].context == "r0");
  CHECK_FALSE(one.books.more(creates, one.now));
  CHECK(one.books.more(both, one.now));
  const auto rest = one.download(alice);
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].context == "import");
}

TEST_CASE("a request is handed out once while its lease lasts, and again after it", "[ledger]") {
  desk one(2);
  const auto first = one.download(alice);
  REQUIRE(first.size() == 2);
  CHECK(first[0].lease_number == 1);
  CHECK(first[0].lease_ms == lease);
  CHECK(one.download(bob).empty());
  one.now += lease - 1;
  CHECK(one.download(bob).empty());
  one.now += 1;
  const auto second = one.download(bob);
  REQUIRE(second.size() == 2);
  CHECK(second[0].lease_number == 2);
  CHECK(one.books.counts().takeovers == 2);
}

TEST_CASE("requests handed out least often come first", "[ledger]") {
  desk one(4);
  const auto early = one.download(alice, 2);
  one.now += lease;
  const auto next = one.download(bob, 3);
  REQUIRE(next.size() == 3);
  CHECK(next[0].context == "r2");
  CHECK(next[1].context == "r3");
  CHECK(next[2].context == early[0].context);
}

TEST_CASE("a lease is never longer than the service allows", "[ledger]") {
  desk one(1);
  const auto given = one.books.download(alice, {1, both, 3'600'000}, one.now, one.lines);
  CHECK(given.front().lease_ms == 60'000);
}

TEST_CASE("an upload is accepted under the highest number only", "[ledger]") {
  desk one(1);
  one.download(alice);
  one.now += lease;
  one.download(bob);
  CHECK(one.upload(alice, "r0", 1) == upload_status::lease_lost);
  CHECK(one.upload(alice, "r0", 3) == upload_status::lease_lost);
  CHECK(one.upload(alice, "r0", 0) == upload_status::lease_lost);
  CHECK(one.upload(bob, "r0", 2) == upload_status::accepted);
  CHECK(one.last.stands.recorded_by == "bob");
  CHECK(one.last.stands.thumbprint == digest_of(1));
}

TEST_CASE("an expired lease that nobody took still counts", "[ledger]") {
  desk one(1);
  one.download(alice);
  one.now += 10 * lease;
  CHECK(one.upload(alice, "r0", 1) == upload_status::accepted);
  CHECK(one.download(bob).empty()); // and is not handed out any more
}

TEST_CASE("a recorded request answers alreadyRecorded to everybody, for ever", "[ledger]") {
  desk one(1);
  one.download(alice);
  CHECK(one.upload(alice, "r0", 1, 7) == upload_status::accepted);
  for (const std::uint64_t number : {0u, 1u, 2u, 99u}) {
    CHECK(one.upload(bob, "r0", number, 8) == upload_status::already_recorded);
    CHECK(one.last.stands.result_digest == digest_of(7));
    CHECK(one.upload(bob, "r0", number, 8, false) == upload_status::already_recorded);
  }
  CHECK(one.books.counts().recorded == 1);
}

TEST_CASE("an entry without a result asks for it, if nothing stands", "[ledger]") {
  desk one(1);
  one.download(alice);
  CHECK(one.upload(alice, "r0", 1, 1, false) == upload_status::result_missing);
  CHECK(one.upload(alice, "r0", 1, 1, true) == upload_status::accepted);
}

TEST_CASE("unknown requests and unreadable results are told so", "[ledger]") {
  desk one(1);
  CHECK(one.upload(alice, "nobody", 1) == upload_status::unknown_request);
  CHECK(one.upload(alice, "r0", 1) == upload_status::lease_lost); // never handed out
  one.download(alice);
  ledger::document says;
  says.wrong = error{errc::bad_input, "succeeded", "is missing"};
  const auto answer
    = one.books.upload(alice, {"r0", 1, digest_of(1), {1}}, &says, one.now, one.lines);
  CHECK(answer.status == upload_status::rejected);
  CHECK(answer.message.find("succeeded") != std::string::npos);
  CHECK(one.upload(alice, "r0", 1) == upload_status::accepted);
}

TEST_CASE("renewing keeps a lease, and tells those who lost theirs", "[ledger]") {
  desk one(1);
  one.download(alice);
  one.now += lease - 1;
  CHECK(one.held(alice, "r0", 1));
  one.now += lease - 1;
  CHECK(one.download(bob).empty());
  one.now += 1;
  CHECK(one.held(alice, "r0", 1)); // over, but nobody took it
  CHECK(one.download(bob).empty());
  one.now += lease;
  one.download(bob);
  CHECK_FALSE(one.held(alice, "r0", 1));
  CHECK(one.held(bob, "r0", 2));
  CHECK_FALSE(one.held(bob, "nobody", 1));
  CHECK(one.upload(bob, "r0", 2) == upload_status::accepted);
  CHECK_FALSE(one.held(bob, "r0", 2));
}

TEST_CASE("a recorded request is handed out once more until it is acknowledged", "[ledger]") {
  desk one(1, 1.0);
  one.download(alice);
  CHECK(one.upload(alice, "r0", 1) == upload_status::accepted);
  CHECK(one.upload(alice, "r0", 1) == upload_status::already_recorded); // a repeat, no answer to it
  CHECK(one.books.counts().redelivery_open == 1);
  one.books.enqueue({"fresh", 9});
  const auto again = one.download(alice);
  REQUIRE(again.size() == 2);
  CHECK(again[0].context == "r0"); // in front of new ones
  CHECK(again[0].lease_number == 2);
  one.now += lease;
  const auto third = one.download(alice);
  REQUIRE(third.size() == 2);
  CHECK(third[0].lease_number == 3);
  CHECK(one.upload(alice, "r0", 3, 1, false) == upload_status::already_recorded);
  CHECK(one.books.counts().redelivery_open == 0);
  CHECK(one.books.counts().redelivered == 1);
  CHECK(one.books.counts().acknowledged == 1);
  one.now += lease;
  const auto rest = one.download(alice);
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].context == "fresh");
}

TEST_CASE("a request of many copies is handed out under one number each", "[ledger]") {
  desk one(0);
  one.books.enqueue({"many", 0, 500});
  const auto given = one.download(alice, 10);
  REQUIRE(given.size() == 500);
  CHECK(given.front().lease_number == 1);
  CHECK(given.back().lease_number == 500);
  CHECK(given.back().copy == 499);
  CHECK(one.upload(alice, "many", 499) == upload_status::lease_lost);
  one.now += lease;
  CHECK(one.download(alice, 10).size() == 1); // the second time it is one of many
}

TEST_CASE("a query tells where a request is", "[ledger]") {
  desk one(2);
  using service::query_state;
  CHECK(one.books.query("nobody", one.now).state == query_state::unknown);
  CHECK(one.books.query("r0", one.now).state == query_state::open);
  one.download(alice, 1);
  CHECK(one.books.query("r0", one.now).state == query_state::leased);
  CHECK(one.books.query("r0", one.now).lease_number == 1);
  CHECK(one.books.query("r0", one.now + lease).state == query_state::open);
  one.upload(alice, "r0", 1, 5);
  const auto answer = one.books.query("r0", one.now);
  CHECK(answer.state == query_state::recorded);
  CHECK(answer.stands.result_digest == digest_of(5));
}

TEST_CASE("what was handed to a connector is told page by page", "[ledger]") {
  desk one(25);
  one.download(alice, 20);
  one.download(bob, 20);
  std::vector<std::string> seen;
  std::string after;
  for (int page = 0; page < 10; ++page) {
    const auto got = one.books.handed_to("alice", after, 7, one.now);
    for (const auto& answer : got.answers) {
      seen.push_back(answer.context);
    }
    if (!got.more) {
      break;
    }
    REQUIRE_FALSE(got.answers.empty());
    after = got.answers.back().context;
  }
  CHECK(seen.size() == 20);
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  CHECK(one.books.handed_to("bob", "", 500, one.now).answers.size() == 5);
  CHECK(one.books.handed_to("carol", "", 500, one.now).answers.empty());
}

TEST_CASE("the highest epoch and its run are served, all others are stale", "[ledger]") {
  desk one(0);
  CHECK(one.books.admit({"alice", 5, "x"}).first_of_run);
  CHECK_FALSE(one.books.admit({"alice", 5, "x"}).first_of_run);
  const auto lower = one.books.admit({"alice", 4, "x"});
  CHECK(lower.stale);
  CHECK(lower.highest_epoch == 5);
  CHECK(one.books.admit({"alice", 5, "y"}).stale); // the same epoch under another run
  CHECK_FALSE(one.books.admit({"alice", 6, "y"}).stale);
  CHECK(one.books.admit({"alice", 5, "x"}).stale);
  CHECK_FALSE(one.books.admit({"bob", 1, "z"}).stale); // nobody else's business
}

TEST_CASE("an anchor is kept until a newer one or a reconcile replaces it", "[ledger]") {
  desk one(0);
  service::check_in_order order;
  order.at = {10, digest_of(1)};
  CHECK_FALSE(one.books.check_in(alice, order).last_known);
  order.at = {20, digest_of(2)};
  CHECK(one.books.check_in(alice, order).last_known->sequence == 10);
  order.at = {15, digest_of(3)}; // a store that forgot
  CHECK(one.books.check_in(alice, order).last_known->audit_head == digest_of(2));
  CHECK(one.books.check_in(alice, order).last_known->audit_head == digest_of(2));
  order.reconciled = true;
  CHECK(one.books.check_in(alice, order).last_known->audit_head == digest_of(2));
  CHECK(one.books.check_in(alice, order).last_known->audit_head == digest_of(3));
}

TEST_CASE("one context is one request", "[ledger]") {
  desk one(1);
  CHECK_FALSE(one.books.enqueue({"r0", 7}));
  CHECK(one.books.counts().requests == 1);
}

TEST_CASE("a success is rejected once on purpose, what follows is taken", "[ledger]") {
  desk one(1, 0, 1.0);
  one.download(alice);
  CHECK(one.upload(alice, "r0", 1) == upload_status::rejected);
  CHECK_FALSE(one.last.message.empty());
  CHECK(one.books.query("r0", one.now).state == service::query_state::leased);
  ledger::document failure_document;
  failure_document.code = service_code::non_retryable;
  const auto answer
    = one.books.upload(alice, {"r0", 1, digest_of(2), {}}, &failure_document, one.now, one.lines);
  CHECK(answer.status == upload_status::accepted);
  CHECK_FALSE(answer.stands.succeeded);
}

TEST_CASE("a lease that was taken away is lost at once and comes back", "[ledger]") {
  desk one(1, 0, 0, 1.0);
  const auto given = one.download(alice);
  REQUIRE(given.size() == 1);
  CHECK(given[0].lease_number == 1);
  CHECK_FALSE(one.held(alice, "r0", 1));
  CHECK(one.upload(alice, "r0", 1) == upload_status::lease_lost);
  one.now += lease; // whoever took it has died with it
  const auto again = one.download(alice);
  REQUIRE(again.size() == 1);
  CHECK(again[0].lease_number == 3);
  CHECK(one.held(alice, "r0", 3));
  CHECK(one.upload(alice, "r0", 3) == upload_status::accepted);
}

TEST_CASE("what is held back is handed out once it is released", "[ledger]") {
  desk one(1);
  ledger_entry held{"import", 1};
  held.import = held.held = true;
  CHECK(one.books.enqueue(held));
  CHECK(one.download(alice).size() == 1);
  one.now += lease;
  CHECK(one.download(alice).size() == 1); // the free one again
  CHECK(one.books.counts().open == 2);
  one.books.release();
  one.books.release();
  const auto given = one.download(alice);
  REQUIRE(given.size() == 1);
  CHECK(given.front().context == "import");
  CHECK(one.upload(alice, "import", 1) == upload_status::accepted);
  CHECK(one.books.counts().imported == 1);
  CHECK(one.books.counts().delivered == 1);
}

TEST_CASE("a recorded import has no thumbprint, in the answer and in the journal", "[ledger]") {
  desk one(1, 1.0);
  one.download(alice);
  ledger::document says;
  says.succeeded = true;
  one.lines.clear();
  const auto answer
    = one.books.upload(alice, {"r0", 1, digest_of(1), {}}, &says, one.now, one.lines);
  CHECK(answer.status == upload_status::accepted);
  CHECK(answer.stands.succeeded);
  CHECK_FALSE(answer.stands.thumbprint.present());
  REQUIRE(one.lines.size() == 2);
  CHECK(one.lines[1].finish(0, 0).find("\"thumbprint\":\"\"") != std::string::npos);
  // Handed out once more, it is acknowledged by its digest.
  CHECK(one.download(alice).size() == 1);
  CHECK(one.books.upload(alice, {"r0", 2, digest_of(1), {}}, nullptr, one.now, one.lines).status
        == upload_status::already_recorded);
  CHECK(one.books.counts().acknowledged == 1);
}
