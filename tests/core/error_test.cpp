// Names and codes of errors, and foreign text made safe to show.
#include "core/error.hpp"

#include <set>

#include "core/bytes.hpp"
#include "tests/catch.hpp"

using namespace pfx;

namespace {

constexpr auto errc_count = static_cast<std::size_t>(errc::internal) + 1;

} // namespace

TEST_CASE("every error kind has a name of its own", "[core][error]") {
  std::set<std::string_view> seen;
  for (std::size_t at = 0; at < errc_count; ++at) {
    seen.insert(name_of(static_cast<errc>(at)));
  }
  CHECK(seen.size() == errc_count);
  CHECK(seen.count("") == 0);
  CHECK(name_of(errc::bad_input) == "bad_input");
  CHECK(name_of(errc::store_poisoned) == "store_poisoned");
  CHECK(name_of(errc::stopping) == "stopping");
  CHECK(name_of(errc::internal) == "internal");
}

TEST_CASE("an error is told to the service as final or as worth another try", "[core][error]") {
  for (const auto code : {errc::bad_input, errc::policy, errc::not_supported, errc::too_large,
                          errc::conflict, errc::not_found, errc::crypto, errc::internal}) {
    const auto told = static_cast<int>(service_code_of(code));
    CAPTURE(name_of(code));
    CHECK(told >= 4000);
    CHECK(told <= 4007);
  }
  for (const auto code : {errc::wrong_key, errc::corrupt, errc::io, errc::disk_full,
                          errc::unavailable, errc::unknown_outcome, errc::unauthorized,
                          errc::stopping, errc::stale_epoch, errc::store_locked}) {
    const auto told = static_cast<int>(service_code_of(code));
    CAPTURE(name_of(code));
    CHECK(told >= 4100);
    CHECK(told <= 4103);
  }
  CHECK(service_code_of(errc::none) == service_code::none);
}

TEST_CASE("an error reads as one line", "[core][error]") {
  CHECK(to_string({errc::bad_input, "recipients", "is empty"})
        == "bad_input: recipients: is empty");
  CHECK(to_string({errc::stopping, "", "the engine stops"}) == "stopping: the engine stops");
  CHECK(to_string({errc::io, "", ""}) == "io");
  CHECK(to_string({errc::io, "a\nb", "c\r\nd\x1b[2J"}) == "io: a\\x0ab: c\\x0d\\x0ad\\x1b[2J");
}

TEST_CASE("plain text stays as it is", "[core][error][printable]") {
  CHECK(printable("").empty());
  CHECK(printable("CN=Ada \\\"Lovelace\\\", O=A+B") == "CN=Ada \\\"Lovelace\\\", O=A+B");
  CHECK(printable("Zoë Überländer 東京 😀") == "Zoë Überländer 東京 😀");
}

TEST_CASE("what could forge a line, a screen or an order becomes visible",
          "[core][error][printable]") {
  CHECK(printable("a\tb\nc\rd") == "a\\x09b\\x0ac\\x0dd");
  CHECK(printable(std::string_view("a\0b", 3)) == "a\\x00b");
  CHECK(printable("\x1b]0;title\x07") == "\\x1b]0;title\\x07");
  CHECK(printable("\x7f") == "\\x7f");
  CHECK(printable("\xc2\x9b"
                  "31m")
        == "\\u{9b}31m"); // C1 CSI
  CHECK(printable("user\u202Efdp.exe") == "user\\u{202e}fdp.exe");
  CHECK(printable("\u2066a\u2069") == "\\u{2066}a\\u{2069}");
  CHECK(printable("a\u200Bb") == "a\\u{200b}b");
  CHECK(printable("\uFEFF") == "\\u{feff}");
  CHECK(printable("\u2028") == "\\u{2028}");
  CHECK(printable("\U000E0041") == "\\u{e0041}");
}

TEST_CASE("invalid UTF-8 is shown octet by octet", "[core][error][printable]") {
  // Cases of Markus Kuhn's UTF-8 decoder stress test.
  CHECK(printable("\x80") == "\\x80");                         // 3.1 lone continuation
  CHECK(printable("\xc0 \xe0 \xf0 ") == "\\xc0 \\xe0 \\xf0 "); // 3.2 lonely starts
  CHECK(printable("\xe0\x80") == "\\xe0\\x80");                // 3.3 incomplete
  CHECK(printable("\xf0\x80\x80") == "\\xf0\\x80\\x80");
  CHECK(printable("\xfe\xff") == "\\xfe\\xff"); // 3.5 impossible
  CHECK(printable("\xc0\xaf") == "\\xc0\\xaf"); // 4.1 overlong "/"
  CHECK(printable("\xe0\x80\xaf") == "\\xe0\\x80\\xaf");
  CHECK(printable("\xf0\x80\x80\xaf") == "\\xf0\\x80\\x80\\xaf");
  CHECK(printable("\xc1\xbf") == "\\xc1\\xbf");                   // 4.2 maximum overlong
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");          // 5.1 surrogate
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80"); // above U+10FFFF
  CHECK(printable("\xc3") == "\\xc3");                            // cut at the end
}

TEST_CASE("long text is cut with a mark and never inside a visible form",
          "[core][error][printable]") {
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdefg", 6) == "abcde…");
  CHECK(printable("東京東京", 3) == "東京…");
  CHECK(printable("ab\n", 5) == "ab…");
  CHECK(printable("ab\n", 6) == "ab\\x0a");
  CHECK(printable("\n", 3) == "…");
  CHECK(printable("a", 0).empty());
  CHECK(printable("ab", 1) == "…");
  CHECK(printable(std::string(100'000, 'x')).size() == 127 + std::string_view("…").size());
}

TEST_CASE("what is printable once stays the same when printed again", "[core][error][printable]") {
  std::string all;
  for (int octet = 0; octet < 256; ++octet) {
    all.push_back(static_cast<char>(octet));
  }
  const auto once = printable(all, 4096);
  CHECK(printable(once, 4096) == once);
  for (const char c : once) {
    CHECK(static_cast<unsigned char>(c) >= 0x20);
  }
}
