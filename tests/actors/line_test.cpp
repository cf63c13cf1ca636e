// The line of actors from download to settled, with answers lost, leases lost and crashes, on the
// deterministic scheduler.
#include <algorithm>
#include <deque>

#include "connect/service/codec.hpp"
#include "crypto/cms.hpp"
#include "crypto/pkcs12.hpp"
#include "tests/actors/harness.hpp"
#include "tests/catch.hpp"
using namespace pfx;
using pfx::test::bench;

namespace {

bool recorded(const bench& b, const std::string& context) {
  return b.service.requests.at(context).stands.has_value();
}

std::size_t unrevoked(const bench& b) {
  std::size_t count = 0;
  for (const auto& [id, slot] : b.ca->slots) {
    count += slot.revoked ? 0 : 1;
  }
  return count;
}

} // namespace
TEST_CASE("a request is issued, delivered and settled, and the device opens its PFX", "[actors]") {
  bench b;
  b.service.offer(b.request("one"));
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("one").has_value(); }));

  auto document = connect::service::decode_result_document(b.service.requests.at("one").document);
  REQUIRE(document.has_value());
  REQUIRE(document->succeeded);
  auto password = crypto::decrypt_with(b.device.certificate, b.device.key,
                                       document->deliveries.at(0).encrypted_password);
  REQUIRE(password.has_value());
  auto file = crypto::read_pkcs12(document->encrypted_pfx, *password);
  REQUIRE(file.has_value());
  CHECK(file->leaf.common_name() == "one");
  CHECK(file->leaf.matches(file->key));

  CHECK(b.settled("one")->outcome == settled_as::delivered);
  CHECK(b.ca->submits == 1);
  CHECK(b.ca->finds == 0); // the walk was skipped: nothing had happened that could leave a surplus
  CHECK(b.plant.totals.keys_made == 1);
  CHECK(b.admin_events() == std::vector<std::uint16_t>{1000});
  CHECK_FALSE(b.has_blob("one", blob_kind::intent));
  CHECK_FALSE(b.open_record("one").has_value());
}

TEST_CASE("the intent is durable before the CA hears of it, the bytes before the service does",
          "[actors]") {
  bench b;
  b.service.offer(b.request("one"));
  std::size_t looked = 0;
  b.ca->on_submit = [&](const connect::ca::submission&) {
    REQUIRE(b.open_record("one").has_value());
    CHECK(b.open_record("one")->state == record_state::submitting);
    CHECK(b.has_blob("one", blob_kind::intent));
    ++looked;
  };
  b.service.on_upload = [&](const connect::service::upload_entry& entry) {
    REQUIRE(b.open_record("one").has_value());
    CHECK(b.open_record("one")->state == record_state::prepared);
    CHECK(b.open_record("one")->result_digest == entry.result_digest);
    CHECK(b.has_blob("one", blob_kind::result));
    ++looked;
  };
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("one").has_value(); }));
  CHECK(looked == 2);
}

TEST_CASE("a settled request that comes again costs one short word and no key", "[actors]") {
  bench b;
  for (int i = 0; i < 20; ++i) {
    b.service.offer(b.request("r" + std::to_string(i)));
  }
  b.start();
  REQUIRE(b.advance_until([&] { return b.plant.totals.delivered == 20; }));
  for (int i = 0; i < 20; ++i) {
    b.service.hand_out_again.insert("r" + std::to_string(i));
  }
  b.service.offer(b.request("new"));
  REQUIRE(b.advance_until([&] { return b.settled("new").has_value(); }));
  REQUIRE(b.advance_until([&] { return b.service.reacknowledged == 20; }));
  CHECK(b.plant.totals.keys_made == 21);
  CHECK(b.ca->submits == 21);
}

TEST_CASE("a submit without an answer is asked about, never repeated blindly", "[actors]") {
  bench b;
  b.ca->lose_submit_answers = 1;
  b.service.offer(b.request("one"));
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("one").has_value(); }));
  CHECK(b.ca->slots.size() == 1);
  CHECK(b.ca->submits == 1);
  CHECK(b.ca->finds >= 2); // the question, and the closing walk that may not be skipped now
  CHECK(b.settled("one")->outcome == settled_as::delivered);
}

TEST_CASE("an upload without an answer is asked about and its bytes never change", "[actors]") {
  bench b;
  b.service.lose_upload_answers = 1;
  b.service.offer(b.request("one"));
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("one").has_value(); }));
  CHECK(b.service.requests.at("one").digests_seen.size() == 1);
  CHECK(std::count(b.service.calls.begin(), b.service.calls.end(), "query") == 1);
  CHECK(b.settled("one")->outcome == settled_as::delivered);
}

TEST_CASE("a pending certificate is asked for until it is there", "[actors]") {
  bench b;
  b.ca->pending_answers = 3;
  b.service.offer(b.request("one"));
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("one").has_value(); }));
  CHECK(b.ca->submits == 1);
  CHECK(b.ca->slots.size() == 1);
}

