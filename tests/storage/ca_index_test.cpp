// The index of the embedded CA: serials, revocations and the numbers of revocation lists, across
// kills and older formats.
#include <map>
#include <set>
#include <thread>

#include <rocksdb/db.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/codec.hpp"
#include "storage/ca_index.hpp"
#include "tests/storage/scratch.hpp"

using namespace pfx;
using namespace pfx::storage;

namespace {

class index_folder {
public:
  [[nodiscard]] std::string path() const { return (folder_.root() / "ca").string(); }
  [[nodiscard]] std::unique_ptr<ca_index> open() const {
    auto made = ca_index::open(path());
    INFO((made ? std::string() : to_string(made.error())));
    REQUIRE(made);
    return std::move(*made);
  }

private:
  scratch::directory folder_{scratch::in_memory()};
};

digest id_of(std::uint8_t octet) {
  digest out;
  out.octets.fill(octet);
  return out;
}

ca_entry issued_entry(const std::string& serial) {
  ca_entry out;
  out.state = ca_state::issued;
  out.certificate = {1, 2, 3};
  out.serial = serial;
  return out;
}

std::map<std::string, ca_revocation> revoked_in(const ca_index& index) {
  std::map<std::string, ca_revocation> out;
  REQUIRE(index.walk_revoked([&](const std::string& serial, const ca_revocation& one) {
    out[serial] = one;
    return true;
  }));
  return out;
}

} // namespace

TEST_CASE("a serial leads to its transaction id, and only an issued one does", "[storage][ca]") {
  const index_folder folder;
  {
    const auto index = folder.open();
    REQUIRE(index->put(id_of(1), issued_entry("0a")));
    auto pending = issued_entry("0b");
    pending.state = ca_state::pending;
    REQUIRE(index->put(id_of(2), pending));
  }
  const auto index = folder.open();
  CHECK(**index->issued("0a") == id_of(1));
  CHECK_FALSE(index->issued("0b")->has_value());
  CHECK_FALSE(index->issued("")->has_value());
  CHECK_FALSE(index->issued("0a0")->has_value());
}

