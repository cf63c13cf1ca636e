// Keys in the form of Windows CNG: bit-exact both ways, checked with blobs that Python wrote, and
// hostile ones.
#include "crypto/rsa_blob.hpp"

#include "tests/catch.hpp"

#include <algorithm>
#include <functional>

#include <nlohmann/json.hpp>

#include "crypto/rsa_decrypt.hpp"
#include "tests/crypto/support.hpp"

namespace pfx::crypto {
namespace {

using test::shared_key;

bytes python_blob(const std::string& name) {
  return test::read_file(test::data_file("rsa-blob/" + name));
}

private_key wycheproof_key() {
  const auto octets
    = test::read_file(test::data_file("rsa-oaep/rsa_oaep_2048_sha256_mgf1sha256_test.json"));
  const auto whole = nlohmann::json::parse(octets.begin(), octets.end());
  auto key = private_key::from_pkcs8(
    test::unhex(whole.at("testGroups").at(0).at("privateKeyPkcs8").get<std::string>()));
  REQUIRE(key);
  return std::move(*key);
}

void put(bytes& blob, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i, value >>= 8)
    blob[at + i] = static_cast<std::uint8_t>(value & 0xff);
}

constexpr std::size_t magic_at = 0, bits_at = 4, exponent_at = 8, modulus_at = 12, prime1_at = 16,
                      prime2_at = 20, numbers_at = 24;
constexpr std::uint32_t huge[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffffd, 0xffffffff};

} // namespace

TEST_CASE("a blob is octet for octet what another program writes for the same key",
          "[crypto][rsa_blob]") {
  const auto key = wycheproof_key();
  const auto public_blob = to_rsa_public_blob(*key.public_key());
  REQUIRE(public_blob);
  CHECK(*public_blob == python_blob("public.blob"));
  const auto private_blob = to_rsa_full_private_blob(key);
  REQUIRE(private_blob);
  CHECK(to_bytes(private_blob->view()) == python_blob("private.blob"));

  CHECK(from_rsa_public_blob(python_blob("public.blob")) == *key.public_key());
  const auto back = from_rsa_full_private_blob(python_blob("private.blob"));
  REQUIRE(back);
  CHECK(back->public_key_hash() == key.public_key_hash());
  CHECK(to_bytes(back->to_pkcs8()->view()) == to_bytes(key.to_pkcs8()->view()));
}

TEST_CASE("keys of every size go through a blob and back", "[crypto][rsa_blob]") {
  for (const auto algorithm :
       {key_algorithm::rsa2048, key_algorithm::rsa3072, key_algorithm::rsa4096}) {
    const auto& key = shared_key(algorithm);
    const auto blob = to_rsa_full_private_blob(key);
    REQUIRE(blob);
    const auto back = from_rsa_full_private_blob(blob->view());
    REQUIRE(back);
    CHECK(to_bytes(back->to_pkcs8()->view()) == to_bytes(key.to_pkcs8()->view()));
    const auto public_blob = to_rsa_public_blob(*key.public_key());
    REQUIRE(public_blob);
    CHECK(from_rsa_public_blob(*public_blob) == *key.public_key());
    const auto ciphertext
      = rsa_encrypt(*from_rsa_public_blob(*public_blob), rsa_padding::oaep_sha512, as_bytes("p"));
    CHECK(rsa_decrypt(*back, rsa_padding::oaep_sha512, *ciphertext)->opened);
  }
}

TEST_CASE("a key with other exponents and uneven primes goes through a blob too",
          "[crypto][rsa_blob]") {
  const test::temporary_folder folder;
  for (const auto* exponent : {"3", "17", "4294967297"}) {
    REQUIRE(
      test::openssl({"genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2049", "-pkeyopt",
                     std::string("rsa_keygen_pubexp:") + exponent, "-out", folder.file("key.pem")})
        .status
      == 0);
    const auto key = private_key::from_pem(to_text(test::read_file(folder.file("key.pem"))));
    REQUIRE(key);
    const auto blob = to_rsa_full_private_blob(*key);
    REQUIRE(blob);
    const auto back = from_rsa_full_private_blob(blob->view());
    REQUIRE(back);
    CHECK(back->public_key_hash() == key->public_key_hash());
    CHECK(from_rsa_public_blob(*to_rsa_public_blob(*key->public_key())) == *key->public_key());
  }
}

TEST_CASE("only RSA keys become blobs", "[crypto][rsa_blob]") {
  const auto ec = private_key::generate(key_algorithm::ec_p256);
  REQUIRE(ec);
  CHECK(to_rsa_full_private_blob(*ec).error().code == errc::bad_input);
  CHECK(to_rsa_public_blob(*ec->public_key()).error().code == errc::bad_input);
  CHECK_FALSE(to_rsa_public_blob({}));
  auto trailing = *shared_key(key_algorithm::rsa2048).public_key();
  trailing.push_back(0);
  CHECK_FALSE(to_rsa_public_blob(trailing));
}

