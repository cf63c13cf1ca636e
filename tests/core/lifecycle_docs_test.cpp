// The table of events and states in docs/lifecycle.md is that of the code. The hidden test [.docs]
// writes it there.
#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/lifecycle.hpp"
#include "tests/catch.hpp"

namespace {

using namespace pfx;

const std::string docs_path = std::string(PFX_SOURCE_DIR) + "/docs/lifecycle.md";
constexpr std::string_view begin_mark
  = "<!-- lifecycle-table: begin (made from core/lifecycle_table.cpp) -->\n";
constexpr std::string_view end_mark = "<!-- lifecycle-table: end -->\n";

/// States of one event by what happens in them, in the order of the states.
std::vector<std::pair<std::string, std::string>> groups_of(lifecycle::event_kind what) {
  std::vector<std::pair<std::string, std::string>> groups; // sentence, states
  for (std::size_t s = 1; s <= record_state_count; ++s) {
    const auto state = static_cast<record_state>(s);
    const std::string text(lifecycle::reaction_text(what, state));
    auto group = groups.begin();
    while (group != groups.end() && group->first != text) {
      ++group;
    }
    if (group == groups.end()) {
      groups.emplace_back(text, name_of(state));
    } else {
      group->second += ", " + std::string(name_of(state));
    }
  }
  // What does nothing is said last.
  std::stable_partition(groups.begin(), groups.end(),
                        [](const auto& group) { return group.first != "nothing"; });
  return groups;
}

std::string table() {
  std::string out = "\n| event | in | what happens |\n|---|---|---|\n";
  for (std::size_t k = 0; k < lifecycle::event_kind_count; ++k) {
    const auto what = static_cast<lifecycle::event_kind>(k);
    std::string event = "`" + std::string(lifecycle::name_of(what)) + "`";
    for (const auto& [sentence, states] : groups_of(what)) {
      out += "| " + event + " | " + states + " | " + sentence + " |\n";
      event.clear();
    }
  }
  return out + "\n";
}

std::string read_docs() {
  std::ifstream in(docs_path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Where the table stands in the text: from behind the first mark to before the second.
std::pair<std::size_t, std::size_t> place_of_table(const std::string& docs) {
  const auto begin = docs.find(begin_mark);
  const auto end = docs.find(end_mark);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  REQUIRE(begin < end);
  return {begin + begin_mark.size(), end};
}

} // namespace

TEST_CASE("docs/lifecycle.md holds the table of the code", "[core][lifecycle][docs]") {
  const auto docs = read_docs();
  const auto [begin, end] = place_of_table(docs);
  INFO("test_core \"[.docs]\" writes it");
  CHECK(docs.substr(begin, end - begin) == table());
}

TEST_CASE("write the table into docs/lifecycle.md", "[.docs]") {
  auto docs = read_docs();
  const auto [begin, end] = place_of_table(docs);
  docs.replace(begin, end - begin, table());
  std::ofstream(docs_path) << docs;
}
