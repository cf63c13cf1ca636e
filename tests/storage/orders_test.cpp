// Revocation orders and issued serial numbers in the store.
#include "tests/storage/scratch.hpp"

#include <algorithm>

using namespace scratch;

namespace {

revocation_order order(const std::string& context, order_state state = order_state::received) {
  revocation_order out;
  out.key = {"contoso", flow::revocation, context};
  out.state = state;
  out.serial_number = "0a";
  return out;
}

std::vector<std::string> contexts_of(const store& s, bool reported) {
  std::vector<std::string> out;
  const auto visit = [&](const revocation_order& one) {
    out.push_back(one.key.context + ":" + std::string(name_of(one.state)));
    return true;
  };
  REQUIRE((reported ? s.each_reported_order(visit) : s.each_order(visit)));
  return out;
}

} // namespace

TEST_CASE("an order lies among the open ones until it is reported, then among the others",
          "[storage][orders]") {
  directory in;
  auto s = opened(in);
  REQUIRE(s->commit({put_order{order("a")}, put_order{order("b")}}));
  REQUIRE(s->commit({put_order{order("a", order_state::reported)}}));
  CHECK(contexts_of(*s, false) == std::vector<std::string>{"b:received"});
  CHECK(contexts_of(*s, true) == std::vector<std::string>{"a:reported"});
  REQUIRE(s->commit({put_order{order("a", order_state::answered)}})); // it came again
  CHECK(contexts_of(*s, false) == std::vector<std::string>{"a:answered", "b:received"});
  CHECK(contexts_of(*s, true).empty());
  CHECK(s->verify().value().revocation_orders == 2);
}

TEST_CASE("the trail of a reported order is purged, the order stays", "[storage][orders]") {
  directory in;
  auto s = opened(in);
  auto done = order("done", order_state::reported);
  done.answered_at = 1'000;
  auto again = done;
  again.key.context = "again";
  REQUIRE(s->commit({put_trail{done.key, line("done")}, put_order{done},
                     put_trail{again.key, line("again")}, put_order{again}}));
  again.state = order_state::answered; // it came again
  REQUIRE(s->commit({put_order{again}}));
  REQUIRE(s->purge(1'000, 100).value() == 0);
  REQUIRE(s->purge(1'001, 100).value() > 0);
  CHECK(s->trail(done.key).value().empty());
  CHECK(s->find_orders({done.key}).value().front());
  CHECK(s->trail(again.key).value().size() == 1);
  again.state = order_state::reported;
  REQUIRE(s->commit({put_order{again}}));
  REQUIRE(s->purge(1'001, 100).value() > 0);
  CHECK(s->trail(again.key).value().empty());
}

TEST_CASE("an order of any context that a service may give is kept, found, reported and purged",
          "[storage][orders]") {
  directory in;
  auto s = opened(in);
  for (const std::size_t size : {1U, 512U, 513U, 8'192U}) {
    auto one = order(std::string(size, 'c'));
    REQUIRE(s->commit({put_order{one}, put_trail{one.key, line("received")}}));
    CHECK(s->find_orders({one.key}).value().front()->key == one.key);
    one.state = order_state::reported;
    one.answered_at = 1'000;
    REQUIRE(s->commit({put_order{one}}));
    CHECK(s->trail(one.key).value().size() == 1);
    REQUIRE(s->purge(1'001, 100).value() > 0);
    CHECK(s->trail(one.key).value().empty());
    CHECK(s->find_orders({one.key}).value().front()->state == order_state::reported);
  }
  CHECK(s->verify().value().revocation_orders == 4);
}

TEST_CASE("what a commit would refuse is told before, and nothing is written",
          "[storage][orders]") {
  directory in;
  auto s = opened(in);
  const auto long_one = order(std::string(8'193, 'c'));
  CHECK(s->would_take({put_order{long_one}}).error().code == errc::bad_input);
  CHECK(s->commit({put_order{long_one}}).error().code == errc::bad_input);
  CHECK(store::would_take(order("").key).error().code == errc::bad_input);
  CHECK(store::would_take(request_key{"contoso", flow::pfx, std::string(513, 'c')}).error().code
        == errc::bad_input);
  CHECK(store::would_take(request_key{"contoso", flow::scep, std::string(513, 'c')}).error().code
        == errc::bad_input);
  auto wide = order("wide");
  wide.issuer_name = std::string(9u << 20, 'i');
  CHECK(s->would_take({put_order{wide}}).error().code == errc::too_large);
  CHECK(s->would_take({put_order{order("good")}}));
  CHECK(contexts_of(*s, false).empty());
  CHECK(s->commit({put_order{order("good")}}));
}

TEST_CASE("every CA that ever issued is known, each once", "[storage][orders]") {
  directory in;
  auto s = opened(in);
  CHECK(s->issued_authorities().value().empty());
  for (const auto* authority : {"b", "a", "ab", "\xff", "b"}) {
    for (const auto* serial : {"1", "2", "ffff"}) {
      REQUIRE(s->commit({put_issued{authority, serial, "", key(7)}}));
    }
  }
  auto found = s->issued_authorities().value();
  std::sort(found.begin(), found.end());
  CHECK(found == std::vector<std::string>{"a", "ab", "b", "\xff"});
  batch many;
  for (std::size_t i = found.size(); i < store::issued_authorities_max; ++i) {
    many.push_back(put_issued{"ca " + std::to_string(i), "1", "", key(7)});
  }
  REQUIRE(s->commit(many));
  CHECK(s->issued_authorities().value().size() == store::issued_authorities_max);
  REQUIRE(s->commit({put_issued{"one more", "1", "", key(7)}}));
  CHECK(s->issued_authorities().error().code == errc::too_large);
}

TEST_CASE("orders are found open or reported, in the order they are asked for",
          "[storage][orders]") {
  directory in;
  auto s = opened(in);
  REQUIRE(s->commit({put_order{order("open", order_state::held)},
                     put_order{order("done", order_state::reported)}}));
  const auto found
    = s->find_orders({order("done").key, order("never").key, order("open").key}).value();
  REQUIRE(found.size() == 3);
  CHECK(found[0]->state == order_state::reported);
  CHECK_FALSE(found[1]);
  CHECK(found[2]->state == order_state::held);
}

TEST_CASE("an issued serial number leads to its request, at its CA alone", "[storage][orders]") {
  directory in;
  {
    auto s = opened(in);
    REQUIRE(s->commit({put_issued{"ca", "a1b", "CN=CA", key(7)}}));
  }
  const auto s = opened(in);
  const auto found = s->find_issued("ca", "a1b").value();
  REQUIRE(found);
  CHECK(found->request == key(7));
  CHECK(found->issuer == "CN=CA");
  CHECK_FALSE(s->find_issued("other", "a1b").value());
  CHECK_FALSE(s->find_issued("ca", "a1").value());
  CHECK(s->commit({put_issued{"", "a1b", "", key(7)}}).error().field == "issued");
  CHECK(s->commit({put_issued{"ca", std::string(65, 'a'), "", key(7)}}).error().field == "issued");
}
