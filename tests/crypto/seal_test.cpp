// Sealing: opens at its place, in its store, under its key; nowhere else.
#include "crypto/seal.hpp"

#include "core/codec.hpp"
#include "crypto/digest.hpp"
#include "crypto/openssl.hpp"
#include "crypto/random.hpp"
#include "crypto/seal_budget.hpp"
#include "tests/catch.hpp"
#include "tests/crypto/support.hpp"

#include <openssl/hmac.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <thread>

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

secret_bytes test_key(std::uint8_t first = 0) {
  secret_bytes out(32);
  for (std::size_t i = 0; i < 32; ++i)
    out.data()[i] = static_cast<std::uint8_t>(first + i);
  return out;
}

const bytes store_id = to_bytes(std::string_view("store-0123456789"));

sealer make_sealer(std::uint64_t epoch = 3, std::uint8_t first = 0) {
  auto out = sealer::make(test_key(first), store_id, epoch);
  REQUIRE(out);
  return std::move(*out);
}

bytes hmac(byte_view key, byte_view text) {
  bytes out(32);
  unsigned size = 0;
  REQUIRE(::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()), text.data(), text.size(),
                 out.data(), &size)
          != nullptr);
  return out;
}

} // namespace

TEST_CASE("what was sealed opens at its place", "[crypto][seal]") {
  const sealer s = make_sealer();
  const bytes key = to_bytes(std::string_view("record/1"));
  for (const std::size_t size : {0, 1, 100, 100'000}) {
    const bytes plaintext = random_bytes(size);
    const auto sealed = s.seal({7, key}, plaintext);
    REQUIRE(sealed);
    CHECK(sealed->size() == size + 45);
    const auto opened = s.open({7, key}, *sealed);
    REQUIRE(opened);
    CHECK(to_bytes(opened->view()) == plaintext);
  }
  CHECK(s.seal({7, key}, key).value() != s.seal({7, key}, key).value());
}

TEST_CASE("a sealed record is what an independent reader makes of the format", "[crypto][seal]") {
  const bytes key = to_bytes(std::string_view("k"));
  const bytes plaintext = to_bytes(std::string_view("the secret"));
  const auto sealed = make_sealer(9).seal({4, key}, plaintext);
  REQUIRE(sealed);
  // HKDF by hand (RFC 5869): extract with a zero salt, one block of expand.
  const secret_bytes master = test_key();
  const bytes prk = hmac(bytes(32, 0), master.view());
  bytes info = writer().text("pfxengine seal 1").blob(store_id).u64(9).u8(4).take();
  info.push_back(1);
  const bytes subkey = hmac(prk, info);
  const bytes associated = writer().blob(store_id).u8(4).blob(key).u8(1).take();
  const byte_view whole(*sealed);
  CHECK(whole[0] == 1);
  bytes domain = to_bytes(std::string_view("pfxengine master key id 1"));
  domain.insert(domain.end(), master.view().begin(), master.view().end());
  CHECK(to_bytes(whole.subspan(1, 8)) == to_bytes(byte_view(sha256(domain).octets).first(8)));
  CHECK(to_bytes(whole.subspan(9, 8)) == writer().u64(9).take());
  const cipher_context context(::EVP_CIPHER_CTX_new());
  REQUIRE(::EVP_DecryptInit_ex(context.get(), ::EVP_aes_256_gcm(), nullptr, subkey.data(),
                               whole.data() + 17)
          == 1);
  int size = 0;
  bytes out(plaintext.size());
  REQUIRE(::EVP_DecryptUpdate(context.get(), nullptr, &size, associated.data(),
                              static_cast<int>(associated.size()))
          == 1);
  REQUIRE(::EVP_DecryptUpdate(context.get(), out.data(), &size, whole.data() + 29,
                              static_cast<int>(plaintext.size()))
          == 1);
  bytes tag = to_bytes(whole.last(16));
  REQUIRE(::EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, 16, tag.data()) == 1);
  CHECK(::EVP_DecryptFinal_ex(context.get(), out.data(), &size) == 1);
  CHECK(out == plaintext);
}

