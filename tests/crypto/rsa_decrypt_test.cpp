// Opening short secrets with RSA: Wycheproof's cases, the sizes that fit, and that a failure looks
// like a success to whoever goes on.
#include "crypto/rsa_decrypt.hpp"

#include "tests/catch.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>
#include <openssl/err.h>

#include "crypto/random.hpp"
#include "tests/crypto/support.hpp"

namespace pfx::crypto {
namespace {

using test::shared_key;

constexpr std::array paddings{rsa_padding::pkcs1, rsa_padding::oaep_sha256,
                              rsa_padding::oaep_sha384, rsa_padding::oaep_sha512};

nlohmann::json wycheproof(const std::string& name) {
  const auto octets = test::read_file(test::data_file("rsa-oaep/" + name));
  return nlohmann::json::parse(octets.begin(), octets.end());
}

private_key key_of(const nlohmann::json& group) {
  auto key = private_key::from_pkcs8(test::unhex(group.at("privateKeyPkcs8").get<std::string>()));
  REQUIRE(key);
  return std::move(*key);
}

struct corpus {
  const char* file;
  rsa_padding padding;
  std::size_t cases;
};
constexpr std::array corpora{
  corpus{"rsa_oaep_2048_sha256_mgf1sha256_test.json", rsa_padding::oaep_sha256, 37},
  corpus{"rsa_oaep_2048_sha384_mgf1sha384_test.json", rsa_padding::oaep_sha384, 34},
  corpus{"rsa_oaep_2048_sha512_mgf1sha512_test.json", rsa_padding::oaep_sha512, 33},
  corpus{"rsa_oaep_3072_sha256_mgf1sha256_test.json", rsa_padding::oaep_sha256, 37},
  corpus{"rsa_oaep_4096_sha512_mgf1sha512_test.json", rsa_padding::oaep_sha512, 36},
};

rsa_plaintext must_decrypt(const private_key& key, rsa_padding padding, byte_view ciphertext) {
  auto out = rsa_decrypt(key, padding, ciphertext);
  REQUIRE(out);
  CHECK(::ERR_peek_error() == 0);
  return std::move(*out);
}

bytes must_encrypt(const private_key& key, rsa_padding padding, byte_view plaintext) {
  auto out = rsa_encrypt(*key.public_key(), padding, plaintext);
  REQUIRE(out);
  return std::move(*out);
}

} // namespace

TEST_CASE("every decryption of Wycheproof ends as it says, those with a label unopened",
          "[crypto][rsa]") {
  for (const auto& [file, padding, cases] : corpora) {
    const auto whole = wycheproof(file);
    std::size_t seen = 0;
    for (const auto& group : whole.at("testGroups")) {
      const auto key = key_of(group);
      for (const auto& each : group.at("tests")) {
        INFO(file << " " << each.at("tcId") << " " << each.at("comment"));
        const auto opened
          = must_decrypt(key, padding, test::unhex(each.at("ct").get<std::string>()));
        const bool ours
          = each.at("result") == "valid" && each.at("label").get<std::string>().empty();
        CHECK(opened.opened == ours);
        if (ours)
          CHECK(to_hex(opened.octets.view()) == each.at("msg").get<std::string>());
        else
          CHECK(opened.octets.size() == 32);
        ++seen;
      }
    }
    CHECK(seen == cases);
  }
}

TEST_CASE("what was encrypted under SHA-1 is opened by no padding", "[crypto][rsa]") {
  const auto whole = wycheproof("rsa_oaep_2048_sha1_mgf1sha1_test.json");
  const auto& group = whole.at("testGroups").at(0);
  const auto key = key_of(group);
  std::size_t seen = 0;
  for (const auto& each : group.at("tests")) {
    INFO(each.at("tcId"));
    for (const auto padding : paddings)
      CHECK_FALSE(must_decrypt(key, padding, test::unhex(each.at("ct").get<std::string>())).opened);
    ++seen;
  }
  CHECK(seen == 36);
}

TEST_CASE("padding schemes are known by their words, in any case", "[crypto][rsa]") {
  for (const auto padding : paddings)
    CHECK(rsa_padding_of(name_of(padding)) == padding);
  CHECK(rsa_padding_of("OaepSha512") == rsa_padding::oaep_sha512);
  CHECK(rsa_padding_of("OAEPSHA256") == rsa_padding::oaep_sha256);
  CHECK(rsa_padding_of("Pkcs1") == rsa_padding::pkcs1);
  for (const auto* word : {"", "none", "oaepSha1", "oaepSha", "oaepSha2566", " oaepSha256", "oaep",
                           "pkcs", "pkcs1 ", "3", "OAEP-SHA256", "oaep\xc5\xbfha256"})
    CHECK_FALSE(rsa_padding_of(word));
}

TEST_CASE("as much fits as the facts say, and not one octet more", "[crypto][rsa]") {
  struct fit {
    key_algorithm algorithm;
    std::array<std::size_t, 4> octets; ///< in the order of `paddings`
  };
  constexpr std::array sizes{fit{key_algorithm::rsa2048, {245, 190, 158, 126}},
                             fit{key_algorithm::rsa3072, {373, 318, 286, 254}},
                             fit{key_algorithm::rsa4096, {501, 446, 414, 382}}};
  for (const auto& [algorithm, octets] : sizes) {
    const auto& key = shared_key(algorithm);
    for (std::size_t i = 0; i < paddings.size(); ++i) {
      const auto longest = random_bytes(octets[i] + 1);
      const auto fits = byte_view(longest).first(octets[i]);
      const auto opened = must_decrypt(key, paddings[i], must_encrypt(key, paddings[i], fits));
      CHECK(opened.opened);
      CHECK(to_bytes(opened.octets.view()) == to_bytes(fits));
      const auto refused = rsa_encrypt(*key.public_key(), paddings[i], longest);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == errc::too_large);
      CHECK(refused.error().field == "plaintext");
    }
  }
}

