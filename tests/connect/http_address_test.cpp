// Addresses that others hand us: what is read from them, and what is not even called.
#include "tests/catch.hpp"

#include "connect/http/address.hpp"

using namespace pfx;
using namespace pfx::connect::http;

TEST_CASE("an address is taken apart and put in one form", "[http][address]") {
  auto read = parse_address("HTTPS://Fef.MSUB01.Manage.Microsoft.com:443/RACerts/Svc/", "uri");
  REQUIRE(read.has_value());
  CHECK(read->host == "fef.msub01.manage.microsoft.com");
  CHECK(read->port == 443);
  CHECK(read->path == "/RACerts/Svc");
  CHECK(read->text() == "https://fef.msub01.manage.microsoft.com/RACerts/Svc");
  CHECK(parse_address("https://localhost:4711?a=b/", "x")->text() == "https://localhost:4711?a=b/");
  CHECK(parse_address("https://127.0.0.1:1/a%20b", "x")->text() == "https://127.0.0.1:1/a%20b");
  CHECK(parse_address("https://a.example.", "x")->host == "a.example");
  CHECK(parse_address("https://a.example///", "x")->path.empty());
}

TEST_CASE("addresses that parsers disagree about are refused by name", "[http][address]") {
  const std::string long_host(254, 'a');
  for (const std::string& text : std::vector<std::string>{"",
                                                          "http://a.example",
                                                          "ftp://a.example",
                                                          "a.example",
                                                          "//a.example",
                                                          "https:/a.example",
                                                          "https://",
                                                          "https:///path",
                                                          "https://:443",
                                                          "https://user@a.example",
                                                          "https://user:word@a.example",
                                                          "https://a.example@evil.example",
                                                          "https://a.example\\@evil.example",
                                                          "https://a.example\\.evil.example",
                                                          "https://a b",
                                                          "https://a.example/pa th",
                                                          "https://a.example/#x",
                                                          "https://a.example#x",
                                                          "https://a.example/\r\nX: y",
                                                          std::string("https://a.example/\0x", 20),
                                                          "https://a.example:0",
                                                          "https://a.example:",
                                                          "https://a.example:65536",
                                                          "https://a.example:+1",
                                                          "https://a.example:1:2",
                                                          "https://[::1]/",
                                                          "https://[::1]:443/",
                                                          "https://127.1/",
                                                          "https://2130706433/",
                                                          "https://0x7f.0.0.1/",
                                                          "https://1.2.3.4.5/",
                                                          "https://a..example",
                                                          "https://.a.example",
                                                          "https://-a.example",
                                                          "https://a.example-",
                                                          "https://a_b.example",
                                                          "https://%61.example",
                                                          "https://\xc3\xa4.example",
                                                          "https://a.example/\xc3\xa4",
                                                          "https://a.example/<x>",
                                                          "https://a.example/a/../b",
                                                          "https://a.example/..",
                                                          "https://a.example/./b",
                                                          "https://a.example?x?y",
                                                          "https://a.example?x#y",
                                                          "https://" + long_host,
                                                          "https://a/" + std::string(2'100, 'a')}) {
    CAPTURE(text);
    auto read = parse_address(text, "uri");
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == errc::bad_input);
    CHECK(read.error().field == "uri");
  }
}

TEST_CASE("a host is within a domain or it is not", "[http][address]") {
  CHECK(is_within("manage.microsoft.com", "manage.microsoft.com"));
  CHECK(is_within("fef.x.manage.microsoft.com", "manage.microsoft.com"));
  CHECK_FALSE(is_within("evilmanage.microsoft.com", "manage.microsoft.com"));
  CHECK_FALSE(is_within("manage.microsoft.com.evil.example", "manage.microsoft.com"));
  CHECK_FALSE(is_within("microsoft.com", "manage.microsoft.com"));
  CHECK_FALSE(is_within("", "manage.microsoft.com"));
  CHECK_FALSE(is_within("anything", ""));
}
