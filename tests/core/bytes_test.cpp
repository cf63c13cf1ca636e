// Hexadecimal, digests and comparison.
#include "core/bytes.hpp"

#include "tests/catch.hpp"

using namespace pfx;

TEST_CASE("octets survive the way through hexadecimal and back", "[core][bytes]") {
  bytes all;
  for (int octet = 0; octet < 256; ++octet) {
    all.push_back(static_cast<std::uint8_t>(octet));
  }
  const auto text = to_hex(all);
  CHECK(text.substr(0, 8) == "00010203");
  CHECK(text.substr(508) == "feff");
  REQUIRE(from_hex(text));
  CHECK(*from_hex(text) == all);
  CHECK(from_hex("")->empty());
}

TEST_CASE("RFC 4648 test vectors of base16 are read and written", "[core][bytes]") {
  CHECK(to_hex(as_bytes("f")) == "66");
  CHECK(to_hex(as_bytes("fo")) == "666f");
  CHECK(to_hex(as_bytes("foobar")) == "666f6f626172");
  CHECK(to_text(*from_hex("666F6F626172")) == "foobar");
}

TEST_CASE("text that is not strict hexadecimal is refused", "[core][bytes]") {
  for (const auto* text : {"0", "012", "0g", "g0", "0x00", " 00", "00 ", "0 0", "-1", "+1", "00\n",
                           "00:11", "zz", "\xc3\xa9", "/0", ":0", "@0", "G0", "`0"}) {
    CAPTURE(text);
    const auto got = from_hex(text);
    REQUIRE_FALSE(got);
    CHECK(got.error().code == errc::bad_input);
  }
  CHECK_FALSE(from_hex(std::string_view("0\0", 2)));
}

TEST_CASE("a digest has exactly 64 digits", "[core][bytes]") {
  const std::string good = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const auto value = digest_from_hex(good);
  REQUIRE(value);
  CHECK(value->present());
  CHECK(to_hex(*value) == good);
  CHECK_FALSE(digest_from_hex(""));
  CHECK_FALSE(digest_from_hex(good + "00"));
  CHECK_FALSE(digest_from_hex(std::string_view(good).substr(2)));
  CHECK_FALSE(digest_from_hex(std::string_view(good).substr(1)));
  CHECK_FALSE(digest_from_hex(good.substr(0, 63) + "x"));
}

TEST_CASE("the zero digest means none", "[core][bytes]") {
  digest value;
  CHECK_FALSE(value.present());
  value.octets.back() = 1;
  CHECK(value.present());
  CHECK(digest{} < value);
}

TEST_CASE("comparison in constant time finds every single difference", "[core][bytes]") {
  const bytes left(40, 0x5a);
  CHECK(equal_constant_time(left, bytes(left)));
  CHECK(equal_constant_time({}, {}));
  CHECK_FALSE(equal_constant_time(left, bytes(39, 0x5a)));
  CHECK_FALSE(equal_constant_time({}, left));
  for (std::size_t at = 0; at < left.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes right(left);
      right[at] = static_cast<std::uint8_t>(right[at] ^ (1 << bit));
      CHECK_FALSE(equal_constant_time(left, right));
    }
  }
}
