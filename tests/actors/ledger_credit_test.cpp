// What the queue keeper's book gives to a stage that ends and is made again.
#include <deque>

#include "actors/tasks/ledger.hpp"
#include "crypto/digest.hpp"
#include "tests/actors/harness.hpp"
#include "tests/catch.hpp"

using namespace pfx;
using actors::tasks::stage;
using test::bench;

namespace {

actors::tasks::arrival handed_out(const bench& b, const std::string& context) {
  actors::tasks::arrival out;
  out.key = {"tenant", flow::pfx, context};
  out.kind = request_kind::pfx_create;
  out.fingerprint = crypto::sha256(as_bytes(context));
  out.lease_number = 1;
  out.lease_until = b.time.boot() + 60'000;
  out.expires_at = b.time.wall() + 86'400'000;
  out.authority = "CA";
  out.sealed_request = {1};
  return out;
}

} // namespace

TEST_CASE("a stage gets no more than it can take, however often it ended", "[actors][ledger]") {
  bench b;
  actors::tasks::ledger book(b.plant);
  std::vector<actors::tasks::arrival> list;
  for (int i = 0; i < 12; ++i) {
    list.push_back(handed_out(b, "r" + std::to_string(i)));
  }
  CHECK(book.unknown_of(list).size() == 12);
  (void)book.receive(list, {});
  const auto sync = [&book] {
    while (book.take_batch()) {
      book.committed();
    }
  };
  sync();
  const bool synced = GENERATE(true, false); // the claims, when the stage ends
  constexpr std::size_t credit = 2;
  book.grant(stage::processor, credit);
  for (int life = 0; life < 3; ++life) {
    CHECK(book.take_tasks(stage::processor).empty()); // claims, on their way to the disk
    if (synced) {
      sync();
    }
    book.stage_lost(stage::processor);
    book.grant(stage::processor, credit); // by the one that is made anew
  }
  std::vector<actors::tasks::task> begun;
  for (int round = 0; round < 5; ++round) {
    for (auto& one : book.take_tasks(stage::processor)) {
      CHECK(one.of->attempts == 1);
      begun.push_back(std::move(one));
    }
    sync();
  }
  CHECK(begun.size() == credit);
}

TEST_CASE("a slow import that was at work at a crash gets its turn under any load",
          "[actors][ledger]") {
  bench b;
  actors::tasks::ledger book(b.plant);
  const auto sync = [&book] {
    while (book.take_batch()) {
      book.committed();
    }
  };
  record slow;
  slow.key = {"tenant", flow::pfx, "slow"};
  slow.kind = request_kind::pfx_import;
  slow.state = record_state::working;
  slow.attempts = 1;
  slow.attempt_open = true;
  slow.lease_number = 1;
  slow.expires_at = b.time.wall() + 86'400'000;
  book.load(slow, true); // after an unclean end
  sync();
  book.grant(stage::processor, 4);
  book.grant(stage::slow_lane, 2);
  for (const auto& wish : book.take_renewals(10)) {
    actors::tasks::outcome renewed;
    renewed.key = wish.key;
    renewed.event.kind = lifecycle::event_kind::lease_renewed;
    renewed.event.lease_number = 1;
    renewed.event.lease_until = b.time.boot() + 3'600'000;
    book.apply(std::move(renewed));
  }
  sync();
  std::deque<actors::tasks::task> at_work;
  const auto one_is_done = [&] {
    const auto first = at_work.front();
    at_work.pop_front();
    actors::tasks::outcome done;
    done.key = first.of->key;
    done.ticket = first.ticket;
    done.what = first.what;
    const bool import = first.of->kind == request_kind::pfx_import;
    done.event.kind
      = import ? lifecycle::event_kind::work_slow : lifecycle::event_kind::work_refused;
    if (first.what == lifecycle::action::build) {
      done.event.kind = lifecycle::event_kind::built;
      done.event.result_digest.octets.fill(2);
    }
    book.apply(std::move(done));
    sync();
  };
  bool begun = false;
  for (int round = 0; round < 100 && !begun; ++round) {
    std::vector<actors::tasks::arrival> list;
    for (int i = 0; i < 8; ++i) { // more than can be done in a round
      list.push_back(handed_out(b, std::to_string(round) + "-" + std::to_string(i)));
    }
    (void)book.unknown_of(list);
    (void)book.receive(list, {});
    sync();
    const auto fresh = book.take_tasks(stage::processor);
    sync();
    for (const auto& one : book.take_tasks(stage::slow_lane)) {
      begun = begun || one.of->key.context == "slow";
    }
    sync();
    at_work.insert(at_work.end(), fresh.begin(), fresh.end());
    if (!at_work.empty()) {
      one_is_done();
    }
  }
  CHECK(begun);
}