TEST_CASE("two records cannot be exchanged", "[crypto][seal]") {
  const sealer s = make_sealer();
  const bytes one = to_bytes(std::string_view("one"));
  const bytes two = to_bytes(std::string_view("two"));
  const auto sealed_one = s.seal({1, one}, as_bytes("first"));
  const auto sealed_two = s.seal({1, two}, as_bytes("second"));
  REQUIRE(sealed_one);
  REQUIRE(sealed_two);
  CHECK(s.open({1, one}, *sealed_two).error().code == errc::corrupt);
  CHECK(s.open({1, two}, *sealed_one).error().code == errc::corrupt);
  CHECK(s.open({2, one}, *sealed_one).error().code == errc::corrupt);
  CHECK(s.open({1, {}}, *sealed_one).error().code == errc::corrupt);
  const auto other_store = sealer::make(test_key(), as_bytes("store-9876543210"), 3);
  REQUIRE(other_store);
  CHECK(other_store->open({1, one}, *sealed_one).error().code == errc::corrupt);
  CHECK(s.open({1, one}, *sealed_one));
}

TEST_CASE("a wrong master key is told from damage", "[crypto][seal]") {
  const bytes key = to_bytes(std::string_view("k"));
  const auto sealed = make_sealer(3, 0).seal({1, key}, as_bytes("x"));
  REQUIRE(sealed);
  CHECK(make_sealer(3, 1).open({1, key}, *sealed).error().code == errc::wrong_key);
  CHECK(make_sealer(3, 0).key_id() != make_sealer(3, 1).key_id());
  CHECK(make_sealer(3, 0).key_id() == make_sealer(4, 0).key_id());
  CHECK(make_sealer().key_id().size() == 8);
}

TEST_CASE("every flipped bit and every cut is noticed", "[crypto][seal]") {
  const sealer s = make_sealer();
  const bytes key = to_bytes(std::string_view("k"));
  const bytes good = s.seal({1, key}, as_bytes("some secret octets")).value();
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      bytes bad = good;
      bad[i] = static_cast<std::uint8_t>(bad[i] ^ 1U << bit);
      const auto out = s.open({1, key}, bad);
      REQUIRE_FALSE(out);
      CHECK(out.error().code == (i >= 1 && i < 9 ? errc::wrong_key : errc::corrupt));
    }
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK_FALSE(s.open({1, key}, byte_view(good).first(size)));
  }
  bytes longer = good;
  longer.push_back(0);
  CHECK_FALSE(s.open({1, key}, longer));
}

TEST_CASE("records of older epochs open, however many there were", "[crypto][seal]") {
  const bytes key = to_bytes(std::string_view("k"));
  std::vector<bytes> sealed;
  for (std::uint64_t epoch = 1; epoch <= 1100; ++epoch) {
    sealed.push_back(make_sealer(epoch).seal({1, key}, as_bytes("old")).value());
  }
  const sealer now_sealer = make_sealer(5000);
  for (int round = 0; round < 2; ++round) {
    for (const bytes& one : sealed)
      CHECK(now_sealer.open({1, key}, one));
  }
}

TEST_CASE("a subkey seals 2^32 times and then no more", "[crypto][seal]") {
  seal_budget fresh;
  CHECK(fresh.take());
  seal_budget nearly(seal_budget::seals_max - 2);
  CHECK(nearly.take());
  CHECK(nearly.take());
  CHECK_FALSE(nearly.take());
  CHECK_FALSE(nearly.take());
  seal_budget last(UINT64_MAX);
  CHECK_FALSE(last.take());
}

TEST_CASE("sealers are made of 32 octets and a store id", "[crypto][seal]") {
  for (const std::size_t size : {0, 16, 31, 33, 64}) {
    CHECK(sealer::make(random_secret(size), store_id, 1).error().field == "masterKey");
  }
  CHECK(sealer::make(test_key(), {}, 1).error().field == "storeId");
  CHECK(sealer::make(test_key(), bytes(65), 1).error().field == "storeId");
}

