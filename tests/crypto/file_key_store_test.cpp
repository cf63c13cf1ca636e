// Connector keys in a folder: made, found by others, used, given away or not, removed.
#include "crypto/file_key_store.hpp"

#include "tests/crypto/key_rooms.hpp"

#include <atomic>
#include <thread>

#include "crypto/random.hpp"

namespace pfx::crypto {

using namespace test_keys;

TEST_CASE("a key that was made decrypts, and tells what may be known of it", "[crypto][keys]") {
  const temporary_folder folder;
  const auto store = open_store(folder);
  CHECK(store->list()->keys.empty());
  CHECK_FALSE(fs::exists(folder.file("keys")));

  const auto before = system_clock().wall();
  const auto made = store->create(named("mail"), key_algorithm::rsa2048);
  REQUIRE(made);
  CHECK(made->provider == "pfxengine");
  CHECK(made->name == "mail");
  CHECK(made->bits == 2048);
  CHECK(
    made->paddings
    == std::vector{rsa_padding::oaep_sha256, rsa_padding::oaep_sha384, rsa_padding::oaep_sha512});
  CHECK_FALSE(made->exportable);
  CHECK(made->created_at >= before);

  const auto found = store->find("pfxengine", "mail");
  REQUIRE(found);
  CHECK(found->public_key == made->public_key);
  const auto opened = store->decrypt("pfxengine", "mail", rsa_padding::oaep_sha512,
                                     closed_to(*made, rsa_padding::oaep_sha512, "secret"));
  REQUIRE(opened);
  CHECK(opened->opened);
  CHECK(opened->octets.text() == "secret");
  CHECK(mode_of(folder.file("keys")) == 0700);
  CHECK(mode_of(only_file(folder)) == 0600);
}

TEST_CASE("nothing of a key stands readable in its file", "[crypto][keys]") {
  const temporary_folder folder;
  add(*open_store(folder), named("a-telling-name", "a-telling-provider"));
  const auto octets = to_text(test::read_file(only_file(folder)));
  CHECK(octets.find("telling") == std::string::npos);
  CHECK(only_file(folder).string().find("telling") == std::string::npos);
  const auto& key = shared_key(key_algorithm::rsa2048);
  const auto pkcs8 = key.to_pkcs8();
  CHECK(octets.find(to_text(pkcs8->view().subspan(300, 32))) == std::string::npos);
  CHECK(octets.find(to_text(byte_view(*key.public_key()).subspan(100, 32))) == std::string::npos);
}

TEST_CASE("keys that another process adds and removes are seen at once", "[crypto][keys]") {
  const temporary_folder folder;
  const auto ours = open_store(folder);
  const auto theirs = open_store(folder);
  const auto key = add(*theirs, named("mail"));
  CHECK(ours->list()->keys.size() == 1);
  const auto ciphertext = closed_to(key, rsa_padding::oaep_sha256, "secret");
  const auto use
    = [&] { return ours->decrypt("pfxengine", "mail", rsa_padding::oaep_sha256, ciphertext); };
  REQUIRE(use());
  REQUIRE(theirs->remove("pfxengine", "mail"));
  CHECK(code_of(use()) == errc::not_found);
  CHECK(use().error().field == "keyName");
  CHECK(code_of(ours->find("pfxengine", "mail")) == errc::not_found);
  CHECK(ours->list()->keys.empty());
  // Another key under the same name: the one in memory must not be used for it.
  add(*theirs, named("mail"), key_algorithm::rsa3072);
  const auto after = use();
  REQUIRE(after);
  CHECK_FALSE(after->opened);
}

TEST_CASE("keys are listed by provider and name, octet by octet", "[crypto][keys]") {
  const temporary_folder folder;
  const auto store = open_store(folder);
  for (const auto& [provider, name] :
       {std::pair{"b", "1"}, std::pair{"a", "2"}, std::pair{"a", "10"}, std::pair{"A", "2"}})
    add(*store, named(name, provider));
  std::string order;
  const auto listed = store->list();
  REQUIRE(listed);
  for (const auto& each : listed->keys)
    order += each.provider + "/" + each.name + " ";
  CHECK(order == "A/2 a/10 a/2 b/1 ");
  // The pair counts, not the text that both make together.
  add(*store, named("b1", "x"));
  CHECK(code_of(store->find("xb", "1")) == errc::not_found);
  CHECK(code_of(store->find("x", "B1")) == errc::not_found);
}

TEST_CASE("a name is given once", "[crypto][keys]") {
  const temporary_folder folder;
  const auto store = open_store(folder);
  const auto first = add(*store, named("mail"));
  const auto again = store->import(named("mail"), shared_key(key_algorithm::rsa3072));
  REQUIRE_FALSE(again);
  CHECK(again.error().code == errc::conflict);
  CHECK(again.error().field == "keyName");
  CHECK(code_of(store->create(named("mail"), key_algorithm::rsa2048)) == errc::conflict);
  CHECK(store->find("pfxengine", "mail")->public_key == first.public_key);
  CHECK(only_file(folder).extension() == ".key");
}

TEST_CASE("two processes that give the same name make one key", "[crypto][keys]") {
  const temporary_folder folder;
  std::vector<std::thread> threads;
  std::atomic<int> made = 0, conflicts = 0;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      auto store = file_key_store::open(folder.file("keys"), secret_bytes(master));
      const auto done = (*store)->import(
        named("mail"), shared_key(i % 2 == 0 ? key_algorithm::rsa2048 : key_algorithm::rsa3072));
      made += done ? 1 : 0;
      conflicts += code_of(done) == errc::conflict ? 1 : 0;
    });
  for (auto& each : threads)
    each.join();
  CHECK(made == 1);
  CHECK(conflicts == 7);
  CHECK(open_store(folder)->list()->keys.size() == 1);
}