TEST_CASE("a revocation is remembered whole", "[storage][ca]") {
  const index_folder folder;
  {
    const auto index = folder.open();
    REQUIRE(index->put("0a", ca_revocation{4, 1'000, true, 2'000, 3'000, 17}));
  }
  const auto index = folder.open();
  const auto read = index->revocation("0a");
  REQUIRE(read);
  REQUIRE(*read);
  CHECK((*read)->reason == 4);
  CHECK((*read)->revoked_at == 1'000);
  CHECK((*read)->journaled);
  CHECK((*read)->noted_at == 2'000);
  CHECK((*read)->certificate_ends == 3'000);
  CHECK((*read)->crl_number == 17);
  CHECK_FALSE(index->revocation("0b")->has_value());
}

TEST_CASE("a walk meets every revocation once and nothing else", "[storage][ca]") {
  const index_folder folder;
  const auto index = folder.open();
  CHECK(revoked_in(*index).empty());
  REQUIRE(index->put(id_of(1), issued_entry("01")));
  REQUIRE(index->take_crl_number());
  for (const auto* serial : {"01", "ff", "0a"}) {
    REQUIRE(index->put(serial, ca_revocation{1, 7, false, 8, 9, 2}));
  }
  REQUIRE(index->note("0a", ca_revocation{1, 7, true, 8, 9, 2}));
  const auto all = revoked_in(*index);
  REQUIRE(all.size() == 3);
  CHECK(all.at("0a").journaled);
  CHECK_FALSE(all.at("ff").journaled);
  int visits = 0;
  CHECK(index->walk_revoked([&](const std::string&, const ca_revocation&) {
    ++visits;
    return false;
  }));
  CHECK(visits == 1);
}

TEST_CASE("CRL numbers grow, also over a close and between threads", "[storage][ca]") {
  const index_folder folder;
  std::set<std::uint64_t> seen;
  {
    const auto index = folder.open();
    CHECK(*index->last_crl_number() == 0);
    std::mutex mutex;
    std::vector<std::thread> threads;
    for (int n = 0; n < 4; ++n) {
      threads.emplace_back([&] {
        for (int turn = 0; turn < 8; ++turn) {
          const auto number = index->take_crl_number();
          const std::scoped_lock lock(mutex);
          seen.insert(number.value_or(0));
        }
      });
    }
    for (auto& one : threads) {
      one.join();
    }
  }
  CHECK(seen.size() == 32);
  CHECK(*seen.begin() == 1);
  CHECK(*seen.rbegin() == 32);
  const auto index = folder.open();
  CHECK(*index->last_crl_number() == 32);
  CHECK(*index->take_crl_number() == 33);
}

TEST_CASE("a number that was given and a revocation that was put survive a kill",
          "[storage][ca][crash]") {
  const index_folder folder;
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto index = ca_index::open(folder.path());
    const bool good = index && (*index)->take_crl_number() && (*index)->take_crl_number()
      && (*index)->put("0a", ca_revocation{1, 7, false, 8, 9, 3});
    ::_exit(good ? 7 : 1); // nothing is closed
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 7);
  const auto index = folder.open();
  CHECK(*index->last_crl_number() == 2);
  CHECK(revoked_in(*index).contains("0a"));
}

TEST_CASE("an index of the first format is read and marked as of the second", "[storage][ca]") {
  const index_folder folder;
  { const auto made = folder.open(); }
  {
    rocksdb::DB* raw = nullptr;
    REQUIRE(rocksdb::DB::Open(rocksdb::Options(), folder.path(), &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    writer old;
    old.u8(1).u8(4).i64(1'000).flag(true);
    REQUIRE(db->Put({}, "r0a", to_text(old.view())).ok());
    REQUIRE(db->Put({}, "m:format", std::string(1, 1)).ok());
  }
  {
    const auto index = folder.open();
    const auto all = revoked_in(*index);
    REQUIRE(all.contains("0a"));
    CHECK(all.at("0a").reason == 4);
    CHECK(all.at("0a").revoked_at == 1'000);
    CHECK(all.at("0a").crl_number == 0);
  }
  rocksdb::DB* raw = nullptr;
  REQUIRE(rocksdb::DB::OpenForReadOnly(rocksdb::Options(), folder.path(), &raw).ok());
  const std::unique_ptr<rocksdb::DB> db(raw);
  std::string format;
  REQUIRE(db->Get({}, "m:format", &format).ok());
  CHECK(format == std::string(1, 2)); // a program that knows format 1 alone refuses it now
}

TEST_CASE("what does not decode is damage, never an empty list", "[storage][ca]") {
  const index_folder folder;
  { const auto made = folder.open(); }
  const auto spoil = [&](const std::string& key, const std::string& value) {
    rocksdb::DB* raw = nullptr;
    REQUIRE(rocksdb::DB::Open(rocksdb::Options(), folder.path(), &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    REQUIRE(db->Put({}, key, value).ok());
  };
  const auto walk_fault = [&] {
    const auto index = folder.open();
    const auto walked
      = index->walk_revoked([](const std::string&, const ca_revocation&) { return true; });
    return walked ? errc::none : walked.error().code;
  };
  SECTION("a revocation that is cut") { spoil("r0a", std::string(1, 2)); }
  SECTION("a revocation with more behind it") { spoil("r0a", std::string(60, 1)); }
  SECTION("a CRL number of three octets") {
    spoil("m:crl-number", "abc");
    {
      const auto index = folder.open();
      CHECK(index->last_crl_number().error().code == errc::corrupt);
      CHECK(index->take_crl_number().error().code == errc::corrupt);
    }
    spoil("r0a", ""); // for the check below
  }
  SECTION("a format of the future") {
    spoil("m:format", std::string(1, 3));
    const auto opened = ca_index::open(folder.path());
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == errc::store_newer);
    spoil("m:format", std::string(1, 2));
    spoil("r0a", "");
  }
  CHECK(walk_fault() == errc::corrupt);
}
