// What may be forgotten is forgotten, bounded; what must stay stays.
#include "storage/store.hpp"
#include "tests/storage/scratch.hpp"

using namespace scratch;

namespace {

/// A request that ended at `at`: settled record, result, two trail lines.
batch ended(const request_key& of, unix_ms at) {
  return {put_settled{of, settled(at)}, put_blob{of, blob_kind::result, octets("bytes")},
          put_trail{of, line("one")}, put_trail{of, line("two")}};
}

std::size_t surplus_count(const store& of) {
  std::size_t out = 0;
  REQUIRE(of.each_surplus([&](const surplus_certificate&) {
    ++out;
    return true;
  }));
  return out;
}

} // namespace

TEST_CASE("purging forgets results and trails of old requests and keeps the settled record",
          "[storage][purge]") {
  directory in;
  const auto s = opened(in);
  REQUIRE(s->commit(ended(key(1), 100)));
  REQUIRE(s->commit(ended(key(2), 200)));
  CHECK(s->purge(100, 1000).value() == 0);
  CHECK(s->purge(200, 1000).value() == 4); // result, two lines, reminder
  CHECK(s->find_settled(key(1)).value() == settled(100));
  CHECK(!s->find_blob(key(1), blob_kind::result).value());
  CHECK(s->trail(key(1)).value().empty());
  CHECK(s->find_blob(key(2), blob_kind::result).value());
  CHECK(s->trail(key(2)).value().size() == 2);
  CHECK(s->purge(200, 1000).value() == 0);
}

TEST_CASE("times before 1970 are old, too", "[storage][purge]") {
  directory in;
  const auto s = opened(in);
  REQUIRE(s->commit(ended(key(1), -5)));
  CHECK(s->purge(-5, 1000).value() == 0);
  CHECK(s->purge(0, 1000).value() == 4);
}

TEST_CASE("a call forgets no more keys than allowed, and the next goes on", "[storage][purge]") {
  directory in;
  const auto s = opened(in);
  for (std::uint64_t at = 0; at < 5; ++at) {
    REQUIRE(s->commit(ended(key(at), 100)));
  }
  CHECK(s->purge(1000, 0).value() == 0);
  std::size_t gone = 0;
  for (int call = 0; call < 20; ++call) {
    const auto some = s->purge(1000, 3).value();
    CHECK(some <= 3);
    gone += some;
  }
  CHECK(gone == 20);
  for (std::uint64_t at = 0; at < 5; ++at) {
    CHECK(!s->find_blob(key(at), blob_kind::result).value());
    CHECK(s->trail(key(at)).value().empty());
    CHECK(s->find_settled(key(at)).value());
  }
}

