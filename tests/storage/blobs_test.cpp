// Walking all blobs, writing some of them anew meanwhile, and getting rid of what they were.
#include "tests/catch.hpp"

#include <array>
#include <map>

#include "storage/keys.hpp"
#include "tests/storage/scratch.hpp"

namespace {

using namespace scratch;

constexpr std::array kinds{blob_kind::request, blob_kind::intent, blob_kind::certificate,
                           blob_kind::result};

void fill(store& in, int count) {
  batch all;
  for (int i = 0; i < count; ++i)
    all.push_back(put_blob{key("ctx-" + std::to_string(i)), kinds[static_cast<std::size_t>(i % 4)],
                           octets("sealed " + std::to_string(i))});
  REQUIRE(in.commit(all));
}

bool lies_in_files(const fs::path& under, const std::string& needle) {
  for (const auto& one : fs::recursive_directory_iterator(under))
    if (one.is_regular_file() && file_text(one.path()).find(needle) != std::string::npos)
      return true;
  return false;
}

} // namespace

TEST_CASE("a walk meets every blob once, of every kind, open or settled", "[storage]") {
  const directory in(in_memory());
  const auto store = opened(in);
  fill(*store, 20);
  REQUIRE(
    store->commit({put_record{open_record(key("ctx-1"))}, put_settled{key("ctx-2"), settled(1)},
                   put_meta{"name", octets("value")}, drop_blob{key("ctx-3"), kinds[3]}}));
  std::map<std::string, std::string> seen;
  REQUIRE(store->each_blob([&](const request_key& of, blob_kind kind, const bytes& sealed) {
    CHECK(of.tenant == "contoso");
    CHECK(of.in == flow::pfx);
    const auto number = of.context.substr(4);
    CHECK(kind == kinds[std::stoul(number) % 4]);
    CHECK(to_text(sealed) == "sealed " + number);
    CHECK(seen.emplace(of.context, "").second);
    return true;
  }));
  CHECK(seen.size() == 19);
  int visits = 0;
  REQUIRE(
    store->each_blob([&](const request_key&, blob_kind, const bytes&) { return ++visits < 3; }));
  CHECK(visits == 3);
}

TEST_CASE("what a walk writes it does not meet again", "[storage]") {
  const directory in(in_memory());
  const auto store = opened(in);
  fill(*store, 10);
  int visits = 0;
  REQUIRE(store->each_blob([&](const request_key& of, blob_kind kind, const bytes&) {
    ++visits;
    CHECK(store->commit(
      {put_blob{of, kind, octets("anew")}, put_blob{key("z" + of.context), kind, octets("anew")}}));
    return true;
  }));
  CHECK(visits == 10);
  const auto read = store->find_blob(key("ctx-4"), kinds[0]);
  REQUIRE(read);
  CHECK(*read == octets("anew"));
}

TEST_CASE("what was overwritten is gone from the files, and the rest is there", "[storage]") {
  const directory in;
  {
    const auto store = opened(in);
    REQUIRE(store->commit({put_blob{key("a"), kinds[0], octets("the old secret words")},
                           put_blob{key("b"), kinds[1], octets("dropped secret words")}}));
    REQUIRE(store->close_clean()); // now it lies in a table
  }
  const auto store = opened(in);
  CHECK(lies_in_files(in.root(), "the old secret words"));
  REQUIRE(store->commit(
    {put_blob{key("a"), kinds[0], octets("the new secret words")}, drop_blob{key("b"), kinds[1]}}));
  REQUIRE(store->erase_overwritten());
  CHECK_FALSE(lies_in_files(in.root(), "the old secret words"));
  CHECK_FALSE(lies_in_files(in.root(), "dropped secret words"));
  const auto read = store->find_blob(key("a"), kinds[0]);
  REQUIRE(read);
  CHECK(*read == octets("the new secret words"));
  REQUIRE(store->erase_overwritten());
  REQUIRE(store->close_clean());
  CHECK_FALSE(store->erase_overwritten());
}

TEST_CASE("nothing is written anew where the disk is nearly full", "[storage]") {
  const directory in(in_memory());
  auto with = options(in.store());
  std::uint64_t free = 1u << 30;
  with.free_bytes = [&free] { return free; };
  const auto store = opened(std::move(with));
  fill(*store, 4);
  free = (1u << 20) - 1;
  const auto refused = store->erase_overwritten();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::disk_full);
  CHECK_FALSE(store->status().poisoned);
  free = 1u << 30;
  CHECK(store->erase_overwritten());
}

TEST_CASE("a blob's key leads back to its request and kind, another's does not", "[storage]") {
  for (const auto kind : kinds) {
    const auto back = keys::blob_of(keys::blob(key("ctx"), kind));
    REQUIRE(back);
    CHECK(back->request == key("ctx"));
    CHECK(back->kind == kind);
  }
  auto longer = keys::blob(key("ctx"), kinds[0]);
  longer.push_back(0);
  CHECK_FALSE(keys::blob_of(longer));
  auto shorter = keys::blob(key("ctx"), kinds[0]);
  shorter.pop_back();
  CHECK_FALSE(keys::blob_of(shorter));
  auto unknown = keys::blob(key("ctx"), kinds[0]);
  for (const auto kind : bytes{0, 5, 255}) {
    unknown.back() = kind;
    CHECK_FALSE(keys::blob_of(unknown));
  }
  CHECK_FALSE(keys::blob_of(keys::record(key("ctx"))));
  CHECK_FALSE(keys::blob_of({}));
}
