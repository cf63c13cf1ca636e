// Decompression with a limit.
#include "tests/catch.hpp"

#include "connect/http/gzip.hpp"
#include "tests/connect/http_support.hpp"

using namespace pfx;
using connect::http::gunzip;
using test::gzip;

TEST_CASE("gzip data comes back whole, several members in a row too", "[http][gzip]") {
  CHECK(gunzip(gzip(""), 0)->empty());
  CHECK(*gunzip(gzip("hello"), 5) == "hello");
  CHECK(*gunzip(gzip("hello ") + gzip("") + gzip("world"), 11) == "hello world");
  std::string big(3'000'000, 'x');
  CHECK(*gunzip(gzip(big), big.size()) == big);
}

TEST_CASE("no cut and no flipped octet of gzip data gives another text", "[http][gzip]") {
  std::string plain = "{\"value\":[1,2,3,4,5,6,7,8,9,10],\"more\":false}";
  std::string packed = gzip(plain);
  for (std::size_t length = 0; length < packed.size(); ++length) {
    auto got = gunzip(packed.substr(0, length), 1'000);
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code == errc::bad_input);
  }
  for (std::size_t at = 10; at < packed.size();
       ++at) { // the first ten are a header with free fields
    std::string other = packed;
    other[at] = static_cast<char>(other[at] ^ 0x10);
    auto got = gunzip(other, 1'000);
    CHECK((!got || *got == plain)); // the bits that pad the last block mean nothing
  }
}

TEST_CASE("more than the limit does not come out", "[http][gzip]") {
  CHECK(gunzip(gzip("hello"), 4).error().code == errc::too_large);
  CHECK(gunzip(gzip("hello"), 0).error().code == errc::too_large);
  CHECK(gunzip(gzip(std::string(16u << 20, 'a')), 1'000).error().code == errc::too_large);
  std::string many;
  for (int i = 0; i < 1'000; ++i)
    many += gzip("0123456789");
  CHECK(gunzip(many, 9'999).error().code == errc::too_large);
  CHECK(gunzip(many, 10'000)->size() == 10'000);
}

TEST_CASE("other forms of compression are refused", "[http][gzip]") {
  for (std::string bad : {"", "x", "\x78\x9c\x03\x00\x00\x00\x00\x01", "\x1f\x8b", "PK\x03\x04"})
    CHECK(gunzip(bad, 100).error().code == errc::bad_input);
}
