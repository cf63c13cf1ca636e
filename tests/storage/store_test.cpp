// The store in good and in hostile hands: what is committed is there, whole, and nothing else is.
#include "storage/store.hpp"

#include <set>

#include "tests/storage/scratch.hpp"

using namespace scratch;

TEST_CASE("a new store is empty, has an identity and is not poisoned", "[storage][store]") {
  directory in;
  const auto s = opened(in);
  CHECK(s->store_id().size() == 16);
  CHECK(s->store_id() != bytes(16, 0));
  CHECK(!s->find_record(key(1)).value());
  CHECK(!s->find_settled(key(1)).value());
  CHECK(!s->find_blob(key(1), blob_kind::intent).value());
  CHECK(s->trail(key(1)).value().empty());
  CHECK(!s->meta("epoch").value());
  CHECK(!s->last_audit().value());
  const auto status = s->status();
  CHECK(!status.poisoned);
  CHECK(!status.unclean_start);
  CHECK(!status.below_floor);
}

TEST_CASE("every operation can be read back in the same and in the next process life",
          "[storage][store]") {
  directory in;
  auto s = opened(in);
  const auto id = s->store_id();
  auto first = open_record(key(1), record_state::pending);
  first.reason = "waits";
  digest head;
  head.octets[0] = 7;
  const batch all = {
    put_record{first},
    put_blob{key(1), blob_kind::request, octets("sealed request")},
    put_blob{key(1), blob_kind::result, octets("")},
    put_settled{key(2), settled(5)},
    put_surplus{surplus(key(2), "99", false)},
    put_trail{key(1), line("received")},
    put_trail{key(1), line("submitted")},
    put_audit{4, head, octets("entry four")},
    put_meta{"epoch", octets("epoch-1")},
  };
  REQUIRE(s->commit(all));
  for (int life = 0; life < 3; ++life) {
    CHECK(s->store_id() == id);
    CHECK(s->find_record(key(1)).value() == first);
    CHECK(s->find_blob(key(1), blob_kind::request).value() == octets("sealed request"));
    CHECK(s->find_blob(key(1), blob_kind::result).value() == bytes());
    CHECK(!s->find_blob(key(1), blob_kind::intent).value());
    CHECK(s->find_settled(key(2)).value() == settled(5));
    const auto trail = s->trail(key(1)).value();
    REQUIRE(trail.size() == 2);
    CHECK(trail[0].text == "received");
    CHECK(trail[1].text == "submitted");
    CHECK(s->meta("epoch").value() == octets("epoch-1"));
    const auto last = s->last_audit().value();
    REQUIRE(last);
    CHECK(last->sequence == 4);
    CHECK(last->chain_head == head);
    CHECK(last->entry == octets("entry four"));
    std::vector<surplus_certificate> found;
    REQUIRE(s->each_surplus([&](const surplus_certificate& one) {
      found.push_back(one);
      return true;
    }));
    CHECK(found == std::vector{surplus(key(2), "99", false)});
    if (life == 1) {
      REQUIRE(s->close_clean()); // once through the log, once through the tables
    }
    s.reset();
    s = opened(in);
  }
}

TEST_CASE("dropping a record takes its blobs along but not the result", "[storage][store]") {
  directory in;
  const auto s = opened(in);
  const auto kinds
    = {blob_kind::request, blob_kind::intent, blob_kind::certificate, blob_kind::result};
  batch what = {put_record{open_record(key(1))}, put_record{open_record(key(2))}};
  for (const auto kind : kinds) {
    what.emplace_back(put_blob{key(1), kind, octets("x")});
    what.emplace_back(put_blob{key(2), kind, octets("y")});
  }
  REQUIRE(s->commit(what));
  REQUIRE(s->commit({drop_record{key(1)}}));
  CHECK(!s->find_record(key(1)).value());
  for (const auto kind : kinds) {
    CHECK(s->find_blob(key(1), kind).value().has_value() == (kind == blob_kind::result));
    CHECK(s->find_blob(key(2), kind).value() == octets("y"));
  }
  REQUIRE(s->commit({drop_blob{key(1), blob_kind::result}}));
  CHECK(!s->find_blob(key(1), blob_kind::result).value());
}