TEST_CASE("a refusal of the CA becomes a failure that says so", "[actors]") {
  bench b;
  b.ca->refuse = "template is closed";
  b.service.offer(b.request("one"));
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("one").has_value(); }));
  CHECK(b.settled("one")->outcome == settled_as::failed);
  auto document = connect::service::decode_result_document(b.service.requests.at("one").document);
  REQUIRE(document.has_value());
  CHECK(document->message.find("template is closed") != std::string::npos);
  CHECK(b.admin_events() == std::vector<std::uint16_t>{1001});
}

TEST_CASE("what the policy forbids fails with the field's name, and the next one is served",
          "[actors]") {
  bench b;
  auto bad = b.request("bad");
  bad.create.extended_usages = {"1.3.6.1.4.1.311.20.2.1"};
  auto stranger = b.request("stranger");
  stranger.create.authority = "Other-CA";
  b.service.offer(bad);
  b.service.offer(stranger);
  b.service.offer(b.request("good"));
  b.start();
  REQUIRE(b.advance_until([&] { return b.service.all_recorded() && b.plant.totals.failed == 2; }));
  auto document = connect::service::decode_result_document(b.service.requests.at("bad").document);
  CHECK(document->message.find("extendedKeyUsages") != std::string::npos);
  document = connect::service::decode_result_document(b.service.requests.at("stranger").document);
  CHECK(document->message.find("certificateAuthority") != std::string::npos);
  CHECK(b.settled("good")->outcome == settled_as::delivered);
  CHECK(b.plant.totals.keys_made == 1);
}

TEST_CASE("a rejected result is replaced by a failure and its certificate is revoked", "[actors]") {
  bench b;
  b.service.reject = 1;
  b.service.offer(b.request("one"));
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("one").has_value() && b.ca->revocations > 0; }));
  CHECK(b.settled("one")->outcome == settled_as::failed);
  CHECK(unrevoked(b) == 0);
  CHECK(b.plant.totals.surplus_found == 1);
}

