// The tree keeps the rules of the house. What the rules are is in rules.hpp; that each of them can
// fail is shown in rules_test.cpp.
#include <set>

#include "tests/catch.hpp"
#include "tests/tidy/rules.hpp"

using namespace pfx::tidy;

TEST_CASE("every file of the project keeps the rules of the house", "[tidy]") {
  const auto files = read_tree(PFX_SOURCE_DIR);
  std::set<std::string> rooms;
  for (const auto& file : files) {
    rooms.insert(std::string(room_of(file.path)));
    for (const auto& one : check(file)) {
      FAIL_CHECK(one.path << ":" << one.line << ": " << one.rule << ": " << one.why);
    }
  }
  // A walk that found nothing would find nothing wrong.
  CHECK(files.size() > 50);
  for (const auto* room : {"core", "crypto", "storage", "connect", "engine", "sandbox", "tests"}) {
    CAPTURE(room);
    CHECK(rooms.count(room) == 1);
  }
  CHECK(rooms.count("build") == 0);
}

TEST_CASE("every room tells in a README what lives there", "[tidy]") {
  for (const auto* room : {"core", "crypto", "storage", "connect", "actors", "engine", "app",
                           "sandbox", "tests", "packaging", "release", "switcher"}) {
    CAPTURE(room);
    CHECK(std::filesystem::file_size(std::filesystem::path(PFX_SOURCE_DIR) / room / "README.md")
          > 100);
  }
}
