// The strict JSON reader against nst/JSONTestSuite and our own worst cases.
#include "tests/catch.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "connect/http/json.hpp"

using namespace pfx;
using connect::http::parse_json;
using connect::http::parse_json_strict;

namespace {

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string repeated(std::string_view piece, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i)
    out += piece;
  return out;
}

} // namespace

TEST_CASE("JSONTestSuite: what must not parse does not, what must parse does", "[json]") {
  std::size_t refused = 0;
  std::size_t accepted = 0;
  for (const auto& file : std::filesystem::directory_iterator(PFX_TEST_DATA "/jsontestsuite")) {
    std::string name = file.path().filename().string();
    std::string text = slurp(file.path());
    INFO(name);
    auto parsed = parse_json(text);
    if (name.starts_with("n_")) {
      ++refused;
      CHECK_FALSE(parsed.has_value());
      if (!parsed)
        CHECK(parsed.error().code == errc::bad_input);
    } else if (name.starts_with("y_")) {
      ++accepted;
      CHECK(parsed.has_value());
    }
  }
  CHECK(refused >= 180);
  CHECK(accepted >= 90);
}

TEST_CASE("nesting beyond the limit is refused without using the stack", "[json]") {
  for (const std::string& text :
       {repeated("[", 100'000), repeated("[{\"\":", 50'000), repeated("{\"a\":", 100'000),
        repeated("[", 10'000'000), repeated("[", 33) + repeated("]", 33)}) {
    auto parsed = parse_json(text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == errc::bad_input);
    CHECK(parsed.error().message.find("deeper") != std::string::npos);
  }
  CHECK(parse_json(repeated("[", 32) + repeated("]", 32)).has_value());
  CHECK_FALSE(parse_json("[[]]", 1).has_value());
  CHECK(parse_json("[]", 1).has_value());
  CHECK(parse_json("7", 0).has_value());
}

TEST_CASE("a NUL octet is never the end of a text", "[json]") {
  using namespace std::string_literals;
  for (const std::string& text : {"{}\0"s, "{}\0garbage"s, "\0"s, "1\0"s, "[1,\0"s, "\"a\0b\""s})
    CHECK_FALSE(parse_json(text).has_value());
  CHECK(parse_json("\"a\\u0000b\"")->value == "a\0b"s);
}

TEST_CASE("malformed UTF-8 is refused in values and in keys", "[json]") {
  for (const char* bad : {"\"\xff\"", "\"\xc3\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"",
                          "{\"\xff\":1}", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "[\"\\ud800\"]"})
    CHECK_FALSE(parse_json(bad).has_value());
}

TEST_CASE("keys that appear twice are named by their pointers", "[json]") {
  auto parsed = parse_json(R"({"value":[{},{"kind":1,"x":{"a/b":1,"a/b":2,"m~n":1},"kind":2}],)"
                           R"("value":{"k":[[{"":0,"":1}]]}})");
  REQUIRE(parsed.has_value());
  CHECK(parsed->duplicates
        == std::vector<std::string>{"/value/1/x/a~1b", "/value/1/kind", "/value", "/value/k/0/0/"});
  CHECK(parsed->value["value"]["k"][0][0][""] == 1);
}

TEST_CASE("keys that differ only by an escape are the same key", "[json]") {
  auto parsed = parse_json("{\"kind\":1,\"\\u006bind\":2}");
  REQUIRE(parsed.has_value());
  CHECK(parsed->duplicates == std::vector<std::string>{"/kind"});
}

TEST_CASE("the strict form refuses a duplicate and names it", "[json]") {
  auto parsed = parse_json_strict(R"({"a":[{"b":1,"b":1}]})");
  REQUIRE_FALSE(parsed.has_value());
  CHECK(parsed.error() == error{errc::bad_input, "/a/0/b", "appears twice"});
  CHECK(parse_json_strict(R"({"a":1,"A":1})").has_value());
}

TEST_CASE("at most a hundred duplicates are kept", "[json]") {
  auto parsed = parse_json("{" + repeated("\"a\":1,", 1'000) + "\"a\":2}");
  REQUIRE(parsed.has_value());
  CHECK(parsed->duplicates.size() == connect::http::json_duplicates_max);
}

TEST_CASE("a text whose values would fill the memory is refused", "[json]") {
  auto parsed = parse_json("[" + repeated("{},", 2'000'000) + "{}]");
  REQUIRE_FALSE(parsed.has_value());
  CHECK(parsed.error().code == errc::too_large);
}

TEST_CASE("nothing may follow the value", "[json]") {
  for (const char* bad : {"{}{}", "{} x", "1 2", "null,", "[]]", "{}\n//", "", " ", "\n"})
    CHECK_FALSE(parse_json(bad).has_value());
  CHECK(parse_json(" \t\r\n{} \t\r\n").has_value());
}

TEST_CASE("numbers keep what the protocol needs of them", "[json]") {
  auto parsed = parse_json("[18446744073709551615,-9223372036854775808,18446744073709551616,0.5]");
  REQUIRE(parsed.has_value());
  CHECK(parsed->value[0].get<std::uint64_t>() == UINT64_MAX);
  CHECK(parsed->value[1].get<std::int64_t>() == INT64_MIN);
  CHECK(parsed->value[2].is_number_float());
  CHECK_FALSE(parse_json("1e999").has_value());
  CHECK_FALSE(parse_json("NaN").has_value());
}
