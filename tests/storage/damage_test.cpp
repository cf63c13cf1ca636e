// Damaged, incomplete, newer and foreign directories: each is refused, none is opened short.
#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include "storage/keys.hpp"
#include "storage/store.hpp"
#include "tests/storage/scratch.hpp"

using namespace scratch;

namespace {

constexpr int records = 10;

std::string label(int number) { return "record-number-" + std::to_string(number) + "-of-ten"; }

/// Ten records, each in a synced write of its own, in the log only.
void fill(const directory& in) {
  const auto s = opened(in);
  for (int at = 0; at < records; ++at) {
    auto value = open_record(key(static_cast<std::uint64_t>(at)));
    value.reason = label(at);
    REQUIRE(s->commit({put_record{value}}));
  }
}

/// As fill, but in tables.
void fill_tables(const directory& in) {
  fill(in);
  REQUIRE(opened(in)->close_clean());
}

int records_in(const store& s) {
  int out = 0;
  REQUIRE(s.each_record([&](const record& one) {
    CHECK(one.reason == label(out));
    ++out;
    return true;
  }));
  return out;
}

error refused(const directory& in) {
  const auto s = store::open(options(in.store()));
  REQUIRE(!s);
  return s.error();
}

/// Writes one raw value into the default family of the closed database.
void overwrite(const directory& in, const bytes& at, const bytes& value) {
  std::vector<std::string> names;
  const auto path = in.database().string();
  REQUIRE(rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), path, &names).ok());
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const auto& name : names) {
    families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  REQUIRE(rocksdb::DB::Open(rocksdb::DBOptions(), path, families, &handles, &raw).ok());
  const std::unique_ptr<rocksdb::DB> database(raw);
  const auto put = database->Put(rocksdb::WriteOptions(), handles[0], to_text(at), to_text(value));
  for (auto* handle : handles) {
    CHECK(database->DestroyColumnFamilyHandle(handle).ok());
  }
  REQUIRE(put.ok());
}

} // namespace

TEST_CASE("a flipped byte in the middle of the log is refused, not opened short",
          "[storage][damage]") {
  for (const int at : {0, 4, records - 2}) {
    directory in;
    fill(in);
    const auto log = largest(in.database(), ".log");
    auto text = file_text(log);
    const auto place = text.find(label(at));
    REQUIRE(place != std::string::npos);
    text[place] = static_cast<char>(text[place] ^ 1);
    write_file(log, text);
    const auto why = refused(in);
    CHECK(why.code == errc::corrupt);
    CHECK(why.message.find("Copy the data directory aside") != std::string::npos);
    // Refused again, not repaired by the first try.
    CHECK(refused(in).code == errc::corrupt);
    auto with = options(in.store());
    with.salvage = true;
    CHECK(records_in(*opened(with)) == at);
  }
}

TEST_CASE("a log cut short in its last record opens with all the others", "[storage][damage]") {
  // A write that was cut off by a crash was never acknowledged. A synced record that was cut short
  // later looks the same from in here: only an anchor outside of the database tells them apart.
  directory in;
  fill(in);
  const auto log = largest(in.database(), ".log");
  fs::resize_file(log, file_text(log).size() - 3);
  const auto s = opened(in);
  CHECK(s->status().unclean_start);
  CHECK(s->status().tail_cut);
  CHECK(records_in(*s) == records - 1);
  CHECK(s->commit({put_meta{"on", octets("1")}}));
}

TEST_CASE("no flipped bit in the head of a log record opens the store short without a word",
          "[storage][damage]") {
  directory in(in_memory());
  fill(in);
  const auto log = largest(in.database(), ".log");
  const auto text = file_text(log);
  // Before the key: CRC (4), length (2), type (1), sequence (8), count (4), tag (1) and the key's
  // length (1).
  const auto place = text.find(to_text(keys::record(key(5))));
  REQUIRE(place != std::string::npos);
  std::string cut_by;
  for (std::size_t back = 21; back > 0; --back) {
    auto damaged = text;
    damaged[place - back] = static_cast<char>(damaged[place - back] ^ 0x80);
    directory other(in_memory());
    fs::copy(in.store(), other.store(), fs::copy_options::recursive);
    fs::permissions(other.store(), fs::perms::owner_all);
    write_file(other.database() / log.filename(), damaged);
    const auto s = store::open(options(other.store()));
    INFO("octet " << back << " before the key");
    if (s) {
      REQUIRE((*s)->status().tail_cut);
      REQUIRE(records_in(**s) == 5);
      cut_by += std::to_string(back) + " ";
    } else {
      REQUIRE(s.error().code == errc::corrupt);
    }
  }
  CHECK(cut_by == "16 "); // the high octet of the length; any other is refused
}

