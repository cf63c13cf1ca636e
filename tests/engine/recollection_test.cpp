// What a start looks back on: a halt for good, and an anchor that remembers more than the store.
#include "engine/recollection.hpp"

#include "actors/tasks/ledger.hpp"
#include "engine/engine.hpp"
#include "storage/anchor_file.hpp"
#include "tests/engine/sealed_room.hpp"

namespace {

using namespace pfx;
using test::code_of;
using test::must;

void halt(const test::sealed_room& room, const std::string& why) {
  const auto store = room.store();
  must(store->commit(
    {storage::put_meta{std::string(actors::tasks::halted_mark), to_bytes(std::string_view(why))}}));
  must(store->close_clean());
}

bool asks_everything(const test::sealed_room& room) {
  const auto store = room.store();
  const auto mark = must(store->meta(std::string(actors::tasks::ask_everything_mark)));
  must(store->close_clean());
  return mark == bytes{1};
}

} // namespace

TEST_CASE("after a halt for good only an operator's word lets a connector go on",
          "[engine][recollection]") {
  const test::sealed_room room;
  must(room.store()->close_clean());
  CHECK(code_of(engine::engine::resume(room.settings)) == errc::not_found);
  halt(room, "another process lives under our name");
  {
    const auto store = room.store();
    const auto refused = engine::detail::refuse_after_halt(*store);
    REQUIRE(code_of(refused) == errc::stale_epoch);
    CHECK(refused.error().message.find("another process lives under our name")
          != std::string::npos);
    CHECK(refused.error().message.find("run --resume") != std::string::npos);
    must(store->close_clean());
  }
  CHECK(must(engine::engine::resume(room.settings)) == "another process lives under our name");
  CHECK(asks_everything(room));
  CHECK(code_of(engine::engine::resume(room.settings)) == errc::not_found);
  const auto store = room.store();
  CHECK(engine::detail::refuse_after_halt(*store).has_value());
}

TEST_CASE("an anchor that remembers more than the store is a reason to ask",
          "[engine][recollection]") {
  const test::sealed_room room;
  const auto anchor = room.folder.path("anchor");
  const auto store = room.store();
  digest head;
  head.octets.fill(3);
  must(store->commit({storage::put_audit{7, head, {}}}));
  const auto doubt = [&] { return must(engine::detail::doubt_of_memory(*store, anchor)); };
  CHECK(doubt().empty()); // there is no anchor yet
  must(storage::write_anchor(anchor, {store->store_id(), 7, head}));
  CHECK(doubt().empty());
  must(storage::write_anchor(anchor, {store->store_id(), 8, head}));
  CHECK(doubt().find("not as far") != std::string::npos);
  must(storage::write_anchor(anchor, {store->store_id(), 7, digest{}}));
  CHECK(doubt().find("not as far") != std::string::npos);
  const auto at = store->status().recovered;
  must(storage::write_anchor(anchor, {store->store_id(), 7, head, at}));
  CHECK(doubt().empty());
  must(storage::write_anchor(anchor, {store->store_id(), 7, head, at + 1}));
  CHECK(doubt().find("not as far") != std::string::npos); // what it writes now does not count
  must(storage::write_anchor(anchor, {bytes(16, 9), 7, head}));
  CHECK(doubt().find("not the one") != std::string::npos);
  std::ofstream(anchor) << "something else";
  CHECK_FALSE(doubt().empty());
}
