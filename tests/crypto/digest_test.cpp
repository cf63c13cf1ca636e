// SHA-256, base64, random octets.
#include "crypto/digest.hpp"
#include "crypto/random.hpp"

#include "tests/catch.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <set>

using namespace pfx;
using namespace pfx::crypto;

TEST_CASE("SHA-256 gives the examples of FIPS 180", "[crypto][digest]") {
  CHECK(to_hex(sha256({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_hex(sha256(as_bytes("abc")))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(sha1(as_bytes("abc"))) == "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST_CASE("base64 gives the examples of RFC 4648 section 10 both ways", "[crypto][digest]") {
  const std::array<std::pair<const char*, const char*>, 7> examples{{{"", ""},
                                                                     {"f", "Zg=="},
                                                                     {"fo", "Zm8="},
                                                                     {"foo", "Zm9v"},
                                                                     {"foob", "Zm9vYg=="},
                                                                     {"fooba", "Zm9vYmE="},
                                                                     {"foobar", "Zm9vYmFy"}}};
  for (const auto& [plain, text] : examples) {
    CHECK(to_base64(as_bytes(plain)) == text);
    const auto back = from_base64(text);
    REQUIRE(back);
    CHECK(to_text(*back) == plain);
  }
}

TEST_CASE("base64 agrees with OpenSSL for every length", "[crypto][digest]") {
  for (std::size_t size = 1; size < 130; ++size) {
    const bytes octets = random_bytes(size);
    std::string theirs((size + 2) / 3 * 4 + 1, '\0');
    ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(theirs.data()), octets.data(),
                      static_cast<int>(size));
    theirs.pop_back();
    CHECK(to_base64(octets) == theirs);
    const auto back = from_base64(theirs);
    REQUIRE(back);
    CHECK(*back == octets);
  }
}

TEST_CASE("base64 that is not canonical is refused", "[crypto][digest]") {
  using namespace std::string_view_literals;
  for (const std::string_view bad :
       {"Z"sv, "Zg"sv, "Zg="sv, "Zg==="sv, "Zh=="sv, "Zm9="sv, "Zm9v\n"sv, "Zm 9v"sv, " Zm9"sv,
        "Zm9v===="sv, "===="sv, "A==="sv, "=Zg="sv, "Zg==Zg=="sv, "Zm9-"sv, "Zm9_"sv, "Zm9\0"sv,
        "Zm\xc3\xa9"sv, "Zg=a"sv}) {
    INFO(bad);
    const auto out = from_base64(bad);
    REQUIRE_FALSE(out);
    CHECK(out.error().code == errc::bad_input);
  }
}

TEST_CASE("random octets have the asked length and differ", "[crypto][random]") {
  CHECK(random_bytes(0).empty());
  CHECK(random_secret(0).empty());
  CHECK(random_bytes(33).size() == 33);
  CHECK(random_bytes(32) != random_bytes(32));
  CHECK(random_u64() != random_u64());
}

TEST_CASE("random passwords hold every character of the alphabet and no other",
          "[crypto][random]") {
  CHECK(random_password().size() == 32);
  std::set<char> seen;
  for (int i = 0; i < 200; ++i) {
    const secret_bytes password = random_password(64);
    for (const char c : password.text())
      seen.insert(c);
  }
  CHECK(seen.size() == 62); // 12,800 draws: one missing has a chance of 10^-89
  CHECK(std::all_of(seen.begin(), seen.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }));
}
