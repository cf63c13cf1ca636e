// The tools for a stopped engine's store: what they promise, and what they say was lost.
#include "engine/store_tools.hpp"

#include <fstream>

#include "actors/tasks/audit.hpp"
#include "actors/tasks/ledger.hpp"
#include "storage/anchor_file.hpp"
#include "tests/engine/sealed_room.hpp"

namespace {

using namespace pfx;
using test::code_of;
using test::must;
namespace fs = std::filesystem;

/// A store with settled requests and a chain of audit lines.
class used_room : public test::sealed_room {
public:
  used_room() { settings.anchor_file = folder.path("anchor"); }

  /// One request and one audit line more, each synced.
  void live(int times) {
    const auto open = store();
    for (int i = 0; i < times; ++i) {
      add(*open);
    }
    must(open->close_clean());
  }

  /// Ends without a clean close, as a crash does.
  void live_and_die(int times) {
    const auto open = store();
    for (int i = 0; i < times; ++i) {
      add(*open);
    }
  }

  void add(storage::store& open) {
    const auto last = must(open.last_audit());
    const auto sequence = (last ? last->sequence : 0) + 1;
    auto line = encode(actors::tasks::audit_line{
      .at = 1, .event = 1000, .context = "ctx", .text = "line " + std::to_string(sequence)});
    const auto head = actors::tasks::audit_link(last ? last->chain_head : digest{}, sequence, line);
    settled_record ended;
    ended.kind = request_kind::pfx_create;
    must(open.commit(
      {storage::put_settled{{"contoso", flow::pfx, "ctx-" + std::to_string(sequence)}, ended},
       storage::put_audit{sequence, head, std::move(line)}}));
    must(storage::write_anchor(settings.anchor_file, {open.store_id(), sequence, head}));
  }

  [[nodiscard]] bool asks() const {
    const auto open = store();
    const auto mark = must(open->meta(std::string(actors::tasks::ask_everything_mark)));
    return mark == bytes{1};
  }

  [[nodiscard]] fs::path path() const { return fs::path(settings.data_directory) / "store"; }

  [[nodiscard]] fs::path log_file() const {
    for (const auto& one : fs::directory_iterator(path() / "db")) {
      if (one.path().extension() == ".log" && one.file_size() > 0) {
        return one.path();
      }
    }
    return {};
  }
};

std::string all_words(const engine::store_report& from) {
  std::string out;
  for (const auto& one : from.words) {
    out += one + "\n";
  }
  return out;
}

void flip(const fs::path& file, std::uintmax_t at) {
  std::fstream io(file, std::ios::in | std::ios::out | std::ios::binary);
  io.seekg(static_cast<std::streamoff>(at));
  const auto octet = static_cast<char>(io.get() ^ 0x40);
  io.seekp(static_cast<std::streamoff>(at));
  io.put(octet);
}

} // namespace

TEST_CASE("a whole store is said to be whole, and counted", "[engine][store]") {
  used_room room;
  room.live(20);
  const auto report = must(engine::verify_store(room.settings));
  CHECK(report.settled_requests == 20);
  CHECK(report.audit_lines == 20);
  CHECK(all_words(report).empty());
}

TEST_CASE("a backup is taken once and put back whole; the next start asks about everything",
          "[engine][store]") {
  used_room room;
  room.live(5);
  const auto target = room.folder.path("backup");
  must(engine::back_up_store(room.settings, target));
  CHECK(code_of(engine::back_up_store(room.settings, target)) == errc::conflict);
  for (const auto& one : fs::recursive_directory_iterator(target)) {
    INFO(one.path().string());
    CHECK((!one.is_regular_file() || one.hard_link_count() == 1)); // shares nothing with the store
  }
  room.live(7); // forgotten by the backup
  CHECK_FALSE(room.asks());
  const auto report = must(engine::restore_store(room.settings, target));
  CHECK(report.settled_requests == 5);
  CHECK(all_words(report).find("the anchor knows 12 audit lines") != std::string::npos);
  CHECK(all_words(report).find("store.replaced-1") != std::string::npos);
  CHECK(fs::exists(room.path().string() + ".replaced-1"));
  CHECK(room.asks());
}

