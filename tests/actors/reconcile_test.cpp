// A store that is older than the world: restored from a backup, cloned, or robbed of its last
// writes. Everything is asked about before anything is submitted.
#include <algorithm>

#include "actors/tasks/ledger.hpp"
#include "crypto/digest.hpp"
#include "storage/anchor_file.hpp"
#include "tests/actors/harness.hpp"
#include "tests/catch.hpp"

using namespace pfx;
using test::bench;

namespace {

constexpr std::int64_t patience_ms = 400'000;

std::size_t unrevoked(const bench& b) {
  return static_cast<std::size_t>(std::count_if(
    b.ca->slots.begin(), b.ca->slots.end(), [](const auto& one) { return !one.second.revoked; }));
}

void deliver(bench& b, const std::string& context) {
  b.service.offer(b.request(context));
  REQUIRE(b.advance_until([&] { return b.settled(context).has_value(); }, patience_ms));
}

bool recorded_lives(const bench& b, const std::string& context) {
  const auto& stands = *b.service.requests.at(context).stands;
  return std::any_of(b.ca->slots.begin(), b.ca->slots.end(), [&](const auto& one) {
    return crypto::sha256(one.second.certificate) == stands.thumbprint && !one.second.revoked;
  });
}

/// A life that the backup knows, then one that it does not.
void live_twice(bench& b, const std::function<void()>& forgotten) {
  b.start();
  deliver(b, "remembered");
  REQUIRE(b.stop());
  b.back_up();
  b.start();
  forgotten();
  b.crash();
  b.restore();
}

} // namespace

TEST_CASE("what was delivered in a forgotten life is not delivered again", "[actors][reconcile]") {
  bench b;
  live_twice(b, [&] {
    for (const auto* context : {"a", "b", "c", "d", "e"}) {
      deliver(b, context);
    }
  });
  const auto submits = b.ca->submits;
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("e").has_value(); }, patience_ms));
  b.advance(10'000);
  CHECK_FALSE(b.halted());
  CHECK(b.ca->submits == submits);
  CHECK(unrevoked(b) == 6);
  for (const auto* context : {"a", "b", "c", "d", "e"}) {
    CHECK(b.settled(context).has_value());
    CHECK(recorded_lives(b, context));
  }
  CHECK(std::count(b.service.reconciled.begin(), b.service.reconciled.end(), true) == 1);
  deliver(b, "new");
  // The next start knows where it stands.
  REQUIRE(b.stop());
  const auto asked = std::count(b.service.calls.begin(), b.service.calls.end(), "handed_to_me");
  b.start();
  b.advance(2'000);
  CHECK(std::count(b.service.calls.begin(), b.service.calls.end(), "handed_to_me") == asked);
}

TEST_CASE("a request that is open in the backup and was delivered since goes through closing",
          "[actors][reconcile]") {
  bench b;
  b.ca->pending_answers = 1'000'000;
  b.service.offer(b.request("one"));
  b.start();
  b.advance(1'000);
  REQUIRE(b.open_record("one")->state == record_state::pending);
  b.crash();
  b.back_up();
  b.ca->pending_answers = 0;
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("one").has_value(); }, patience_ms));
  b.crash();
  b.restore();
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("one").has_value(); }, patience_ms));
  CHECK(b.ca->slots.size() == 1);
  CHECK(recorded_lives(b, "one"));
  CHECK(std::set<digest>(b.service.requests["one"].digests_seen.begin(),
                         b.service.requests["one"].digests_seen.end())
          .size()
        == 1);
}

TEST_CASE("a certificate of a forgotten life that nobody was given is revoked",
          "[actors][reconcile]") {
  bench b;
  live_twice(b, [&] {
    // The certificate is issued, and the process dies before anything is uploaded.
    b.service.offer(b.request("lost"));
    b.ca->lose_submit_answers = 1;
    REQUIRE(b.advance_until([&] { return b.ca->slots.size() == 2; }));
  });
  REQUIRE(b.ca->slots.size() == 2);
  b.time.now += 100'000; // the lease runs out
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("lost").has_value(); }, patience_ms));
  REQUIRE(b.advance_until([&] { return unrevoked(b) == 2; }, patience_ms));
  CHECK(b.ca->slots.size() == 3);
  CHECK(recorded_lives(b, "lost"));
}

