// What reaches the disk: this program puts its own fsync and fdatasync before the system's, counts
// them, and lets them fail. RocksDB calls them too, so these are its real error paths.
#include <atomic>
#include <cerrno>

#include <sys/syscall.h>
#include <unistd.h>

#include "storage/store.hpp"
#include "tests/storage/scratch.hpp"

using namespace scratch;

namespace {

std::atomic<int> syncs{0};
std::atomic<int> fail_from{0}; ///< the number of the first sync that fails; 0 = none
std::atomic<bool> fail_once{false};

int sync_with(long call, int file) {
  const int number = ++syncs;
  const int bad = fail_from.load();
  if (bad != 0 && (number == bad || (number > bad && !fail_once.load()))) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(call, file));
}

/// No sync fails any more at the end of a scope, however it ends.
struct disk_fault {
  disk_fault(int at, bool once) {
    fail_once = once;
    fail_from = at == 0 ? 0 : syncs.load() + at;
  }
  ~disk_fault() { fail_from = 0; }
  disk_fault(const disk_fault&) = delete;
  disk_fault& operator=(const disk_fault&) = delete;
};

/// Whole lives of a store with the first, the second, … sync failing, until one has no such sync.
void fail_every_sync_in_turn(bool once) {
  constexpr int commits = 4;
  bool untouched = false;
  for (int fail_at = 1; !untouched; ++fail_at) {
    REQUIRE(fail_at < 100);
    INFO("sync " << fail_at);
    directory in(in_memory());
    int acknowledged = 0;
    {
      const disk_fault fault(fail_at, once);
      if (auto s = store::open(options(in.store()))) {
        while (acknowledged < commits
               && (*s)->commit({put_meta{"n" + std::to_string(acknowledged), octets("1")}})) {
          ++acknowledged;
        }
        // RocksDB waits for a second after a failed flush: that end is left to the single failures.
        const bool closed = !once || (*s)->close_clean().has_value();
        untouched = closed && acknowledged == commits;
      }
    }
    auto again = store::open(options(in.store()));
    INFO((again ? std::string() : to_string(again.error())));
    REQUIRE(again);
    CHECK((!untouched || (*again)->status().unclean_start == !once));
    for (int at = 0; at < acknowledged; ++at) {
      CHECK((*again)->meta("n" + std::to_string(at)).value());
    }
  }
}

} // namespace

extern "C" int fsync(int file) { return sync_with(SYS_fsync, file); }
extern "C" int fdatasync(int file) { return sync_with(SYS_fdatasync, file); }

TEST_CASE("every commit is synced before it returns, whatever is in it", "[storage][sync]") {
  directory in;
  const auto s = opened(in);
  const auto synced = [&](const batch& what) {
    const int before = syncs;
    REQUIRE(s->commit(what));
    return syncs - before;
  };
  CHECK(synced({put_meta{"a", octets("1")}}) == 1);
  CHECK(synced({put_record{open_record(key(1))}, put_trail{key(1), line("x")}}) == 1);
  CHECK(synced({drop_record{key(1)}}) == 1);
  CHECK(synced({put_settled{key(2), settled(1)}}) == 1);
  CHECK(synced({}) == 0);
}

TEST_CASE("the mark of a start and of a clean end are synced", "[storage][sync]") {
  directory in;
  auto s = opened(in);
  s.reset();
  int before = syncs;
  s = opened(in);
  CHECK(syncs > before);
  before = syncs;
  REQUIRE(s->close_clean());
  CHECK(syncs > before);
}

TEST_CASE("a sync that the system refuses poisons the store", "[storage][sync]") {
  directory in;
  auto s = opened(in);
  REQUIRE(s->commit({put_meta{"before", octets("1")}}));
  {
    const disk_fault fault(1, true);
    const auto failed = s->commit({put_meta{"during", octets("1")}});
    REQUIRE(!failed);
    CHECK(failed.error().code == errc::store_poisoned);
  }
  // The next sync would succeed, and would prove nothing about the pages that were dropped.
  CHECK(s->commit({put_meta{"after", octets("1")}}).error().code == errc::store_poisoned);
  CHECK(s->status().poisoned);
  CHECK(s->meta("before").value() == octets("1"));
  s.reset();
  s = opened(in);
  CHECK(s->status().unclean_start);
  CHECK(s->meta("before").value() == octets("1"));
  CHECK(!s->meta("after").value());
}

TEST_CASE("one failed sync anywhere between start and end loses nothing acknowledged",
          "[storage][sync]") {
  fail_every_sync_in_turn(true);
}

TEST_CASE("syncs that fail from anywhere on, for good, lose nothing acknowledged",
          "[storage][sync]") {
  fail_every_sync_in_turn(false);
}