TEST_CASE("one sealer serves many threads", "[crypto][seal]") {
  const sealer s = make_sealer();
  std::array<std::size_t, 6> opened{};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < opened.size(); ++t) {
    threads.emplace_back([&s, &opened, t] {
      const bytes key = writer().u64(t).take();
      for (std::uint8_t i = 0; i < 100; ++i) {
        const auto sealed = s.seal({i, key}, key);
        if (sealed && s.open({i, key}, *sealed))
          ++opened[t];
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  for (const std::size_t count : opened)
    CHECK(count == 100);
}

TEST_CASE("a new master key file is private, read back and never overwritten", "[crypto][seal]") {
  const temporary_folder folder;
  const std::string path = folder.file("master.key");
  REQUIRE(write_new_master_key(path));
  struct stat about {};
  REQUIRE(::stat(path.c_str(), &about) == 0);
  CHECK((about.st_mode & 07777) == 0600);
  const auto key = read_master_key(path);
  REQUIRE(key);
  CHECK(key->size() == 32);
  CHECK(to_text(read_file(path)) == to_hex(key->view()) + "\n");
  CHECK_FALSE(write_new_master_key(path));
  CHECK(to_bytes(read_master_key(path)->view()) == to_bytes(key->view()));
  const auto nowhere = write_new_master_key(folder.file("no/such/folder"));
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().code == errc::io);
}

TEST_CASE("a master key that exists is written the same way", "[crypto][seal]") {
  const temporary_folder folder;
  const std::string path = folder.file("master.key");
  const secret_bytes key = test_key();
  REQUIRE(write_master_key(path, key));
  CHECK(to_text(read_file(path)) == to_hex(key.view()) + "\n");
  CHECK_FALSE(write_master_key(path, key));
  CHECK_FALSE(write_master_key(folder.file("short"), secret_bytes(bytes(31, 7))));
  CHECK_FALSE(std::filesystem::exists(folder.file("short")));
  std::size_t files = 0;
  for (const auto& each : std::filesystem::directory_iterator(folder.file("")))
    files += each.is_regular_file() ? 1 : 0;
  CHECK(files == 1); // no temporary file stays
}

TEST_CASE("master key files in both forms are read", "[crypto][seal]") {
  const temporary_folder folder;
  const std::string path = folder.file("k");
  const secret_bytes key = test_key();
  const auto reads = [&](const std::string& content) {
    write_file(path, content);
    REQUIRE(::chmod(path.c_str(), 0400) == 0);
    const auto out = read_master_key(path);
    INFO((out ? std::string() : to_string(out.error())));
    REQUIRE(out);
    CHECK(to_bytes(out->view()) == to_bytes(key.view()));
    REQUIRE(::unlink(path.c_str()) == 0);
  };
  std::string hex = to_hex(key.view());
  reads(hex);
  reads(hex + "\n");
  reads(hex + "\r\n");
  for (char& c : hex)
    c = static_cast<char>(std::toupper(c));
  reads(hex);
  reads(to_text(key.view()));
}

TEST_CASE("master key files that others could read or that hold no key are refused",
          "[crypto][seal]") {
  const temporary_folder folder;
  const std::string path = folder.file("k");
  const std::string hex = to_hex(test_key().view());
  const auto refused = [&](const std::string& content, ::mode_t mode) {
    write_file(path, content);
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    const auto out = read_master_key(path);
    INFO(content << " " << mode);
    REQUIRE_FALSE(out);
    CHECK(out.error().field == path);
    CHECK(out.error().message.find(hex) == std::string::npos);
    REQUIRE(::unlink(path.c_str()) == 0);
  };
  for (const ::mode_t mode : {0644U, 0604U, 0660U, 0620U, 0610U, 0601U, 0602U})
    refused(hex, mode);
  for (const std::string& bad :
       {std::string(), hex.substr(1), hex + "0", hex + " ", hex + "\n\n", hex + "\r\n ", " " + hex,
        "g" + hex.substr(1), std::string(31, 'x'), std::string(33, 'x'), std::string(64, '0'),
        std::string(32, '\0'), hex + hex}) {
    refused(bad, 0600);
  }
  CHECK(read_master_key(folder.file("missing")).error().code == errc::io);
  CHECK(read_master_key("/dev/null").error().field == "/dev/null");
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(read_master_key(path).error().code == errc::bad_input); // and does not wait for a writer
}

TEST_CASE("master key files of other users are refused", "[crypto][seal]") {
  if (::geteuid() != 0)
    return; // only root can make a file of somebody else's
  const temporary_folder folder;
  const std::string path = folder.file("k");
  REQUIRE(write_new_master_key(path));
  REQUIRE(::chmod(path.c_str(), 0440) == 0);
  CHECK(read_master_key(path)); // a credential of the service manager: root's, mask of an ACL
  REQUIRE(::chown(path.c_str(), 0, 12345) == 0);
  CHECK_FALSE(read_master_key(path)); // a real group can read it
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  CHECK(read_master_key(path));
  REQUIRE(::chown(path.c_str(), 12345, 12345) == 0);
  CHECK_FALSE(read_master_key(path));
}
