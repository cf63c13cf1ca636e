// The closing walk over a CA that shows certificates of other requests: nobody else's is revoked.
#include "core/limits.hpp"
#include "tests/actors/harness.hpp"
#include "tests/catch.hpp"

using namespace pfx;
using connect::ca::ca_answer;
using connect::ca::ca_status;
using pfx::test::bench;

namespace {

/// A bench on which "two" is delivered, and the CA tells lies about it while "one" is closed.
struct confused {
  bench b;
  digest id_of_two;
  bytes certificate_of_two;
  std::size_t lies = 0; ///< left to tell
  std::size_t lies_told = 0;
  std::size_t truths_first = 0;

  explicit confused(std::size_t lies_to_tell) : lies(lies_to_tell) {
    b.service.offer(b.request("two"));
    b.start();
    REQUIRE(b.advance_until([this] { return b.settled("two").has_value(); }));
    id_of_two = b.ca->slots.begin()->first;
    certificate_of_two = b.ca->slots.begin()->second.certificate;
  }

  [[nodiscard]] bool closing() const {
    const auto at = b.open_record("one");
    return at && at->state == record_state::closing;
  }

  /// From now on a question during the closing of "one" gets `lie` made of its answer.
  void lie(const std::function<void(ca_answer&)>& make) {
    b.ca->on_find = [this, make](ca_answer& said) {
      if (!closing() || lies == 0) {
        return;
      }
      if (truths_first > 0) {
        --truths_first;
        return;
      }
      --lies;
      ++lies_told;
      make(said);
    };
  }

  void show_two(ca_answer& said) const {
    said.status = ca_status::issued;
    said.certificate = certificate_of_two;
  }

  [[nodiscard]] bool revoked(const digest& id) const { return b.ca->slots.at(id).revoked; }
  [[nodiscard]] std::size_t revoked_of_one() const {
    std::size_t count = 0;
    for (const auto& [id, slot] : b.ca->slots) {
      count += id != id_of_two && slot.revoked ? 1U : 0U;
    }
    return count;
  }
};

} // namespace

TEST_CASE("another request's certificate in the place of the recorded one is not revoked",
          "[actors]") {
  confused world(3);
  world.lie([&world](ca_answer& said) { world.show_two(said); });
  world.b.ca->lose_submit_answers = 1; // or there would be no walk
  world.b.service.offer(world.b.request("one"));
  REQUIRE(world.b.advance_until([&] { return world.b.settled("one").has_value(); }));
  world.b.advance(10'000);
  CHECK(world.lies_told == 3);
  CHECK(world.b.settled("one")->outcome == settled_as::delivered);
  CHECK(world.b.ca->revocations == 0);
}

TEST_CASE("another request's certificate beside the recorded one is not revoked", "[actors]") {
  confused world(1);
  world.truths_first = 1; // generation 0; the lie is told about generation 1
  world.lie([&world](ca_answer& said) { world.show_two(said); });
  world.b.ca->lose_submit_answers = 1;
  world.b.service.offer(world.b.request("one"));
  REQUIRE(world.b.advance_until([&] { return world.b.settled("one").has_value(); }));
  world.b.advance(10'000);
  CHECK(world.lies_told == 1);
  CHECK(world.b.ca->revocations == 0);
}

TEST_CASE("after a failure, only a certificate of the names that were asked for is revoked",
          "[actors]") {
  confused world(2);
  world.lie([&world](ca_answer& said) { world.show_two(said); });
  world.b.service.reject = 1;
  world.b.service.offer(world.b.request("one"));
  REQUIRE(world.b.advance_until([&] { return world.b.settled("one").has_value(); }));
  REQUIRE(world.b.advance_until([&] { return world.revoked_of_one() == 1; }));
  world.b.advance(10'000);
  CHECK(world.lies_told == 2);
  CHECK(world.b.settled("one")->outcome == settled_as::failed);
  CHECK_FALSE(world.revoked(world.id_of_two));
  CHECK_FALSE(world.b.has_blob("one", blob_kind::request));
}

TEST_CASE("an answer about another transaction is none, whatever names it shows", "[actors]") {
  confused world(2);
  world.lie([&world](ca_answer& said) { said.issued_under = world.id_of_two; });
  world.b.service.reject = 1;
  world.b.service.offer(world.b.request("one"));
  REQUIRE(world.b.advance_until([&] { return world.b.settled("one").has_value(); }));
  REQUIRE(world.b.advance_until([&] { return world.revoked_of_one() == 1; }));
  CHECK(world.lies_told == 2);
  CHECK_FALSE(world.revoked(world.id_of_two));
}

TEST_CASE("a CA that lost its books holds no request for ever, and nothing is revoked",
          "[actors]") {
  confused world(1'000);
  world.lie([](ca_answer& said) {
    said = {};
    said.status = ca_status::never_seen;
  });
  world.b.ca->lose_submit_answers = 1;
  world.b.service.offer(world.b.request("one"));
  constexpr std::int64_t an_hour_ms = 3'600'000;
  REQUIRE(world.b.advance_until([&] { return world.b.settled("one").has_value(); }, an_hour_ms));
  CHECK(world.lies_told > limits::walk_doubts_max);
  CHECK(world.b.ca->revocations == 0);
}

TEST_CASE("a CA that never says what it issued stops no work for the others", "[actors]") {
  bench b;
  b.plant.settings.open_requests_max = 1;
  const auto closing = [&b] {
    const auto at = b.open_record("stuck");
    return at && at->state == record_state::closing;
  };
  bool answers = false;
  b.ca->on_find = [&](ca_answer& said) {
    if (!answers && closing()) {
      said = {};
      said.status = ca_status::pending;
    }
  };
  b.ca->lose_submit_answers = 1; // or there would be no walk
  b.service.offer(b.request("stuck"));
  b.start();
  REQUIRE(b.advance_until(closing));
  for (int i = 0; i < 3; ++i) {
    b.service.offer(b.request("more" + std::to_string(i)));
  }
  REQUIRE(b.advance_until([&] { return b.settled("more2").has_value(); }, 600'000));
  CHECK(closing());
  REQUIRE(b.advance_until([&] { return b.plant.attention.has("closing waits"); }, 7'200'000));
  answers = true;
  REQUIRE(b.advance_until([&] { return b.settled("stuck").has_value(); }, 7'200'000));
  REQUIRE(b.advance_until([&] { return !b.plant.attention.has("closing waits"); }, 600'000));
}