TEST_CASE("an empty plaintext is one", "[crypto][rsa]") {
  const auto& key = shared_key(key_algorithm::rsa2048);
  for (const auto padding : paddings) {
    const auto opened = must_decrypt(key, padding, must_encrypt(key, padding, {}));
    CHECK(opened.opened);
    CHECK(opened.octets.empty());
  }
}

TEST_CASE("whatever is wrong with a ciphertext, other random octets come each time",
          "[crypto][rsa]") {
  const auto& key = shared_key(key_algorithm::rsa2048);
  for (const auto padding : paddings) {
    auto good = must_encrypt(key, padding, as_bytes("correct horse"));
    auto turned = good;
    turned[100] ^= 1;
    auto longer = good;
    longer.push_back(0);
    auto padded = good;
    padded.insert(padded.begin(), 0);
    const bytes shorter(good.begin(), good.end() - 1);
    const std::array<bytes, 8> wrong{turned,  longer,           padded,        shorter,
                                     bytes(), bytes(256, 0xff), bytes(256, 0), bytes(100'000, 1)};
    for (const auto& each : wrong) {
      INFO(name_of(padding) << " with " << each.size() << " octets");
      const auto first = must_decrypt(key, padding, each);
      const auto second = must_decrypt(key, padding, each);
      CHECK_FALSE(first.opened);
      CHECK_FALSE(second.opened);
      if (padding == rsa_padding::pkcs1) {
        CHECK(std::max(first.octets.size(), second.octets.size()) <= 256 - 11);
        continue; // there may be none to compare
      }
      REQUIRE(first.octets.size() == 32);
      REQUIRE(second.octets.size() == 32);
      CHECK_FALSE(equal_constant_time(first.octets.view(), second.octets.view()));
    }
  }
}

TEST_CASE("what stands in for a PKCS#1 v1.5 plaintext has any length, always the same for a number",
          "[crypto][rsa]") {
  const auto& key = shared_key(key_algorithm::rsa2048);
  constexpr std::size_t most = 256 - 11, draws = 200;
  std::size_t sum = 0, least = most, largest = 0;
  for (std::size_t i = 0; i < draws; ++i) {
    auto number = random_bytes(256);
    number[0] &= 0x7f;
    const auto first = must_decrypt(key, rsa_padding::pkcs1, number);
    const auto second = must_decrypt(key, rsa_padding::pkcs1, number);
    CHECK(first.octets.size() == second.octets.size());
    if (first.octets.size() >= 16 && !first.opened)
      CHECK_FALSE(equal_constant_time(first.octets.view(), second.octets.view()));
    sum += first.octets.size();
    least = std::min(least, first.octets.size());
    largest = std::max(largest, first.octets.size());
  }
  CHECK(largest <= most);
  CHECK(largest > most - 40);
  CHECK(least < 40);
  CHECK(sum / draws > 90);
  CHECK(sum / draws < 155);
}

TEST_CASE("a plaintext opens under its own padding and key alone", "[crypto][rsa]") {
  const auto& key = shared_key(key_algorithm::rsa2048);
  const auto other = private_key::generate(key_algorithm::rsa2048);
  REQUIRE(other);
  for (const auto written : paddings) {
    const auto ciphertext = must_encrypt(key, written, as_bytes("password"));
    CHECK_FALSE(must_decrypt(*other, written, ciphertext).opened);
    for (const auto read : paddings)
      CHECK(must_decrypt(key, read, ciphertext).opened == (read == written));
  }
}

TEST_CASE("only RSA keys of 2048 bits and more decrypt or are encrypted to", "[crypto][rsa]") {
  const auto ec = private_key::generate(key_algorithm::ec_p256);
  REQUIRE(ec);
  const test::temporary_folder folder;
  REQUIRE(test::openssl({"genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out",
                         folder.file("small.pem")})
            .status
          == 0);
  const auto pem = test::read_file(folder.file("small.pem"));
  const auto small = private_key::from_pem(to_text(pem));
  REQUIRE(small);
  for (const auto* key : {&*ec, &*small}) {
    const auto opened = rsa_decrypt(*key, rsa_padding::oaep_sha256, bytes(128, 1));
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == errc::bad_input);
    const auto closed = rsa_encrypt(*key->public_key(), rsa_padding::oaep_sha256, {});
    REQUIRE_FALSE(closed);
    CHECK(closed.error().code == errc::bad_input);
  }
  const auto& good = shared_key(key_algorithm::rsa2048);
  CHECK_FALSE(rsa_decrypt(good, static_cast<rsa_padding>(0), bytes(256, 1)));
  CHECK_FALSE(rsa_decrypt(good, static_cast<rsa_padding>(9), bytes(256, 1)));
  CHECK_FALSE(rsa_encrypt(*good.public_key(), static_cast<rsa_padding>(9), {}));
  CHECK_FALSE(rsa_encrypt({}, rsa_padding::pkcs1, {}));
  auto trailing = *good.public_key();
  trailing.push_back(0);
  CHECK_FALSE(rsa_encrypt(trailing, rsa_padding::pkcs1, {}));
}

TEST_CASE("the openssl program and this one open what the other closed", "[crypto][rsa]") {
  const test::temporary_folder folder;
  const auto& key = shared_key(key_algorithm::rsa2048);
  test::write_file(folder.file("key.pem"), key.to_pem()->view());
  test::write_file(folder.file("plain"), std::string_view("correct horse battery"));
  constexpr std::array<const char*, 4> hashes{"", "sha256", "sha384", "sha512"};
  for (std::size_t i = 0; i < paddings.size(); ++i) {
    std::vector<std::string> options{"-inkey", folder.file("key.pem"), "-pkeyopt"};
    if (hashes[i][0] == '\0')
      options.emplace_back("rsa_padding_mode:pkcs1");
    else
      for (const auto* word : {"rsa_padding_mode:oaep", "-pkeyopt"})
        options.emplace_back(word);
    if (hashes[i][0] != '\0')
      options.push_back(std::string("rsa_oaep_md:") + hashes[i]);
    const auto run = [&](std::vector<std::string> words) {
      words.insert(words.begin(), "pkeyutl");
      words.insert(words.end(), options.begin(), options.end());
      return test::openssl(words);
    };
    REQUIRE(run({"-encrypt", "-in", folder.file("plain"), "-out", folder.file("closed")}).status
            == 0);
    const auto opened = must_decrypt(key, paddings[i], test::read_file(folder.file("closed")));
    CHECK(opened.opened);
    CHECK(opened.octets.text() == "correct horse battery");
    test::write_file(folder.file("ours"), must_encrypt(key, paddings[i], as_bytes("staple")));
    REQUIRE(run({"-decrypt", "-in", folder.file("ours"), "-out", folder.file("theirs")}).status
            == 0);
    CHECK(to_text(test::read_file(folder.file("theirs"))) == "staple");
  }
}

} // namespace pfx::crypto