TEST_CASE("no length of a hostile blob is believed", "[crypto][rsa_blob]") {
  const auto public_blob = python_blob("public.blob");
  const auto private_blob = python_blob("private.blob");
  for (std::size_t size = 0; size < public_blob.size(); ++size)
    REQUIRE_FALSE(from_rsa_public_blob(byte_view(public_blob).first(size)));
  for (std::size_t size = 0; size < private_blob.size(); size += 7)
    REQUIRE_FALSE(from_rsa_full_private_blob(byte_view(private_blob).first(size)));
  for (const auto at : {magic_at, bits_at, exponent_at, modulus_at, prime1_at, prime2_at}) {
    for (const auto value : huge) {
      INFO("word at " << at << " is " << value);
      auto changed = public_blob;
      put(changed, at, value);
      CHECK((changed == public_blob || !from_rsa_public_blob(changed)));
      changed = private_blob;
      put(changed, at, value);
      CHECK_FALSE(from_rsa_full_private_blob(changed));
    }
  }
  // Lengths whose sum, 3 times the one and twice the other, is right again in 32 bits.
  auto wrapped = private_blob;
  put(wrapped, prime1_at, 128 + 2);
  put(wrapped, prime2_at, 128U + 0x7ffffffdU);
  CHECK_FALSE(from_rsa_full_private_blob(wrapped));
  // One octet from one prime to the other.
  wrapped = private_blob;
  put(wrapped, prime1_at, 130);
  put(wrapped, prime2_at, 125);
  CHECK_FALSE(from_rsa_full_private_blob(wrapped));
}

TEST_CASE("a blob with another magic, or with octets behind it, is none", "[crypto][rsa_blob]") {
  const auto public_blob = python_blob("public.blob");
  const auto private_blob = python_blob("private.blob");
  for (const auto* magic : {"RSA1", "RSA2", "RSA3", "ECK1", "1ASR", "\0\0\0\0"}) {
    auto changed = public_blob;
    std::copy(magic, magic + 4, changed.begin());
    CHECK((std::string_view(magic) == "RSA1" || !from_rsa_public_blob(changed)));
    changed = private_blob;
    std::copy(magic, magic + 4, changed.begin());
    CHECK((std::string_view(magic) == "RSA3" || !from_rsa_full_private_blob(changed)));
  }
  auto longer = public_blob;
  longer.push_back(0);
  CHECK_FALSE(from_rsa_public_blob(longer));
  longer = private_blob;
  longer.push_back(0);
  CHECK_FALSE(from_rsa_full_private_blob(longer));
}

TEST_CASE("numbers that are no public key are refused", "[crypto][rsa_blob]") {
  const auto good = python_blob("public.blob");
  const auto with = [&good](const std::function<void(bytes&)>& change) {
    auto blob = good;
    change(blob);
    return from_rsa_public_blob(blob);
  };
  CHECK(with([](bytes&) {}));
  CHECK_FALSE(with([](bytes& b) { b[numbers_at] = 0; }));        // a leading zero
  CHECK_FALSE(with([](bytes& b) { b[numbers_at + 2] = 0; }));    // an even exponent
  CHECK_FALSE(with([](bytes& b) { b[numbers_at + 3] = 0; }));    // a modulus that is shorter
  CHECK_FALSE(with([](bytes& b) { b[numbers_at + 3] = 0x7f; })); // by one bit
  CHECK_FALSE(with([](bytes& b) { b.back() &= 0xfe; }));         // an even modulus
  CHECK_FALSE(with([](bytes& b) {
    put(b, exponent_at, 1); // the exponent 1
    b.erase(b.begin() + numbers_at, b.begin() + numbers_at + 2);
  }));
}

TEST_CASE("a private blob whose numbers do not fit together is refused", "[crypto][rsa_blob]") {
  const auto good = python_blob("private.blob");
  // One octet in the middle of each: exponent, modulus, two primes, two exponents, coefficient, d.
  for (const std::size_t at :
       {1UL, 3UL + 100, 259UL + 60, 387UL + 60, 515UL + 60, 643UL + 60, 771UL + 60, 899UL + 100}) {
    INFO("octet " << at);
    auto blob = good;
    blob[numbers_at + at] ^= 0x10;
    const auto read = from_rsa_full_private_blob(blob);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::bad_input);
    CHECK(read.error().field == "blob");
  }
  SECTION("the primes in each other's place") {
    auto blob = good;
    std::swap_ranges(blob.begin() + numbers_at + 259, blob.begin() + numbers_at + 387,
                     blob.begin() + numbers_at + 387);
    CHECK_FALSE(from_rsa_full_private_blob(blob));
  }
  SECTION("all numbers zero") {
    auto blob = good;
    std::fill(blob.begin() + numbers_at, blob.end(), std::uint8_t{0});
    CHECK_FALSE(from_rsa_full_private_blob(blob));
  }
}

} // namespace pfx::crypto