TEST_CASE("words that are no names are refused, and found by nobody", "[crypto][keys]") {
  const temporary_folder folder;
  const auto store = open_store(folder);
  const std::string longest(limits_of_keys::name_octets_max, 'n');
  add(*store, named(longest, longest));
  for (const std::string& bad :
       {std::string(), longest + "n", std::string("a\nb"), std::string("a\0b", 3),
        std::string("\xff"), std::string("\x1b[31m")}) {
    const auto name = store->import(named(bad), shared_key(key_algorithm::rsa2048));
    CHECK(code_of(name) == errc::bad_input);
    CHECK(name.error().field == "keyName");
    const auto provider = store->create(named("n", bad), key_algorithm::rsa2048);
    CHECK(code_of(provider) == errc::bad_input);
    CHECK(provider.error().field == "providerName");
    CHECK(code_of(store->find("pfxengine", bad)) == errc::not_found);
    CHECK(code_of(store->find(bad, "n")) == errc::not_found);
    CHECK(code_of(store->decrypt("pfxengine", bad, rsa_padding::oaep_sha256, {}))
          == errc::not_found);
    CHECK(code_of(store->remove("pfxengine", bad)) == errc::not_found);
  }
  // What looks like a path is a name like any other.
  for (const auto* name : {"../../etc/passwd", "a/b", "..", "/"})
    add(*store, named(name));
  CHECK(store->list()->keys.size() == 5);
}

TEST_CASE("only the paddings that were allowed are used", "[crypto][keys]") {
  const temporary_folder folder;
  const auto store = open_store(folder);
  auto what = named("mail");
  what.paddings = {rsa_padding::oaep_sha512, rsa_padding::pkcs1, rsa_padding::pkcs1};
  const auto key = add(*store, what);
  CHECK(key.paddings == std::vector{rsa_padding::pkcs1, rsa_padding::oaep_sha512});
  for (const auto padding : {rsa_padding::pkcs1, rsa_padding::oaep_sha512})
    CHECK(store->decrypt("pfxengine", "mail", padding, closed_to(key, padding, "s"))->opened);
  for (const auto padding : {rsa_padding::oaep_sha256, rsa_padding::oaep_sha384}) {
    const auto refused = store->decrypt("pfxengine", "mail", padding, closed_to(key, padding, "s"));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::policy);
    CHECK(refused.error().field == "paddingScheme");
  }
  what = named("other");
  what.paddings = {static_cast<rsa_padding>(17)};
  CHECK(code_of(store->import(what, shared_key(key_algorithm::rsa2048))) == errc::bad_input);
}

TEST_CASE("a bad ciphertext is no error of the store", "[crypto][keys]") {
  const temporary_folder folder;
  const auto store = open_store(folder);
  add(*store, named("mail"));
  for (const auto size : {0UL, 1UL, 255UL, 256UL, 257UL}) {
    const auto answer
      = store->decrypt("pfxengine", "mail", rsa_padding::oaep_sha256, random_bytes(size));
    REQUIRE(answer);
    CHECK_FALSE(answer->opened);
    CHECK(answer->octets.size() == 32);
  }
}

TEST_CASE("only sound RSA keys of 2048 bits and more become connector keys", "[crypto][keys]") {
  const temporary_folder folder;
  const auto store = open_store(folder);
  CHECK(code_of(store->import(named("ec"), shared_key(key_algorithm::ec_p256))) == errc::bad_input);
  CHECK(code_of(store->create(named("ec"), key_algorithm::ec_p256)) == errc::bad_input);
  REQUIRE(test::openssl({"genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out",
                         folder.file("small.pem")})
            .status
          == 0);
  const auto small = private_key::from_pem(to_text(test::read_file(folder.file("small.pem"))));
  REQUIRE(small);
  CHECK(code_of(store->import(named("small"), *small)) == errc::bad_input);
  // A key of three primes: its third one would be lost, and with it the key.
  if (test::openssl({"genrsa", "-primes", "3", "-out", folder.file("three.pem"), "2048"}).status
      == 0) {
    const auto three = private_key::from_pem(to_text(test::read_file(folder.file("three.pem"))));
    if (three)
      CHECK(code_of(store->import(named("three"), *three)) == errc::bad_input);
  }
  CHECK(store->list()->keys.empty());
}

TEST_CASE("a key leaves only if it was made for it", "[crypto][keys]") {
  const temporary_folder folder;
  const auto store = open_store(folder);
  add(*store, named("stays"));
  auto what = named("leaves");
  what.exportable = true;
  add(*store, what);
  const auto refused = store->export_key("pfxengine", "stays");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::policy);
  const auto given = store->export_key("pfxengine", "leaves");
  REQUIRE(given);
  CHECK(given->public_key_hash() == shared_key(key_algorithm::rsa2048).public_key_hash());
  CHECK(code_of(store->export_key("pfxengine", "nobody")) == errc::not_found);
}

TEST_CASE("no more keys are taken than the service takes", "[crypto][keys]") {
  const temporary_folder folder;
  const auto store = open_store(folder);
  for (std::size_t i = 0; i < limits_of_keys::keys_max; ++i)
    add(*store, named("key " + std::to_string(i)));
  const auto more = store->import(named("one more"), shared_key(key_algorithm::rsa2048));
  REQUIRE_FALSE(more);
  CHECK(more.error().code == errc::too_large);
  CHECK(code_of(store->import(named("key 7"), shared_key(key_algorithm::rsa2048)))
        == errc::conflict);
  CHECK(store->list()->keys.size() == limits_of_keys::keys_max);
  REQUIRE(store->remove("pfxengine", "key 7"));
  add(*store, named("one more"));
}

} // namespace pfx::crypto