TEST_CASE("a later operation of a batch wins over an earlier one", "[storage][store]") {
  directory in;
  const auto s = opened(in);
  REQUIRE(s->commit({put_meta{"m", octets("1")}, put_meta{"m", octets("2")},
                     put_record{open_record(key(1))}, drop_record{key(1)}}));
  CHECK(s->meta("m").value() == octets("2"));
  CHECK(!s->find_record(key(1)).value());
}

TEST_CASE("a batch with one bad operation writes nothing at all", "[storage][store]") {
  directory in;
  const auto s = opened(in);
  const auto before = s->status();
  const auto refused = [&](operation bad, errc code) {
    const auto done
      = s->commit({put_meta{"good", octets("1")}, std::move(bad), put_record{open_record(key(9))}});
    REQUIRE(!done);
    CHECK(done.error().code == code);
    CHECK(!s->meta("good").value());
    CHECK(!s->find_record(key(9)).value());
  };
  refused(put_record{open_record(key(""))}, errc::bad_input);
  refused(put_record{open_record(key(std::string(513, 'c')))}, errc::bad_input);
  refused(put_settled{{std::string(257, 't'), flow::pfx, "c"}, settled(1)}, errc::bad_input);
  refused(drop_record{{"t", static_cast<flow>(0), "c"}}, errc::bad_input);
  refused(drop_record{{"t", static_cast<flow>(4), "c"}}, errc::bad_input);
  refused(put_blob{key(1), static_cast<blob_kind>(0), {}}, errc::bad_input);
  refused(drop_blob{key(1), static_cast<blob_kind>(5)}, errc::bad_input);
  refused(put_trail{key(""), line("x")}, errc::bad_input);
  refused(put_surplus{surplus(key(""), "1", false)}, errc::bad_input);
  refused(put_meta{"", octets("v")}, errc::bad_input);
  refused(put_meta{std::string(65, 'n'), octets("v")}, errc::bad_input);
  refused(put_meta{"m", bytes((64u << 10) + 1)}, errc::too_large);
  CHECK(s->status().sequence == before.sequence);
  CHECK(!s->status().poisoned);
  REQUIRE(s->commit({put_meta{std::string(64, 'n'), bytes(64u << 10)}}));
}

