// Revocation orders through the actors: each is carried out and reported once, whatever is lost,
// repeated or cut off in the middle.
#include "actors/tasks/order_polls.hpp"
#include "actors/tasks/order_service.hpp"
#include "tests/actors/order_support.hpp"

using namespace pfx;
using namespace pfx::test;

TEST_CASE("orders are carried out at the CA and reported", "[actors][orders]") {
  order_bench t(3);
  const auto serials = t.serials();
  t.order("a", serials[0]);
  t.order("b", serials[1]);
  REQUIRE(t.finished());
  CHECK(t.revoked() == 2);
  for (const auto& [context, one] : t.queue.orders) {
    REQUIRE(one.reports.size() == 1);
    CHECK(one.reports.front().succeeded);
  }
}

TEST_CASE("a certificate that was not issued here is refused and reported, and nothing is revoked",
          "[actors][orders]") {
  order_bench t(1);
  t.order("foreign", "abcdef0123456789");
  t.order("nonsense", "no serial");
  t.queue.orders["other issuer"] = {.serial = t.serials()[0], .issuer = "CN=Somebody else"};
  REQUIRE(t.finished());
  CHECK(t.revoked() == 0);
  CHECK(t.b.ca->revocations == 0);
  CHECK(t.queue.orders["foreign"].reports.front().code == service_code::not_supported);
  CHECK(t.queue.orders["nonsense"].reports.front().code == service_code::parameter_invalid);
  CHECK(t.queue.orders["other issuer"].reports.front().code == service_code::not_supported);
}

TEST_CASE("a report whose answer is lost is sent again as it was", "[actors][orders]") {
  order_bench t(1);
  t.order("a", t.serials()[0]);
  t.queue.lose_upload_answers = 2;
  REQUIRE(t.b.advance_until([&] { return t.queue.orders["a"].reports.size() == 3; }, 4'000'000));
  CHECK(t.b.ca->revocations == 1);
  for (const auto& one : t.queue.orders["a"].reports) {
    CHECK(one.succeeded);
  }
}

TEST_CASE("a batch that is not recorded goes one by one", "[actors][orders]") {
  order_bench t(3);
  const auto serials = t.serials();
  for (std::size_t i = 0; i < 3; ++i) {
    t.order("o" + std::to_string(i), serials[i]);
  }
  t.queue.say_false_to_batches = true;
  REQUIRE(t.finished());
  CHECK(t.revoked() == 3);
  CHECK(t.queue.batches.back() == 1);
  CHECK(t.b.ca->revocations == 3);
}

TEST_CASE("an order that comes again after it was reported is reported and not carried out again",
          "[actors][orders]") {
  order_bench t(1);
  t.order("a", t.serials()[0]);
  REQUIRE(t.finished());
  const auto calls = t.b.ca->revocations;
  t.queue.orders["a"].recorded = false; // the service forgot, or never noted it
  REQUIRE(t.finished());
  CHECK(t.queue.orders["a"].reports.size() == 2);
  CHECK(t.b.ca->revocations == calls);
}