TEST_CASE("without CURRENT, manifest, a table or the whole database there is no fresh start",
          "[storage][damage]") {
  directory in;
  fill_tables(in);
  SECTION("CURRENT") { fs::remove(in.database() / "CURRENT"); }
  SECTION("the manifest") {
    for (const auto& one : fs::directory_iterator(in.database())) {
      if (one.path().filename().string().find("MANIFEST") == 0) {
        fs::remove(one.path());
        break;
      }
    }
  }
  SECTION("a table") { fs::remove(largest(in.database(), ".sst")); }
  SECTION("all files of the database") {
    fs::remove_all(in.database());
    fs::create_directory(in.database());
  }
  SECTION("the directory of the database") { fs::remove_all(in.database()); }
  const auto why = refused(in);
  INFO(to_string(why));
  CHECK(why.code == errc::corrupt);
  CHECK(why.message.find("amnesia") != std::string::npos);
  CHECK(refused(in).code == errc::corrupt);
}

TEST_CASE("a database whose log was deleted before it had tables is refused as empty",
          "[storage][damage]") {
  directory in;
  fill(in);
  fs::remove(largest(in.database(), ".log"));
  CHECK(refused(in).code == errc::corrupt);
}

TEST_CASE("a database without its marker, or with another store's, is refused",
          "[storage][damage]") {
  directory in;
  fill_tables(in);
  const auto marker = in.store() / "pfxengine-store";
  SECTION("deleted") { fs::remove(marker); }
  SECTION("empty") { write_file(marker, ""); }
  SECTION("foreign") { write_file(marker, "something else\n"); }
  SECTION("cut") { write_file(marker, file_text(marker).substr(0, 30)); }
  SECTION("with more behind it") { write_file(marker, file_text(marker) + "more\n"); }
  SECTION("format zero") { write_file(marker, "pfxengine store\nformat 0\nid 00\n"); }
  SECTION("of another store") {
    directory other;
    fill_tables(other);
    fs::copy_file(other.store() / "pfxengine-store", marker, fs::copy_options::overwrite_existing);
  }
  CHECK(refused(in).code == errc::corrupt);
}

TEST_CASE("a newer format is refused as newer, in the marker and in the database",
          "[storage][damage]") {
  directory in;
  fill_tables(in);
  SECTION("marker, whatever follows") {
    write_file(in.store() / "pfxengine-store", "pfxengine store\nformat 2\nnew things\n");
  }
  SECTION("database") { overwrite(in, keys::engine("format"), {0, 0, 0, 2}); }
  CHECK(refused(in).code == errc::store_newer);
}

TEST_CASE("a damaged or missing identity in the database is refused", "[storage][damage]") {
  directory in;
  fill_tables(in);
  SECTION("format zero") { overwrite(in, keys::engine("format"), {0, 0, 0, 0}); }
  SECTION("format cut") { overwrite(in, keys::engine("format"), {1}); }
  SECTION("id") { overwrite(in, keys::engine("id"), bytes(16, 0)); }
  CHECK(refused(in).code == errc::corrupt);
}

TEST_CASE("a newer record is refused as newer and stops all writes", "[storage][damage]") {
  directory in;
  fill_tables(in);
  overwrite(in, keys::record(key(3)), {2, 0, 0});
  const auto s = opened(in);
  CHECK(s->find_record(key(2)).value());
  CHECK(s->find_record(key(3)).error().code == errc::store_newer);
  CHECK(s->commit({put_meta{"a", octets("1")}}).error().code == errc::store_poisoned);
}

TEST_CASE("a flipped byte in a table never becomes a wrong or a missing record",
          "[storage][damage]") {
  directory in;
  fill_tables(in);
  const auto table = largest(in.database(), ".sst");
  auto text = file_text(table);
  const auto place = text.find(label(4));
  REQUIRE(place != std::string::npos);
  text[place] = static_cast<char>(text[place] ^ 1);
  write_file(table, text);
  const auto s = store::open(options(in.store()));
  if (s) {
    CHECK((*s)->find_record(key(4)).error().code == errc::corrupt);
    CHECK((*s)->commit({put_meta{"a", octets("1")}}).error().code == errc::store_poisoned);
  } else {
    CHECK(s.error().code == errc::corrupt);
  }
}

TEST_CASE("a start that ended while the store was being made is done again", "[storage][damage]") {
  directory in;
  fs::create_directory(in.store());
  fs::permissions(in.store(), fs::perms::owner_all);
  const auto id = std::string(32, 'a');
  const auto text = "pfxengine store\nformat 1\nid " + id + "\nstate incomplete\n";
  SECTION("after the marker") { write_file(in.store() / "pfxengine-store", text); }
  SECTION("after the database") {
    REQUIRE(opened(in));
    auto complete = file_text(in.store() / "pfxengine-store");
    const auto state = complete.find("complete\n");
    REQUIRE(state != std::string::npos);
    write_file(in.store() / "pfxengine-store", complete.insert(state, "in"));
  }
  SECTION("before the marker had its name") {
    write_file(in.store() / "pfxengine-store.new", "pfxeng");
  }
  auto s = opened(in);
  CHECK(s->store_id().size() == 16);
  REQUIRE(s->commit({put_meta{"a", octets("1")}}));
  s.reset();
  CHECK(opened(in)->meta("a").value() == octets("1"));
}
