// What the queue keeper's book gives to a stage that ends and is made again.
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
