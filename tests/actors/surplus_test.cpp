// Surplus certificates whose CA does not revoke them: tried again for ever, and never in silence.
#include "tests/actors/harness.hpp"
#include "tests/catch.hpp"

using namespace pfx;
using connect::ca::revoke_answer;
using connect::ca::revoke_order;
using connect::ca::revoke_status;
using pfx::test::bench;
using trail = actors::tasks::report;

namespace {

/// A bench with one surplus certificate, and a CA that has its own opinion of it.
struct kept {
  bench b;
  revoke_answer said{revoke_status::refused, "not by you", 0};
  std::vector<unix_ms> times; ///< of revocation, as the CA was told
  std::vector<trail> told;    ///< operational, of the surplus certificate

  kept() {
    b.plant.tell = [this](const trail& what) {
      if (what.text.find("surplus certificate") != std::string::npos) {
        told.push_back(what);
      }
    };
    b.ca->on_revoke = [this](const revoke_order& what) -> std::optional<revoke_answer> {
      times.push_back(what.revoked_at);
      return said.status == revoke_status::done ? std::nullopt : std::optional(said);
    };
    b.service.reject = 1; // so a failure is recorded, and its certificate is surplus
    b.service.offer(b.request("one"));
  }
  [[nodiscard]] std::string sentence() const {
    for (const auto& one : b.plant.attention.current()) {
      if (one.find("surplus") != std::string::npos) {
        return one;
      }
    }
    return {};
  }
  [[nodiscard]] bool revoked() const {
    return std::all_of(b.ca->slots.begin(), b.ca->slots.end(),
                       [](const auto& one) { return one.second.revoked; });
  }
  [[nodiscard]] std::size_t lines(std::uint16_t id) const {
    return static_cast<std::size_t>(
      std::count_if(told.begin(), told.end(), [id](const auto& one) { return one.id == id; }));
  }
  void again() {
    b.crash();
    b.time.now += 1'000;
    b.start();
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a surplus certificate that its CA refuses to revoke is told until it is revoked",
          "[actors][surplus]") {
  kept k;
  k.b.start();
  REQUIRE(k.b.advance_until([&] { return k.times.size() >= 9; }));
  k.b.advance(1'000);
  CHECK(has(k.sentence(), "1 surplus certificates are not revoked yet; the last answer of CA"));
  CHECK(has(k.sentence(), "refused: not by you"));
  CHECK(k.lines(3053) == 4); // tries 1, 2, 4 and 8
  REQUIRE_FALSE(k.told.empty());
  CHECK(k.told.front().severity == trail::level::warning);
  CHECK(k.told.front().context == "one");
  CHECK(has(k.told.back().text, "try 8: refused: not by you"));
  k.said.status = revoke_status::done;
  REQUIRE(k.b.advance_until([&] { return k.lines(3050) == 1; }));
  CHECK(k.revoked());
  CHECK(k.sentence().empty());
  CHECK(k.b.plant.totals.surplus_revoked == 1);
}

TEST_CASE("the time of a surplus certificate's revocation is that of its finding, in every try",
          "[actors][surplus]") {
  kept k;
  k.b.start();
  REQUIRE(k.b.advance_until([&] { return k.times.size() >= 3; }));
  k.again();
  const auto before = k.times.size();
  REQUIRE(k.b.advance_until([&] { return k.times.size() >= before + 2; }));
  CHECK(k.times.front() > 0);
  CHECK(std::set<unix_ms>(k.times.begin(), k.times.end()).size() == 1);
}

TEST_CASE("a walk that is repeated leaves a surplus certificate on the list as it stands there",
          "[actors][surplus]") {
  kept k;
  k.b.plant.rules.ca_settle_ms = 200'000; // so long may the submission still arrive
  k.b.ca->lose_submit_answers = 1;
  k.b.ca->on_submit = [&](const auto&) { // meanwhile another connector's failure is recorded
    k.b.service.requests.at("one").stands = connect::service::recorded{};
  };
  k.b.ca->on_find = [&](connect::ca::ca_answer& said) {
    const auto one = k.b.open_record("one");
    said.status
      = one && one->state == record_state::closing ? said.status : connect::ca::ca_status::unknown;
  };
  k.b.start();
  REQUIRE(k.b.advance_until([&] { return !k.times.empty(); }, 200'000));
  REQUIRE_FALSE(k.b.settled("one"));
  REQUIRE(k.b.advance_until([&] { return k.b.settled("one").has_value(); }, 400'000));
  std::vector<surplus_certificate> stored;
  REQUIRE(k.b.plant.store->each_surplus([&](surplus_certificate one) {
    stored.push_back(std::move(one));
    return true;
  }));
  REQUIRE(stored.size() == 1);
  CHECK(stored.front().attempts == k.times.size());
  CHECK(stored.front().found_at == k.times.front());
  CHECK(k.b.plant.totals.surplus_found == 1);
}

TEST_CASE("a surplus certificate that was not revoked is told again before it is tried again",
          "[actors][surplus]") {
  kept k;
  k.b.start();
  REQUIRE(k.b.advance_until([&] { return !k.sentence().empty(); }));
  k.b.advance(200);
  k.b.plant.attention.clear("surplus kept"); // another process knows nothing
  k.b.crash();
  const auto tries = k.times.size();
  k.b.start();
  CHECK(k.times.size() == tries);
  CHECK(has(k.sentence(), "1 surplus certificates are not revoked yet"));
  CHECK(has(k.sentence(), "refused: not by you"));
  k.said.status = revoke_status::done;
  REQUIRE(k.b.advance_until([&] { return k.revoked(); }));
  CHECK(k.sentence().empty());
}

TEST_CASE("a CA that does not know a surplus certificate it showed before is asked on, and told of",
          "[actors][surplus]") {
  kept k;
  k.said = {revoke_status::not_found, "", 0};
  k.b.start();
  REQUIRE(k.b.advance_until([&] { return k.times.size() >= 3; }));
  k.b.advance(200);
  CHECK(has(k.sentence(), "1 surplus certificates are not revoked yet"));
  CHECK(k.lines(3053) == 2);
  CHECK(k.lines(3050) == 0);
}

TEST_CASE("a surplus certificate of a CA that is not configured any more is told",
          "[actors][surplus]") {
  kept k;
  k.b.start();
  REQUIRE(k.b.advance_until([&] { return k.times.size() == 1; }));
  k.b.crash();
  auto entry = k.b.plant.authorities.extract("CA");
  entry.key() = "another name";
  k.b.plant.authorities.insert(std::move(entry));
  k.b.start();
  REQUIRE(k.b.advance_until([&] { return has(k.sentence(), "is not configured here"); }));
  CHECK(has(k.sentence(), "of CA about"));
  CHECK(k.times.size() == 1);
}

TEST_CASE("a call that the CA's breaker held back is no try, and no news", "[actors][surplus]") {
  kept k;
  k.said = {.status = revoke_status::unknown, .reason = "left alone", .held_back = true};
  k.b.start();
  REQUIRE(k.b.advance_until([&] { return k.times.size() >= 3; }));
  k.b.advance(200);
  CHECK(k.sentence().empty());
  CHECK(k.told.empty());
  k.said = {revoke_status::refused, "not by you", 0};
  REQUIRE(k.b.advance_until([&] { return k.lines(3053) == 1; }));
  CHECK(has(k.told.front().text, "try 1: refused"));
}