TEST_CASE(
  "a call writes no more octets than it may, however long the contexts are, and the next goes on",
  "[storage][purge]") {
  directory in;
  const auto s = opened(in);
  std::vector<request_key> orders;
  for (int at = 0; at < 200; ++at) {
    revocation_order one;
    one.key = {"tenant", flow::revocation, std::to_string(at) + std::string(8'188, 'c')};
    one.state = order_state::reported;
    one.serial_number = "0a";
    one.answered_at = 100;
    batch all{put_order{one}};
    for (int lines = 0; lines < 5; ++lines) {
      all.push_back(put_trail{one.key, line("one")});
    }
    REQUIRE(s->commit(all));
    orders.push_back(one.key);
  }
  const auto first = s->purge(1000, 10'000).value();
  CHECK(first > 400);
  CHECK(first < 600); // 4 MiB of keys of 8 KiB
  std::size_t gone = first;
  while (const auto some = s->purge(1000, 10'000).value()) {
    CHECK(some < 600);
    gone += some;
  }
  CHECK(gone == 200 * 6);
  for (const auto& one : orders) {
    CHECK(s->trail(one).value().empty());
    CHECK(s->find_orders({one}).value().front().has_value());
  }
}

TEST_CASE("a certificate that still has to be revoked is never purged", "[storage][purge]") {
  directory in;
  const auto s = opened(in);
  REQUIRE(s->commit({put_settled{key(1), settled(100)}, put_surplus{surplus(key(1), "01", false)},
                     put_surplus{surplus(key(1), "02", true)}}));
  REQUIRE(s->purge(1000, 1000));
  CHECK(surplus_count(*s) == 1);
  REQUIRE(s->commit({put_surplus{surplus(key(1), "01", true)}})); // revoked after the first purge
  CHECK(s->purge(1000, 1000).value() == 2);
  CHECK(surplus_count(*s) == 0);
}

TEST_CASE("an early revocation does not take the result of a request that ended later",
          "[storage][purge]") {
  directory in;
  const auto s = opened(in);
  REQUIRE(s->commit({put_surplus{surplus(key(1), "01", true)}})); // found at 10
  REQUIRE(s->commit(ended(key(1), 5000)));
  REQUIRE(s->purge(1000, 1000));
  CHECK(s->find_blob(key(1), blob_kind::result).value());
  CHECK(s->trail(key(1)).value().size() == 2);
  CHECK(surplus_count(*s) == 1);
  REQUIRE(s->purge(5001, 1000));
  CHECK(!s->find_blob(key(1), blob_kind::result).value());
  CHECK(surplus_count(*s) == 0);
}

TEST_CASE("abandoned records go after their expiry, open ones never", "[storage][purge]") {
  directory in;
  const auto s = opened(in);
  auto gone = open_record(key(1), record_state::abandoned);
  gone.expires_at = 500;
  auto later = open_record(key(2), record_state::abandoned);
  later.expires_at = 5000;
  auto unknown = open_record(key(3), record_state::abandoned);
  unknown.expires_at = 0;
  unknown.received_at = 900;
  auto open = open_record(key(4), record_state::prepared);
  open.expires_at = 500;
  REQUIRE(s->commit({put_record{gone}, put_record{later}, put_record{unknown}, put_record{open},
                     put_blob{key(4), blob_kind::result, octets("bytes")},
                     put_trail{key(4), line("x")}}));
  CHECK(s->purge(500, 1000).value() == 0);
  REQUIRE(s->purge(900, 1000));
  CHECK(!s->find_record(key(1)).value());
  CHECK(s->find_record(key(2)).value());
  CHECK(s->find_record(key(3)).value());
  REQUIRE(s->purge(1000, 1000));
  CHECK(!s->find_record(key(3)).value());
  CHECK(s->find_record(key(4)).value());
  CHECK(s->find_blob(key(4), blob_kind::result).value());
  CHECK(s->trail(key(4)).value().size() == 1);
}

TEST_CASE("a request that was abandoned and reopened is not purged", "[storage][purge]") {
  directory in;
  const auto s = opened(in);
  auto value = open_record(key(1), record_state::abandoned);
  value.expires_at = 500;
  REQUIRE(s->commit({put_record{value}}));
  value.state = record_state::received;
  REQUIRE(s->commit({put_record{value}, put_trail{key(1), line("again")},
                     put_blob{key(1), blob_kind::request, octets("sealed")}}));
  REQUIRE(s->purge(10'000, 1000));
  CHECK(s->find_record(key(1)).value() == value);
  CHECK(s->find_blob(key(1), blob_kind::request).value());
  CHECK(s->trail(key(1)).value().size() == 1);
  // And when it ends it is remembered again.
  REQUIRE(s->commit({drop_record{key(1)}, put_settled{key(1), settled(600)}}));
  REQUIRE(s->purge(10'000, 1000));
  CHECK(s->trail(key(1)).value().empty());
}

TEST_CASE("a request with a neighbour of a longer name leaves the neighbour alone",
          "[storage][purge]") {
  directory in;
  const auto s = opened(in);
  REQUIRE(s->commit(ended(key("a"), 100)));
  REQUIRE(s->commit(ended(key("ab"), 10'000)));
  REQUIRE(s->purge(1000, 1000));
  CHECK(s->trail(key("a")).value().empty());
  CHECK(s->trail(key("ab")).value().size() == 2);
}

TEST_CASE("what was purged stays purged after a clean end", "[storage][purge]") {
  directory in;
  auto s = opened(in);
  REQUIRE(s->commit(ended(key(1), 100)));
  REQUIRE(s->purge(1000, 1000));
  REQUIRE(s->close_clean());
  s.reset();
  s = opened(in);
  CHECK(s->trail(key(1)).value().empty());
  CHECK(s->purge(1000, 1000).value() == 0);
}