TEST_CASE("a batch over its limit is refused whole and poisons nothing", "[storage][store]") {
  directory in;
  auto with = options(in.store());
  with.batch_bytes_max = 10'000;
  const auto s = opened(std::move(with));
  const batch one
    = {put_meta{"m", octets("1")}, put_blob{key(1), blob_kind::result, bytes(10'001)}};
  CHECK(s->commit(one).error().code == errc::too_large);
  batch many = {put_meta{"m", octets("1")}};
  for (std::uint64_t at = 0; at < 20; ++at) {
    many.emplace_back(put_blob{key(at), blob_kind::result, bytes(600)});
  }
  CHECK(s->commit(many).error().code == errc::too_large);
  CHECK(!s->meta("m").value());
  CHECK(s->commit({put_blob{key(1), blob_kind::result, bytes(9'000)}}));
}

TEST_CASE("the count of synced writes is read back whole, whatever end a life had",
          "[storage][store]") {
  directory in;
  std::uint64_t known = 0;
  for (int life = 0; life < 4; ++life) {
    const auto s = opened(in);
    CHECK(s->status().recovered >= known); // or each start would look as if it had forgotten
    REQUIRE(s->commit({put_meta{"life", octets(std::to_string(life))}}));
    CHECK(s->status().sequence > s->status().recovered);
    if (life % 2 == 0) {
      REQUIRE(s->close_clean());
    }
    known = s->status().sequence;
  }
}

TEST_CASE("an empty batch is nothing to do", "[storage][store]") {
  directory in;
  const auto s = opened(in);
  const auto before = s->status();
  CHECK(s->commit({}));
  CHECK(s->status().commits == before.commits);
}

TEST_CASE("keys that look alike are different keys", "[storage][store]") {
  directory in;
  const auto s = opened(in);
  const std::vector<request_key> alike = {
    {"a", flow::pfx, "bc"},
    {"ab", flow::pfx, "c"},
    {"a", flow::revocation, "bc"},
    {"", flow::pfx, "abc"},
    {"a", flow::pfx, "b"},
    {"a", flow::pfx, std::string("b\0c", 3)},
    {"a", flow::pfx, std::string("b\0", 2)},
    {"a", flow::pfx, "\xff\xff"},
  };
  batch what;
  for (std::size_t at = 0; at < alike.size(); ++at) {
    auto value = open_record(alike[at]);
    value.arrival = at;
    what.emplace_back(put_record{value});
    what.emplace_back(put_trail{alike[at], line(std::to_string(at))});
  }
  REQUIRE(s->commit(what));
  for (std::size_t at = 0; at < alike.size(); ++at) {
    CHECK(s->find_record(alike[at]).value()->arrival == at);
    const auto trail = s->trail(alike[at]).value();
    REQUIRE(trail.size() == 1);
    CHECK(trail[0].text == std::to_string(at));
  }
  std::set<request_key> seen;
  REQUIRE(s->each_record([&](const record& one) {
    CHECK(alike[one.arrival] == one.key);
    seen.insert(one.key);
    return true;
  }));
  CHECK(seen.size() == alike.size());
}

TEST_CASE("ten thousand settled requests are answered in the order of the question",
          "[storage][store]") {
  directory in;
  auto s = opened(in);
  constexpr std::uint64_t count = 10'000;
  for (std::uint64_t at = 0; at < count;) {
    batch what;
    for (std::uint64_t end = at + 1000; at < end; ++at) {
      auto value = settled(static_cast<unix_ms>(at));
      value.lease_number = at;
      what.emplace_back(put_settled{key(at), value});
    }
    REQUIRE(s->commit(what));
  }
  std::vector<request_key> wanted;
  for (std::uint64_t at = 0; at < 2 * count; ++at) {
    wanted.push_back(key(at % 2 == 0 ? (at * 7919) % count : count + at));
  }
  for (int life = 0; life < 2; ++life) {
    const auto found = s->find_settled(wanted).value();
    REQUIRE(found.size() == wanted.size());
    for (std::uint64_t at = 0; at < wanted.size(); ++at) {
      REQUIRE(found[at].has_value() == (at % 2 == 0));
      if (found[at]) {
        REQUIRE(found[at]->lease_number == (at * 7919) % count);
      }
    }
    std::size_t walked = 0;
    REQUIRE(s->each_settled(
      [&](const request_key&, const settled_record&) { return ++walked < count + 1; }));
    CHECK(walked == count);
    REQUIRE(s->close_clean()); // the second time from tables
    s.reset();
    s = opened(in);
  }
  CHECK(s->find_settled(std::vector<request_key>{}).value().empty());
}

TEST_CASE("the audit is walked in order from any place and never goes back", "[storage][store]") {
  directory in;
  auto s = opened(in);
  for (const std::uint64_t sequence : {1u, 2u, 255u, 256u, 70'000u}) {
    REQUIRE(s->commit({put_audit{sequence, {}, octets(std::to_string(sequence))}}));
  }
  const auto from = [&](std::uint64_t first) {
    std::vector<std::uint64_t> out;
    REQUIRE(s->each_audit(first, [&](std::uint64_t sequence, const digest&, const bytes& entry) {
      CHECK(entry == octets(std::to_string(sequence)));
      out.push_back(sequence);
      return true;
    }));
    return out;
  };
  using numbers = std::vector<std::uint64_t>;
  CHECK(from(0) == numbers{1, 2, 255, 256, 70'000});
  CHECK(from(255) == numbers{255, 256, 70'000});
  CHECK(from(70'001).empty());
  CHECK(from(~std::uint64_t{0}).empty());
  std::size_t visits = 0;
  REQUIRE(
    s->each_audit(0, [&](std::uint64_t, const digest&, const bytes&) { return ++visits < 2; }));
  CHECK(visits == 2);
  CHECK(s->commit({put_audit{70'000, {}, {}}}).error().code == errc::conflict);
  CHECK(s->commit({put_audit{70'002, {}, {}}, put_audit{70'001, {}, {}}}).error().code
        == errc::conflict);
  CHECK(s->last_audit().value()->sequence == 70'000);
  s.reset();
  s = opened(in);
  CHECK(s->commit({put_audit{69'999, {}, {}}}).error().code == errc::conflict);
  CHECK(s->commit({put_audit{70'001, {}, {}}}));
}

TEST_CASE("a walk stops when the visitor has enough", "[storage][store]") {
  directory in;
  const auto s = opened(in);
  REQUIRE(s->commit({put_record{open_record(key(1))}, put_record{open_record(key(2))}}));
  int visits = 0;
  REQUIRE(s->each_record([&](const record&) {
    ++visits;
    return false;
  }));
  CHECK(visits == 1);
}

TEST_CASE("the trail keeps the order of its lines over lives, whatever the clock said",
          "[storage][store]") {
  directory in;
  auto s = opened(in);
  REQUIRE(s->commit({put_trail{key(1), line("a", 50)}, put_trail{key(1), line("b", 50)}}));
  REQUIRE(s->commit({put_trail{key(1), line("c", 10)}}));
  s.reset();
  s = opened(in);
  REQUIRE(s->commit({put_trail{key(1), line("d", 5)}}));
  std::string order;
  const auto trail = s->trail(key(1)).value();
  for (const auto& one : trail) {
    order += one.text;
  }
  CHECK(order == "abcd");
}

TEST_CASE("of an endless trail the newest lines are shown", "[storage][store]") {
  directory in;
  const auto s = opened(in);
  batch what;
  for (std::size_t at = 0; at < trail_entries_max + 5; ++at) {
    what.emplace_back(put_trail{key(1), line(std::to_string(at))});
  }
  REQUIRE(s->commit(what));
  const auto trail = s->trail(key(1)).value();
  REQUIRE(trail.size() == trail_entries_max);
  CHECK(trail.front().text == "5");
  CHECK(trail.back().text == std::to_string(trail_entries_max + 4));
}

TEST_CASE("a surplus certificate is known by issuer and serial, and updated in place",
          "[storage][store]") {
  directory in;
  const auto s = opened(in);
  auto one = surplus(key(1), "01", false);
  REQUIRE(s->commit({put_surplus{one}, put_surplus{surplus(key(1), "02", false)}}));
  one.attempts = 3;
  one.done = true;
  REQUIRE(s->commit({put_surplus{one}}));
  std::vector<surplus_certificate> found;
  REQUIRE(s->each_surplus([&](const surplus_certificate& each) {
    found.push_back(each);
    return true;
  }));
  CHECK(found == std::vector{one, surplus(key(1), "02", false)});
}

TEST_CASE("blob keys tell every blob of every request apart", "[storage][store]") {
  std::set<bytes> seen;
  for (const auto& of : {key(1), key(2), key("ctx-11"), request_key{"b", flow::scep, "ctx-1"}}) {
    for (const auto kind :
         {blob_kind::request, blob_kind::intent, blob_kind::certificate, blob_kind::result}) {
      seen.insert(store::blob_key(of, kind));
    }
  }
  CHECK(seen.size() == 16);
}

TEST_CASE("two stores have different identities", "[storage][store]") {
  directory one;
  directory other;
  CHECK(opened(one)->store_id() != opened(other)->store_id());
}