TEST_CASE("nothing is submitted or asked for before the last page came", "[actors][reconcile]") {
  bench b;
  live_twice(b, [&] {
    for (const auto* context : {"a", "b", "c"}) {
      deliver(b, context);
    }
  });
  b.service.fail_pages = 3;
  b.service.calls.clear();
  b.service.offer(b.request("new"));
  const auto submits = b.ca->submits;
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("new").has_value(); }, patience_ms));
  const auto& calls = b.service.calls;
  const auto last_page = std::find(calls.rbegin(), calls.rend(), "handed_to_me").base();
  CHECK(std::count(calls.begin(), last_page, "handed_to_me") >= 3 + 2);
  CHECK(std::count(calls.begin(), last_page, "download") == 0);
  CHECK(std::count(calls.begin(), last_page, "upload") == 0);
  CHECK(b.ca->submits == submits + 1);
}

TEST_CASE("a reconcile that was interrupted begins again", "[actors][reconcile]") {
  bench b;
  live_twice(b, [&] { deliver(b, "a"); });
  const auto asked
    = [&b] { return std::count(b.service.calls.begin(), b.service.calls.end(), "handed_to_me"); };
  b.service.fail_pages = 1;
  b.service.calls.clear();
  b.start();
  REQUIRE(b.advance_until([&] { return asked() == 1; }, patience_ms));
  CHECK_FALSE(b.settled("a").has_value());
  b.crash();
  b.service.anchor.reset(); // the service has forgotten too; our own mark has not
  b.service.calls.clear();
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("a").has_value(); }, patience_ms));
  CHECK(asked() == 1);
  CHECK(unrevoked(b) == 2);
}

TEST_CASE("nothing is asked about while a submission of a forgotten life may still arrive",
          "[actors][reconcile]") {
  bench b;
  live_twice(b, [&] { deliver(b, "a"); });
  const auto asked
    = [&b] { return std::count(b.service.calls.begin(), b.service.calls.end(), "handed_to_me"); };
  b.service.calls.clear();
  b.start();
  b.advance(b.plant.rules.ca_settle_ms / 2);
  CHECK(asked() == 0);
  REQUIRE(b.advance_until([&] { return asked() > 0; }));
  REQUIRE(b.advance_until([&] { return b.settled("a").has_value(); }, patience_ms));
}

TEST_CASE("a service that learns of a later state in mid-run ends the process",
          "[actors][reconcile]") {
  bench b;
  b.start();
  b.advance(1'000);
  b.service.anchor
    = connect::service::anchor{7, crypto::certificate(b.device.certificate).thumbprint()};
  REQUIRE(b.advance_until([&] { return b.halted(); }, 1'000'000));
  CHECK(b.halted_by() == errc::corrupt);
}

TEST_CASE("the anchor outside follows the chain and never runs before it", "[actors][reconcile]") {
  bench b;
  b.start();
  for (const auto* context : {"a", "b"}) {
    deliver(b, context);
    b.advance(2'000);
    const auto outside = storage::read_anchor(b.anchor_path()).value();
    REQUIRE(outside.has_value());
    const auto last = b.plant.store->last_audit().value();
    CHECK(outside->sequence == last->sequence);
    CHECK(outside->head == last->chain_head);
    CHECK(outside->store_id == b.plant.store->store_id());
    CHECK(outside->records == b.plant.store->status().sequence);
    CHECK(*actors::tasks::in_our_chain(*b.plant.store, {outside->sequence, outside->head}));
  }
  const auto outside = storage::read_anchor(b.anchor_path()).value();
  CHECK_FALSE(*actors::tasks::in_our_chain(*b.plant.store, {outside->sequence + 1, outside->head}));
  CHECK_FALSE(*actors::tasks::in_our_chain(*b.plant.store, {outside->sequence - 1, outside->head}));
}

TEST_CASE("a halt because of another process outlives this one", "[actors][reconcile]") {
  const auto mark_after = [](const std::function<void(bench&)>& disturb) {
    bench b;
    b.start();
    b.advance(1'000);
    disturb(b);
    REQUIRE(b.advance_until([&] { return b.halted(); }, 1'000'000));
    const auto mark = b.plant.store->meta(std::string(actors::tasks::halted_mark)).value();
    return mark.has_value() && !mark->empty();
  };
  CHECK(mark_after([](bench& b) { b.service.stale = true; }));
  CHECK(mark_after([](bench& b) {
    b.service.anchor
      = connect::service::anchor{7, crypto::certificate(b.device.certificate).thumbprint()};
  }));
  CHECK_FALSE(mark_after([](bench& b) {
    b.disk_fault = [] { return result<void>(failure(errc::io, "", "sync failed")); };
    b.service.offer(b.request("one"));
  }));
}
