// What an administrator sees of revocation orders, and that a tenant in trouble is no trouble for
// PFX requests.
#include "actors/tasks/order_notices.hpp"
#include "tests/actors/order_support.hpp"

using namespace pfx;
using namespace pfx::test;

namespace {

bool tells(const order_bench& t, std::string_view part) {
  const auto all = t.b.plant.attention.current();
  return std::any_of(all.begin(), all.end(), [part](const std::string& one) {
    return one.find(part) != std::string::npos;
  });
}

std::uint64_t open(const order_bench& t, order_state in) {
  return t.b.plant.totals.open_orders[static_cast<std::size_t>(in) - 1];
}

} // namespace

TEST_CASE("a tenant that does not let us in is told, and PFX requests go on", "[actors][orders]") {
  for (const auto code : {errc::unauthorized, errc::unavailable, errc::not_found}) {
    order_bench t(1);
    t.b.time.now += 3'790'000; // the next download is due
    t.queue.fail_downloads = 1'000'000;
    t.queue.fail_with = code;
    const auto before = t.queue.downloads;
    REQUIRE(t.b.advance_until([&] { return tells(t, "Intune"); }, 4'000'000));
    CHECK(tells(t, "does not let us in") == (code != errc::unavailable));
    t.b.service.offer(t.b.request("while it is down"));
    REQUIRE(t.b.advance_until([&] { return t.b.service.all_recorded(); }));
    t.b.advance(60'000);
    CHECK_FALSE(t.b.halted());
    CHECK(t.queue.downloads - before < 60); // with waits
    t.queue.fail_downloads = 0;
    t.order("a", t.serials()[0]);
    REQUIRE(t.finished());
    CHECK_FALSE(tells(t, "Intune"));
  }
}

TEST_CASE("who is not let in asks less often than who gets no answer", "[actors][orders]") {
  std::map<errc, std::size_t> asked;
  for (const auto code : {errc::unauthorized, errc::unavailable}) {
    order_bench t(1);
    t.queue.fail_downloads = 1'000'000;
    t.queue.fail_with = code;
    t.b.time.now += 3'790'000;
    const auto before = t.queue.downloads;
    t.b.advance(30'000);
    asked[code] = t.queue.downloads - before;
  }
  CHECK(asked[errc::unauthorized] < asked[errc::unavailable]);
  CHECK(asked[errc::unauthorized] >= 1);
}

TEST_CASE("reports that fail for an hour are told, until they are recorded", "[actors][orders]") {
  order_bench t(1);
  t.queue.refuse_uploads = true;
  t.order("a", t.serials()[0]);
  REQUIRE(t.b.advance_until([&] { return !t.queue.batches.empty(); }, 4'000'000));
  t.b.advance(60'000);
  CHECK_FALSE(tells(t, "does not record"));
  t.b.time.now += 3'600'000;
  t.b.advance(1'000);
  CHECK(tells(t, "1 revocation orders were carried out"));
  t.queue.refuse_uploads = false;
  REQUIRE(t.finished());
  t.b.advance(1'000);
  CHECK_FALSE(tells(t, "does not record"));
}

TEST_CASE("a book without room is told", "[actors][orders]") {
  order_bench t(1);
  t.b.crash(); // its desk would say otherwise
  actors::tasks::order_book book({}, 10);
  std::vector<revocation::offer> list(actors::tasks::order_book::open_max);
  for (std::size_t i = 0; i < list.size(); ++i) {
    list[i].key = {"tenant", flow::revocation, std::to_string(i)};
  }
  book.expect();
  book.receive(list, {}, {1, 1, 0});
  REQUIRE(book.room() == 0);
  show_orders(t.b.plant, book);
  CHECK(tells(t, "no revocation orders are downloaded"));
  CHECK(open(t, order_state::received) == list.size());
  show_orders(t.b.plant, actors::tasks::order_book({}, 10));
  CHECK_FALSE(tells(t, "no revocation orders"));
}

TEST_CASE("orders are counted", "[actors][orders]") {
  order_bench t(2);
  t.order("ours", t.serials()[0]);
  t.order("foreign", "abcdef0123456789");
  REQUIRE(t.finished());
  t.b.advance(1'000);
  const auto& totals = t.b.plant.totals;
  CHECK(totals.orders_received == 2);
  CHECK(totals.orders_revoked == 1);
  CHECK(totals.orders_failed == 1);
  CHECK(totals.orders_reported == 2);
  CHECK(totals.last_order_poll_at > 0);
  for (const auto state : {order_state::received, order_state::revoking, order_state::answered}) {
    CHECK(open(t, state) == 0);
  }
}

TEST_CASE("orders over the limit of an hour are shown until they are decided", "[actors][orders]") {
  order_bench t(3);
  t.b.crash();
  t.b.plant.settings.revocations_hour_max = 1;
  int n = 0;
  for (const auto& serial : t.serials()) {
    t.order("o" + std::to_string(n++), serial);
  }
  t.b.time.now += 1'000;
  t.b.start();
  REQUIRE(t.b.advance_until([&] { return open(t, order_state::held) == 2; }, 4'000'000));
  CHECK(tells(t, "2 revocation orders"));
  CHECK(t.revoked() == 1);
  std::vector<std::string> held;
  for (const auto& one : t.b.orders()) {
    if (one.state == order_state::held) {
      held.push_back(one.key.context);
    }
  }
  REQUIRE(held.size() == 2);
  CHECK(t.b.order_word(held[0], revocation::event_kind::approved) == errc::none);
  // Durable when it is answered, with its line of the audit.
  const auto lines = t.b.audit();
  CHECK(std::count_if(
          lines.begin(), lines.end(),
          [](const auto& line) { return line.event == revocation::trail_event::operator_word; })
        == 1);
  CHECK(t.b.order_word(held[1], revocation::event_kind::rejected) == errc::none);
  CHECK(t.b.order_word("no such order", revocation::event_kind::approved) == errc::not_found);
  t.b.advance(10'000);
  CHECK(t.revoked() == 2);
  CHECK(t.queue.all_recorded());
  CHECK(open(t, order_state::held) == 0);
  CHECK_FALSE(tells(t, "revocation orders"));
  CHECK(t.b.order_word(held[0], revocation::event_kind::approved) != errc::none);
}

TEST_CASE("orders of a tenant that was configured before rest, and are not reported to another",
          "[actors][orders]") {
  order_bench t(1);
  t.b.crash();
  t.order("a", t.serials()[0]);
  t.queue.lose_upload_answers = 1'000'000;
  t.b.time.now += 1'000;
  t.b.start();
  REQUIRE(t.b.advance_until([&] { return !t.queue.batches.empty(); }, 4'000'000));
  t.b.crash();
  const auto sent = t.queue.batches.size();
  t.queue.orders.clear();
  t.b.plant.settings.revocation_tenant = "another.example.test";
  t.b.time.now += 1'000;
  t.b.start();
  t.b.advance(700'000);
  CHECK(t.queue.batches.size() == sent);
  REQUIRE(t.b.orders().size() == 1); // kept
}

TEST_CASE(
  "an order for a certificate of a CA that was renamed waits for it, and is sent back later",
  "[actors][orders]") {
  order_bench t(2);
  const auto serials = t.serials();
  t.b.crash();
  auto entry = t.b.plant.authorities.extract("CA");
  REQUIRE(!entry.empty());
  entry.key() = "CA of another name";
  t.b.plant.authorities.insert(std::move(entry));
  t.order("renamed", serials[0]);
  t.b.time.now += 1'000;
  t.b.start();
  REQUIRE(
    t.b.advance_until([&] { return tells(t, "not configured by that name: CA"); }, 4'000'000));
  t.b.advance(120'000);
  CHECK_FALSE(t.queue.all_recorded());
  SECTION("the name comes back") {
    t.b.crash();
    auto back = t.b.plant.authorities.extract("CA of another name");
    back.key() = "CA";
    t.b.plant.authorities.insert(std::move(back));
    t.b.time.now += 1'000;
    t.b.start();
    REQUIRE(t.finished());
    CHECK(t.queue.orders["renamed"].reports.front().succeeded);
    CHECK(t.revoked() == 1);
    t.b.advance(1'000);
    CHECK_FALSE(tells(t, "not configured by that name"));
  }
  SECTION("it does not, and an operator ends it") {
    CHECK(t.b.order_word("renamed", revocation::event_kind::approved) == errc::conflict);
    CHECK(t.b.order_word("renamed", revocation::event_kind::rejected) == errc::none);
    REQUIRE(t.finished());
    CHECK(t.queue.orders["renamed"].reports.front().code == service_code::non_retryable);
    CHECK(t.b.ca->revocations == 0);
    t.b.advance(1'000);
    CHECK_FALSE(tells(t, "not configured by that name"));
  }
  SECTION("it does not, and takes no place in the hour's limit") {
    REQUIRE(t.b.orders().size() == 1);
    CHECK(t.b.orders().front().state == order_state::received);
    CHECK(t.b.orders().front().revoked_at == 0);
  }
  SECTION("it does not") {
    t.b.time.now += 24LL * 3'600'000;
    REQUIRE(t.finished());
    CHECK(t.queue.orders["renamed"].reports.front().code == service_code::service_unavailable);
    CHECK(t.b.ca->revocations == 0);
  }
}

TEST_CASE(
  "an order whose CA was never called, for its breaker held the calls back, may be rejected",
  "[actors][orders]") {
  for (const bool held_back : {true, false}) {
    order_bench t(1);
    t.order("a", t.serials()[0]);
    t.b.ca->on_revoke = [&](const auto&) {
      return connect::ca::revoke_answer{.reason = "no answer", .held_back = held_back};
    };
    REQUIRE(t.b.advance_until([&] { return t.b.ca->revocations >= 3; }, 4'000'000));
    REQUIRE(t.b.stop());
    auto entry = t.b.plant.authorities.extract("CA");
    entry.key() = "CA of another name";
    t.b.plant.authorities.insert(std::move(entry));
    t.b.time.now += 1'000;
    t.b.start();
    REQUIRE(t.b.advance_until([&] { return tells(t, "not configured by that name"); }));
    t.b.advance(1'000);
    REQUIRE(t.b.orders().size() == 1);
    CHECK((t.b.orders().front().attempts == 0) == held_back);
    const auto word = t.b.order_word("a", revocation::event_kind::rejected);
    CHECK(word == (held_back ? errc::none : errc::conflict));
  }
}

TEST_CASE("a certificate under an old and the present name of its CA is one certificate",
          "[actors][orders]") {
  order_bench t(1);
  const request_key by{"tenant", flow::pfx, "r0"};
  REQUIRE(t.b.plant.store->commit({storage::put_issued{"CA", "abc", "CN=Test CA", by},
                                   storage::put_issued{"Old CA", "abc", "CN=Test CA", by},
                                   storage::put_issued{"CA", "def", "CN=Test CA", by},
                                   storage::put_issued{"Old CA", "def", "CN=Other CA", by}}));
  t.order("one", "abc");
  t.order("two", "def");
  REQUIRE(t.finished());
  CHECK(t.queue.orders["one"].reports.front().code == service_code::certificate_not_found);
  CHECK(t.queue.orders["two"].reports.front().code == service_code::parameter_invalid);
}

TEST_CASE("a certificate of another service tenant's request is not revoked by this one's order",
          "[actors][orders]") {
  order_bench t(1);
  const request_key theirs{"another tenant", flow::pfx, "r0"};
  REQUIRE(t.b.plant.store->commit({storage::put_issued{"CA", "abc", "CN=Test CA", theirs}}));
  t.order("theirs", "abc");
  t.order("ours", t.serials()[0]);
  REQUIRE(t.finished());
  CHECK(t.queue.orders["theirs"].reports.front().code == service_code::not_supported);
  CHECK(t.queue.orders["ours"].reports.front().succeeded);
  CHECK(t.b.ca->revocations == 1);
}

TEST_CASE("the letters' case of the service tenant's name makes no certificate another's",
          "[actors][orders]") {
  order_bench t(1);
  const request_key by{"TENANT", flow::pfx, "r0"};
  REQUIRE(t.b.plant.store->commit({storage::put_issued{"CA", "abc", "CN=Test CA", by}}));
  t.order("ours", "abc");
  REQUIRE(t.finished());
  CHECK(t.queue.orders["ours"].reports.front().code == service_code::certificate_not_found);
}

TEST_CASE("digits that can mean two certificates of ours are refused, and neither is revoked",
          "[actors][orders]") {
  order_bench t(1);
  const request_key by{"tenant", flow::pfx, "r0"};
  const auto note = [&](const std::string& authority, const std::string& serial) {
    REQUIRE(t.b.plant.store->commit({storage::put_issued{authority, serial, "CN=Test CA", by}}));
  };
  note("CA", "10"); // as hex
  note("CA", "a");  // as decimal
  note("CA", "14"); // 20 in decimal, and nothing else
  t.order("two", "10");
  t.order("one", "20");
  t.queue.orders["of another issuer"] = {.serial = "20", .issuer = "CN=Somebody else"};
  REQUIRE(t.finished());
  const auto code
    = [&](const char* context) { return t.queue.orders[context].reports.front().code; };
  CHECK(code("two") == service_code::parameter_invalid);
  CHECK(code("one") == service_code::certificate_not_found); // ours, and the CA was asked
  CHECK(code("of another issuer") == service_code::not_supported);
  CHECK(t.b.ca->revocations == 1);
}