TEST_CASE("a download that fails is tried again with a wait, and the next one at its hour",
          "[actors][orders]") {
  order_bench t(1);
  t.queue.fail_downloads = 2;
  t.order("a", t.serials()[0]);
  REQUIRE(t.finished());
  const auto downloads = t.queue.downloads;
  t.b.advance(600'000);
  CHECK(t.queue.downloads <= downloads + 1);
}

TEST_CASE("a full batch is followed by the next one at once", "[actors][orders]") {
  order_bench t(6);
  t.start_with_most(2);
  int n = 0;
  for (const auto& serial : t.serials()) {
    t.order("o" + std::to_string(n++), serial);
  }
  REQUIRE(t.b.advance_until([&] { return t.queue.downloads > 0 && t.revoked() > 0; }, 4'000'000));
  t.b.advance(5'000);
  CHECK(t.queue.all_recorded());
  CHECK(t.revoked() == 6);
}

TEST_CASE("a service that hands out the same full batch again and again is asked at its hour",
          "[actors][orders]") {
  order_bench t(2);
  t.start_with_most(2);
  t.queue.keep_nothing_back = true;
  int n = 0;
  for (const auto& serial : t.serials()) {
    t.order("o" + std::to_string(n++), serial);
  }
  REQUIRE(t.finished());
  const auto before = t.queue.downloads;
  t.b.advance(60'000);
  CHECK(t.queue.downloads <= before + 2);
}

TEST_CASE("orders that are stuck do not keep a new one from coming", "[actors][orders]") {
  order_bench t(3);
  t.start_with_most(2);
  const auto serials = t.serials();
  t.order("a", serials[0]);
  t.order("b", serials[1]);
  t.queue.refused_contexts = {"a", "b"};
  REQUIRE(t.b.advance_until([&] { return t.revoked() == 2; }, 4'000'000));
  t.b.advance(10'000);
  t.order("c", serials[2]);
  REQUIRE(t.b.advance_until([&] { return t.queue.orders["c"].recorded; }, 2 * 3'900'000));
  CHECK(t.revoked() == 3);
  t.queue.refused_contexts.clear();
  CHECK(t.finished());
}

TEST_CASE("downloads without a wait end when nothing new comes, and after a number of them",
          "[actors][orders]") {
  actors::tasks::order_polls polls(2, 3);
  const auto batch = [](std::uint8_t first, std::uint8_t second, bool full = true) {
    actors::tasks::order_download out;
    out.contexts.resize(2);
    out.contexts[0].octets.fill(first);
    out.contexts[1].octets.fill(second);
    out.full = full;
    return out;
  };
  CHECK(polls.at_once(batch(1, 2)));
  CHECK(polls.at_once(batch(2, 3)));
  CHECK_FALSE(polls.at_once(batch(1, 3))); // all of them came since the last wait
  CHECK(polls.at_once(batch(1, 2)));
  CHECK_FALSE(polls.at_once(batch(4, 5, false)));
  std::uint8_t next = 10;
  std::size_t asked = 1;
  while (polls.at_once(batch(next, 1)) && asked < 100) {
    ++asked;
    ++next;
  }
  CHECK(asked == polls.series_max() - 1); // each brought one that was new, the first two
  actors::tasks::order_download unreadable{.nameless = 2, .full = true};
  for (asked = 1; polls.at_once(unreadable) && asked < 100;) {
    ++asked;
  }
  CHECK(asked == polls.series_max() / 2);
  actors::tasks::order_polls many(1, 5'000);
  for (asked = 1; many.at_once({.nameless = 1, .full = true}) && asked < 5'000;) {
    ++asked;
  }
  CHECK(asked == actors::tasks::order_polls::polls_max);
}

TEST_CASE("a download that is too large is asked for by halves, down to one order",
          "[actors][orders]") {
  order_bench t(3);
  t.queue.too_large_from = 1;
  int n = 0;
  for (const auto& serial : t.serials()) {
    t.order("o" + std::to_string(n++), serial);
  }
  REQUIRE(t.finished(2 * 3'600'000));
  CHECK(t.revoked() == 3);

  actors::tasks::order_polls polls(100, 5'000);
  polls.too_large();
  CHECK(polls.wish(5'000) == 50);
  CHECK_FALSE(polls.at_once({})); // nothing came: what was too large is kept back
  CHECK(polls.wish(5'000) == 50);
  actors::tasks::order_download some;
  some.contexts.resize(1);
  (void)polls.at_once(some);
  CHECK(polls.wish(5'000) == 50); // nor do a few
  some.full = true;
  (void)polls.at_once(some);
  CHECK(polls.wish(5'000) == 100);
  CHECK(polls.wish(3) == 3);
  for (int i = 0; i < 20; ++i) {
    polls.too_large();
  }
  CHECK(polls.wish(5'000) == 1);
}

TEST_CASE("a crash after any turn of an actor revokes and reports each order all the same",
          "[actors][orders]") {
  std::set<order_state> seen;
  for (std::size_t turns = 1; turns < 90; turns += 2) {
    order_bench t(1);
    t.b.crash();
    t.order("a", t.serials()[0]);
    t.b.time.now += 1'000;
    t.b.start(turns);
    for (const auto& one : t.b.orders()) {
      seen.insert(one.state);
    }
    t.b.crash();
    t.b.time.now += 1'000;
    t.b.start();
    REQUIRE(t.finished());
    t.b.advance(700'000); // a report that was recorded, but not known to be, is repeated
    CHECK(t.revoked() == 1);
    for (const auto& report : t.queue.orders["a"].reports) {
      CHECK(report.succeeded);
    }
    REQUIRE(t.b.orders().size() == 1);
    CHECK(t.b.orders().front().state == order_state::reported);
  }
  CHECK(seen.contains(order_state::received));
  CHECK(seen.contains(order_state::revoking));
  CHECK(seen.contains(order_state::answered));
}

TEST_CASE(
  "orders with the longest texts that a service may give are carried out, and nothing halts",
  "[actors][orders]") {
  order_bench t(1);
  std::vector<std::string> contexts{std::string(512, 'a'), std::string(513, 'b'),
                                    std::string(8'192, 'c')};
  t.order(contexts[2], t.serials()[0]);
  for (int i = 0; i < 497; ++i) {
    contexts.push_back("o" + std::to_string(i));
    contexts.back().resize(8'192, 'x');
  }
  for (const auto& one : contexts) {
    if (one != contexts[2]) {
      t.queue.orders[one] = {.serial = std::string(256, '1'), .issuer = std::string(4'096, 'i')};
    }
  }
  REQUIRE(t.finished());
  CHECK_FALSE(t.b.halted());
  CHECK(t.revoked() == 1);
  t.b.service.offer(t.b.request("after them"));
  REQUIRE(t.b.advance_until([&] { return t.b.service.all_recorded(); }));
  CHECK(t.b.stop());
}

TEST_CASE("orders that no store key can name are left where they are, and nothing halts",
          "[actors][orders]") {
  order_bench t(1);
  t.b.crash();
  t.b.plant.settings.revocation_tenant = std::string(300, 't');
  t.order("a", t.serials()[0]);
  t.b.time.now += 1'000;
  t.b.start();
  REQUIRE(t.b.advance_until([&] { return !t.queue.transactions.empty(); }, 4'000'000));
  t.b.advance(5'000);
  CHECK_FALSE(t.b.halted());
  CHECK(t.b.orders().empty());
  t.b.service.offer(t.b.request("after it"));
  REQUIRE(t.b.advance_until([&] { return t.b.service.all_recorded(); }));
}

TEST_CASE("a clean stop leaves no order in flight", "[actors][orders]") {
  order_bench t(1);
  t.order("a", t.serials()[0]);
  t.queue.fail_downloads = 1;
  t.b.advance(1'000);
  CHECK(t.b.stop());
}
