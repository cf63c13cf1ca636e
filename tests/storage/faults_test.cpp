// The disk says no: poison, floor, the mark of an unclean end.
#include <atomic>

#include "storage/store.hpp"
#include "tests/storage/scratch.hpp"

using namespace scratch;

TEST_CASE("a write that failed poisons the store: no more commits, reads go on",
          "[storage][faults]") {
  directory in;
  bool broken = false;
  auto with = options(in.store());
  with.fault = [&]() -> result<void> {
    return broken ? result<void>(failure(errc::io, "disk", "EIO")) : result<void>();
  };
  auto s = opened(with);
  REQUIRE(s->commit({put_meta{"before", octets("1")}}));
  broken = true;
  const auto failed = s->commit({put_meta{"during", octets("1")}});
  REQUIRE(!failed);
  CHECK(failed.error().code == errc::store_poisoned);
  CHECK(failed.error().message.find("EIO") != std::string::npos);
  broken = false; // a disk that recovered is no reason: what the kernel dropped stays dropped
  CHECK(s->commit({put_meta{"after", octets("1")}}).error().code == errc::store_poisoned);
  CHECK(s->purge(100, 100).error().code == errc::store_poisoned);
  CHECK(s->close_clean().error().code == errc::store_poisoned);
  CHECK(s->status().poisoned);
  CHECK(s->status().poison_reason.find("EIO") != std::string::npos);
  CHECK(s->meta("before").value() == octets("1"));
  CHECK(!s->meta("during").value());
  s.reset();
  s = opened(in);
  CHECK(s->status().unclean_start);
  CHECK(!s->status().poisoned);
  CHECK(s->meta("before").value() == octets("1"));
  CHECK(!s->meta("during").value());
  CHECK(s->commit({put_meta{"after", octets("1")}}));
}

TEST_CASE("a failure at the Nth write loses nothing acknowledged, for every N",
          "[storage][faults]") {
  constexpr int commits = 6;
  bool untouched = false;
  for (int fail_at = 1; !untouched; ++fail_at) {
    REQUIRE(fail_at < 20);
    directory in(in_memory());
    int writes = 0;
    auto with = options(in.store());
    with.fault = [&]() -> result<void> {
      return ++writes == fail_at ? result<void>(failure(errc::io, "disk", "EIO")) : result<void>();
    };
    int acknowledged = 0;
    if (auto s = store::open(with)) {
      while (acknowledged < commits
             && (*s)->commit({put_meta{"n" + std::to_string(acknowledged), octets("1")}})) {
        ++acknowledged;
      }
      untouched = acknowledged == commits && (*s)->close_clean().has_value();
    } else {
      CHECK(s.error().code == errc::store_poisoned);
    }
    const auto again = opened(in);
    for (int at = 0; at < commits; ++at) {
      CHECK(again->meta("n" + std::to_string(at)).value().has_value() == (at < acknowledged));
    }
  }
}

TEST_CASE("below the floor a commit is refused, and goes on by itself when there is room",
          "[storage][faults]") {
  directory in;
  std::atomic<std::uint64_t> free{1000};
  auto with = options(in.store());
  with.free_bytes_floor = 1000;
  with.free_bytes = [&] { return free.load(); };
  const auto s = opened(with);
  CHECK(s->commit({put_meta{"a", octets("1")}}));
  free = 999;
  CHECK(s->status().below_floor);
  CHECK(s->status().free_bytes == 999);
  const auto refused = s->commit({put_meta{"b", octets("1")}});
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::disk_full);
  CHECK(!s->status().poisoned);
  CHECK(!s->meta("b").value());
  CHECK(s->meta("a").value());
  free = 1000;
  CHECK(!s->status().below_floor);
  CHECK(s->commit({put_meta{"b", octets("1")}}));
  CHECK(s->meta("b").value());
}

TEST_CASE("below the floor the store still opens, purges and closes; below half of it not",
          "[storage][faults]") {
  directory in;
  std::atomic<std::uint64_t> free{1000};
  auto with = options(in.store());
  with.free_bytes_floor = 1000;
  with.free_bytes = [&] { return free.load(); };
  auto s = opened(with);
  REQUIRE(s->commit({put_settled{key(1), settled(10)}, put_trail{key(1), line("x")}}));
  s.reset();
  free = 500;
  s = opened(with);
  CHECK(s->purge(100, 100).value() == 2);
  CHECK(s->close_clean());
  s.reset();
  free = 499;
  const auto refused = store::open(with);
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::disk_full);
  free = 1000;
  s = opened(with);
  CHECK(!s->status().unclean_start);
  CHECK(s->trail(key(1)).value().empty());
}

TEST_CASE("the mark tells a clean end from an unclean one", "[storage][faults]") {
  directory in;
  auto s = opened(in);
  CHECK(!s->status().unclean_start);
  REQUIRE(s->close_clean());
  s.reset();
  s = opened(in);
  CHECK(!s->status().unclean_start);
  s.reset(); // no close_clean
  s = opened(in);
  CHECK(s->status().unclean_start);
  CHECK(!s->status().tail_cut);
  REQUIRE(s->close_clean());
  s.reset();
  CHECK(!opened(in)->status().unclean_start);
}

TEST_CASE("a copy of a running store counts as an unclean end", "[storage][faults]") {
  directory in;
  const auto s = opened(in);
  REQUIRE(s->commit({put_meta{"a", octets("1")}}));
  const auto copy = in.root() / "copy";
  fs::copy(in.store(), copy, fs::copy_options::recursive);
  fs::permissions(copy, fs::perms::owner_all);
  const auto other = opened(options(copy));
  CHECK(other->status().unclean_start);
  CHECK(other->meta("a").value() == octets("1"));
}

TEST_CASE("a closed store takes no commits, answers reads, and may be closed again",
          "[storage][faults]") {
  directory in;
  const auto s = opened(in);
  REQUIRE(s->commit({put_meta{"a", octets("1")}}));
  REQUIRE(s->close_clean());
  CHECK(s->commit({put_meta{"b", octets("1")}}).error().code == errc::stopping);
  CHECK(s->purge(1, 1).error().code == errc::stopping);
  CHECK(s->meta("a").value() == octets("1"));
  CHECK(s->close_clean());
  CHECK(!s->status().poisoned);
}

TEST_CASE("a record that can't be read is an error, and stops all writes", "[storage][faults]") {
  directory in;
  const auto s = opened(in);
  auto damaged = open_record(key(1));
  damaged.state = static_cast<record_state>(99);
  REQUIRE(s->commit({put_record{damaged}, put_record{open_record(key(2))}}));
  CHECK(s->find_record(key(2)).value());
  CHECK(!s->status().poisoned);
  const auto walked = s->each_record([](const record&) { return true; });
  REQUIRE(!walked);
  CHECK(walked.error().code == errc::corrupt);
  CHECK(s->find_record(key(1)).error().code == errc::corrupt);
  CHECK(s->status().poisoned);
  CHECK(s->commit({put_meta{"a", octets("1")}}).error().code == errc::store_poisoned);
  CHECK(s->find_record(key(2)).value());
}