TEST_CASE("a crash after any turn of an actor delivers one certificate all the same", "[actors]") {
  std::set<record_state> seen;
  for (std::size_t turns = 1; turns < 48; ++turns) {
    bench b;
    b.service.offer(b.request("one"));
    b.start(turns);
    if (const auto open = b.open_record("one")) {
      seen.insert(open->state);
    }
    b.crash();
    b.time.now += 1'000;
    b.start();
    REQUIRE(b.advance_until([&] { return b.settled("one").has_value(); }, 200'000));
    CHECK(b.settled("one")->outcome == settled_as::delivered);
    CHECK(b.ca->slots.size() == 1);
    CHECK(b.service.requests.at("one").digests_seen.size() <= 2);
    CHECK(std::set<digest>(b.service.requests.at("one").digests_seen.begin(),
                           b.service.requests.at("one").digests_seen.end())
            .size()
          == 1);
  }
  // The crashes really fell between the steps.
  CHECK(seen.contains(record_state::received));
  CHECK(seen.contains(record_state::working));
  CHECK(seen.contains(record_state::submitting));
  CHECK(seen.contains(record_state::issued));
  CHECK(seen.contains(record_state::prepared));
}

TEST_CASE("a failing disk halts everything before a word leaves", "[actors]") {
  bench b;
  b.service.offer(b.request("one"));
  b.ca->on_submit = [&](const connect::ca::submission&) {
    b.disk_fault = [] { return result<void>(failure(errc::io, "", "sync failed")); };
  };
  b.start();
  REQUIRE(b.advance_until([&] { return b.halted(); }));
  CHECK(b.halted_by() == errc::store_poisoned);
  CHECK_FALSE(recorded(b, "one"));
  b.ca->on_submit = nullptr;
  b.disk_fault = nullptr;
  b.crash();
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("one").has_value(); }, 200'000));
  CHECK(b.ca->slots.size() == 1);
}

TEST_CASE("a full disk pauses the line, which goes on by itself", "[actors]") {
  bench b;
  b.start();
  b.advance(500);
  b.free_bytes = 0;
  b.service.offer(b.request("one"));
  b.advance(5'000);
  CHECK_FALSE(recorded(b, "one"));
  CHECK_FALSE(b.halted());
  b.free_bytes = 1ull << 40;
  REQUIRE(b.advance_until([&] { return b.settled("one").has_value(); }, 200'000));
}

TEST_CASE("another process under our name ends this one", "[actors]") {
  bench b;
  b.start();
  b.advance(500);
  CHECK_FALSE(b.halted());
  b.service.stale = true;
  REQUIRE(b.advance_until([&] { return b.halted(); }));
  CHECK(b.halted_by() == errc::stale_epoch);
  const auto said = b.service.calls.size();
  b.advance(10'000);
  CHECK(b.service.calls.size() == said);
}

TEST_CASE("a stale epoch at the first check-in is overtaken, durably", "[actors]") {
  bench b;
  b.service.epoch_seen = 41;
  b.service.offer(b.request("one"));
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("one").has_value(); }));
  CHECK(b.plant.caller.current().epoch == 42);
  CHECK(b.plant.store->meta("epoch").value().has_value());
}

TEST_CASE("a stop leaves nothing in flight and the next start is a clean one", "[actors]") {
  bench b;
  for (int i = 0; i < 10; ++i) {
    b.service.offer(b.request("r" + std::to_string(i)));
  }
  b.start();
  b.advance(100);
  REQUIRE(b.stop());
  b.start();
  CHECK_FALSE(b.plant.store->status().unclean_start);
  REQUIRE(b.advance_until([&] { return b.service.all_recorded(); }, 200'000));
  CHECK(b.ca->slots.size() == 10);
}

namespace {

/// Takes work and forgets it: a worker that never comes back.
class sleepy_executor final : public actors::tasks::executor {
public:
  bool post(actors::tasks::job) override { return true; }
};

} // namespace

namespace {

/// Runs what it was given only when it is told to, a little at a time: slow workers.
class slow_executor final : public actors::tasks::executor {
public:
  bool post(actors::tasks::job work) override {
    waiting.push_back(std::move(work));
    return true;
  }
  void run_one() {
    if (!waiting.empty()) {
      auto next = std::move(waiting.front());
      waiting.pop_front();
      next();
    }
  }
  std::deque<actors::tasks::job> waiting;
};

} // namespace
TEST_CASE("slow workers, a slow disk and slow calls starve nothing", "[actors]") {
  bench b;
  slow_executor cpu;
  slow_executor disk;
  slow_executor io;
  b.plant.cpu = &cpu;
  b.plant.disk = &disk;
  b.plant.io = &io;
  for (int i = 0; i < 60; ++i) {
    auto one = b.request("r" + std::to_string(i));
    if (i % 5 == 0) {
      one.create.authority = "Other-CA"; // a failure: its document is built without a claim
    }
    b.service.offer(one);
  }
  b.start();
  std::uint64_t turn = 0;
  const auto all = [&] { return b.plant.totals.delivered + b.plant.totals.failed == 60; };
  while (!all() && ++turn < 20'000) {
    cpu.run_one();
    disk.run_one();
    if (turn % 3 == 0) {
      io.run_one();
    }
    b.advance(bench::step_ms);
  }
  CHECK(all());
  CHECK(b.plant.totals.delivered == 48);
  CHECK(b.ca->slots.size() == 48);
}

TEST_CASE("a lease that is lost before the intent gives the request back", "[actors]") {
  bench b;
  sleepy_executor asleep;
  auto* const awake = std::exchange(b.plant.cpu, &asleep);
  b.service.offer(b.request("one"));
  b.start();
  REQUIRE(b.open_record("one")->state == record_state::working);
  b.service.requests.at("one").lease_number = 7; // somebody else has it now
  REQUIRE(b.advance_until([&] { return b.open_record("one")->state == record_state::abandoned; },
                          120'000));
  CHECK_FALSE(b.has_blob("one", blob_kind::request));
  b.crash();
  b.plant.cpu = awake;
  b.service.requests.at("one").lease_until = 0;
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("one").has_value(); }, 200'000));
  CHECK(b.service.requests.at("one").lease_number == 8);
  CHECK(b.ca->slots.size() == 1);
  CHECK(b.plant.totals.keys_made == 1);
}

TEST_CASE("leases that are lost in the middle of work cost no credit", "[actors]") {
  bench b;
  slow_executor cpu;
  b.plant.cpu = &cpu;
  for (int i = 0; i < 10; ++i) {
    b.service.offer(b.request("r" + std::to_string(i)));
  }
  b.start();
  REQUIRE_FALSE(cpu.waiting.empty());
  for (auto& [context, one] : b.service.requests) {
    one.lease_number = 7; // all of them are somebody else's now
  }
  REQUIRE(b.advance_until([&] { return b.plant.totals.abandoned == 10; }, 120'000));
  for (auto& [context, one] : b.service.requests) {
    one.lease_until = 0;
  }
  const auto all = [&] {
    cpu.run_one();
    return b.service.all_recorded();
  };
  CHECK(b.advance_until(all, 200'000));
  CHECK(b.ca->slots.size() == 10);
}

TEST_CASE("a stop in the middle parks what runs and loses nothing", "[actors]") {
  for (std::size_t turns = 5; turns < 30; turns += 5) {
    bench b;
    for (int i = 0; i < 5; ++i) {
      b.service.offer(b.request("r" + std::to_string(i)));
    }
    b.start(turns);
    REQUIRE(b.stop());
    b.start();
    CHECK_FALSE(b.plant.store->status().unclean_start);
    REQUIRE(b.advance_until([&] { return b.service.all_recorded(); }, 200'000));
    CHECK(b.ca->slots.size() == 5);
  }
}