TEST_CASE("what is no backup takes nothing's place", "[engine][store]") {
  used_room room;
  room.live(3);
  CHECK(code_of(engine::restore_store(room.settings, room.folder.path("none"))) == errc::io);
  const auto empty = room.folder.path("empty");
  fs::create_directory(empty);
  CHECK_FALSE(engine::restore_store(room.settings, empty).has_value());
  CHECK(must(engine::verify_store(room.settings)).settled_requests == 3);
  CHECK_FALSE(room.asks());
}

TEST_CASE("an engine's store is not touched while it runs", "[engine][store]") {
  used_room room;
  room.live(1);
  const auto running = room.store();
  CHECK(code_of(engine::verify_store(room.settings)) == errc::store_locked);
  CHECK(code_of(engine::back_up_store(room.settings, room.folder.path("b"))) == errc::store_locked);
  CHECK(code_of(engine::restore_store(room.settings, room.folder.path("b"))) == errc::store_locked);
  CHECK(code_of(engine::repair_store(room.settings)) == errc::store_locked);
}

TEST_CASE("damage is named, and a repair says what is gone and keeps the original",
          "[engine][store]") {
  used_room room;
  room.live_and_die(30);
  const auto log = room.log_file();
  REQUIRE_FALSE(log.empty());
  flip(log, fs::file_size(log) / 2);
  CHECK(code_of(engine::verify_store(room.settings)) == errc::corrupt);
  const auto report = must(engine::repair_store(room.settings));
  CHECK(report.settled_requests < 30);
  CHECK(report.settled_requests > 5);
  CHECK(all_words(report).find("first damage") != std::string::npos);
  CHECK(all_words(report).find("the anchor knows 30 audit lines") != std::string::npos);
  CHECK(fs::exists(room.path().string() + ".damaged-1"));
  CHECK(room.asks());
}

TEST_CASE("a log that ended in the middle of a write is a reason to ask, whoever opens it first",
          "[engine][store]") {
  used_room room;
  room.live_and_die(30);
  const auto log = room.log_file();
  fs::resize_file(log, fs::file_size(log) - 3);
  const auto first = must(engine::verify_store(room.settings));
  CHECK(first.settled_requests == 29);
  CHECK(all_words(first).find("not as far") != std::string::npos);
  CHECK(room.asks());
  // The log is whole again by now, and the anchor may be gone.
  fs::remove(room.settings.anchor_file);
  const auto second = must(engine::verify_store(room.settings));
  CHECK(all_words(second)
        == "the next start asks the service about everything before it submits "
           "anything\n");
}

TEST_CASE("a torn log without an anchor is a reason to ask", "[engine][store]") {
  used_room room;
  room.live_and_die(30);
  fs::remove(room.settings.anchor_file);
  const auto log = room.log_file();
  fs::resize_file(log, fs::file_size(log) - 3);
  const auto report = must(engine::verify_store(room.settings));
  CHECK(all_words(report).find("ended in the middle of a write") != std::string::npos);
  CHECK(room.asks());
}

TEST_CASE("a lost list of tables is made anew", "[engine][store]") {
  used_room room;
  room.live(10);
  for (const auto& one : fs::directory_iterator(room.path() / "db")) {
    if (one.path().filename().string().starts_with("MANIFEST")) {
      fs::remove(one.path());
    }
  }
  CHECK(code_of(engine::verify_store(room.settings)) == errc::corrupt);
  const auto report = must(engine::repair_store(room.settings));
  CHECK(report.settled_requests == 10);
  CHECK(all_words(report).find("made anew") != std::string::npos);
  CHECK(room.asks());
}
