// Connector keys and every way in which their folder, files and master key can be wrong or change.
#include "crypto/file_key_store.hpp"

#include "tests/crypto/key_rooms.hpp"

#include <atomic>
#include <thread>

namespace pfx::crypto {

using namespace test_keys;

TEST_CASE("a folder or a file that others can reach is not used", "[crypto][keys]") {
  const temporary_folder folder;
  const auto store = open_store(folder);
  const auto key = add(*store, named("mail"));
  const auto file = only_file(folder);
  const auto use = [&] {
    return store->decrypt("pfxengine", "mail", rsa_padding::oaep_sha256,
                          closed_to(key, rsa_padding::oaep_sha256, "s"));
  };
  REQUIRE(use());
  for (const auto mode : {0640, 0604, 0660, 0610}) {
    fs::permissions(file, static_cast<fs::perms>(mode));
    CHECK(code_of(use()) == errc::io); // in spite of the copy in memory
    CHECK(fault_of(store->list()) == errc::io);
    CHECK(code_of(store->find("pfxengine", "mail")) == errc::io);
  }
  fs::permissions(file, static_cast<fs::perms>(0600));
  REQUIRE(use());
  for (const auto mode : {0750, 0701, 0770}) {
    fs::permissions(folder.file("keys"), static_cast<fs::perms>(mode));
    CHECK(code_of(use()) == errc::io);
    CHECK(fault_of(store->list()) == errc::io);
    CHECK(code_of(store->import(named("x"), shared_key(key_algorithm::rsa2048))) == errc::io);
    CHECK(code_of(store->remove("pfxengine", "mail")) == errc::io);
    CHECK_FALSE(file_key_store::open(folder.file("keys"), secret_bytes(master)));
  }
  fs::permissions(folder.file("keys"), static_cast<fs::perms>(0700));
  REQUIRE(use());
}

TEST_CASE("a folder or a file of another user is not used", "[crypto][keys]") {
  if (::geteuid() != 0) {
    SUCCEED("only root can give files away");
    return;
  }
  const temporary_folder folder;
  const auto store = open_store(folder);
  add(*store, named("mail"));
  REQUIRE(::chown(only_file(folder).c_str(), 12345, 12345) == 0);
  CHECK(code_of(store->find("pfxengine", "mail")) == errc::io);
  REQUIRE(::chown(only_file(folder).c_str(), 0, 0) == 0);
  REQUIRE(store->find("pfxengine", "mail"));
  REQUIRE(::chown(folder.file("keys").c_str(), 12345, 12345) == 0);
  CHECK(fault_of(store->list()) == errc::io);
}

TEST_CASE("links and foreign files are never opened as keys", "[crypto][keys]") {
  const temporary_folder folder;
  const auto store = open_store(folder);
  add(*store, named("mail"));
  const auto file = only_file(folder);
  for (const auto* name : {"README", "key.key", ".hidden", "0000.key.bak"})
    test::write_file(folder.file(std::string("keys/") + name), std::string_view("not a key"));
  fs::create_directory(folder.file("keys/folder"));
  CHECK(store->list()->keys.size() == 1);
  fs::rename(file, folder.file("elsewhere"));
  fs::create_symlink(folder.file("elsewhere"), file);
  CHECK(code_of(store->find("pfxengine", "mail")) == errc::io);
  CHECK(fault_of(store->list()) == errc::io);
  fs::remove(file);
  fs::create_directory(file);
  fs::permissions(file, static_cast<fs::perms>(0700));
  CHECK(code_of(store->find("pfxengine", "mail")) == errc::io);
}

TEST_CASE("a file that was changed is corrupt, wherever it was changed", "[crypto][keys]") {
  const temporary_folder folder;
  const auto store = open_store(folder);
  add(*store, named("mail"));
  const auto file = only_file(folder);
  const auto good = test::read_file(file);
  for (std::size_t at = 0; at < good.size(); at += 13) {
    auto bad = good;
    bad[at] ^= 1;
    test::write_file(file, bad);
    const auto found = store->find("pfxengine", "mail");
    REQUIRE_FALSE(found);
    const bool in_key_id = at >= 1 && at < 9;
    CHECK(found.error().code == (in_key_id ? errc::wrong_key : errc::corrupt));
    CHECK(found.error().field == file.string());
  }
  for (const auto size : {0UL, 1UL, 20UL, good.size() - 1}) {
    test::write_file(file, byte_view(good).first(size));
    CHECK(code_of(store->find("pfxengine", "mail")) == errc::corrupt);
  }
  test::write_file(file, bytes(100'000, 7));
  CHECK(code_of(store->find("pfxengine", "mail")) == errc::corrupt);
  test::write_file(file, good);
  CHECK(store->find("pfxengine", "mail"));
}

TEST_CASE("a damaged file hides no other key", "[crypto][keys]") {
  const temporary_folder folder;
  const auto store = open_store(folder);
  add(*store, named("a"));
  const auto file = only_file(folder);
  add(*store, named("b"));
  add(*open_store(folder, other_master), named("c"));
  const auto good = test::read_file(file);
  for (const auto size : {0UL, 20UL, good.size() - 1}) {
    test::write_file(file, byte_view(good).first(size));
    const auto all = store->list();
    REQUIRE(all);
    REQUIRE(all->keys.size() == 1);
    CHECK(all->keys[0].name == "b");
    REQUIRE(all->faults.size() == 2);
    const bool first = all->faults[0].field == file.string();
    CHECK(all->faults[first ? 0 : 1].field == file.string());
    CHECK(all->faults[first ? 0 : 1].code == errc::corrupt);
    CHECK(all->faults[first ? 1 : 0].code == errc::wrong_key);
  }
  test::write_file(file, good);
  CHECK(store->list()->keys.size() == 2);
  CHECK(store->list()->faults.size() == 1);
}

TEST_CASE("a file under another key's name does not open", "[crypto][keys]") {
  const temporary_folder folder;
  const auto store = open_store(folder);
  add(*store, named("one"));
  const auto first = only_file(folder);
  add(*store, named("two"));
  fs::path second;
  for (const auto& each : fs::directory_iterator(folder.file("keys")))
    if (each.path() != first)
      second = each.path();
  fs::copy_file(first, second, fs::copy_options::overwrite_existing);
  CHECK(store->find("pfxengine", "one"));
  CHECK(code_of(store->find("pfxengine", "two")) == errc::corrupt);
}

TEST_CASE("another master key opens no key", "[crypto][keys]") {
  const temporary_folder folder;
  add(*open_store(folder), named("mail"));
  const auto store = open_store(folder, other_master);
  CHECK(code_of(store->find("pfxengine", "mail")) == errc::wrong_key);
  CHECK(fault_of(store->list()) == errc::wrong_key);
  CHECK(code_of(store->decrypt("pfxengine", "mail", rsa_padding::oaep_sha256, bytes(256, 1)))
        == errc::wrong_key);
  CHECK_FALSE(file_key_store::open(folder.file("keys"), secret_bytes(bytes(31, 1))));
  CHECK_FALSE(file_key_store::open("", secret_bytes(master)));
}

TEST_CASE("sealed again, keys open with the new master key and not with the old",
          "[crypto][keys]") {
  const temporary_folder folder;
  const auto store = open_store(folder);
  for (int i = 0; i < 5; ++i)
    add(*store, named("key " + std::to_string(i)));
  const auto before = *store->find("pfxengine", "key 3");
  CHECK(store->reseal(secret_bytes(other_master)) == std::size_t{5});
  CHECK(store->list()->keys.size() == 5); // this very store goes on with the new one
  CHECK(fault_of(open_store(folder)->list()) == errc::wrong_key);
  const auto after = open_store(folder, other_master)->find("pfxengine", "key 3");
  REQUIRE(after);
  CHECK(after->public_key == before.public_key);
  CHECK(after->created_at == before.created_at);
  CHECK(mode_of(fs::directory_iterator(folder.file("keys"))->path()) == 0600);
}

TEST_CASE("a sealing again that was interrupted is finished by a repeat", "[crypto][keys]") {
  const temporary_folder folder;
  for (int i = 0; i < 3; ++i)
    add(*open_store(folder), named("old " + std::to_string(i)));
  // Two are done already, and a temporary file of a third lies about.
  for (int i = 0; i < 2; ++i)
    add(*open_store(folder, other_master), named("new " + std::to_string(i)));
  const auto some = fs::directory_iterator(folder.file("keys"))->path();
  fs::copy_file(some, some.string() + ".0123456789abcdef");
  CHECK(fault_of(open_store(folder)->list()) == errc::wrong_key);
  CHECK(open_store(folder)->reseal(secret_bytes(other_master)) == std::size_t{3});
  CHECK(open_store(folder, other_master)->list()->keys.size() == 5);
  CHECK_FALSE(fs::exists(some.string() + ".0123456789abcdef"));
  CHECK(open_store(folder)->reseal(secret_bytes(other_master)) == std::size_t{0});
  // A third master key opens none of them, so none is sealed under a fourth.
  const bytes third = test::unhex(std::string(62, '7') + "00");
  CHECK(
    code_of(open_store(folder, third)->reseal(secret_bytes(bytes(third.rbegin(), third.rend()))))
    == errc::wrong_key);
  CHECK(open_store(folder, other_master)->list()->keys.size() == 5);
}

TEST_CASE("there is nothing to seal again where no key was made", "[crypto][keys]") {
  const temporary_folder folder;
  CHECK(open_store(folder)->reseal(secret_bytes(other_master)) == std::size_t{0});
  CHECK_FALSE(fs::exists(folder.file("keys")));
  CHECK_FALSE(open_store(folder)->reseal(secret_bytes(bytes(16, 1))));
}

TEST_CASE("many threads decrypt with keys that come and go", "[crypto][keys]") {
  const temporary_folder folder;
  const auto store = open_store(folder);
  const auto kept = add(*store, named("kept"));
  const auto ciphertext = closed_to(kept, rsa_padding::oaep_sha256, "s");
  std::atomic<int> opened = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j) {
        const auto answer
          = store->decrypt("pfxengine", "kept", rsa_padding::oaep_sha256, ciphertext);
        opened += answer && answer->opened ? 1 : 0;
      }
    });
  for (int i = 0; i < 20; ++i) {
    add(*store, named("passing"));
    CHECK(fault_of(store->list()) == errc::none);
    REQUIRE(store->remove("pfxengine", "passing"));
  }
  for (auto& each : threads)
    each.join();
  CHECK(opened == 80);
}

} // namespace pfx::crypto
