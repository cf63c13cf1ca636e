// flow_model: searches the flow as built. Exit code 0 only if everything holds, and every rule that
// is taken away was missed.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/model/search.hpp"

namespace {

using namespace pfx::model;

constexpr const char* usage = "usage: flow_model [--long] [--only PLAN] [--off RULE] [--no-rules] "
                              "[--states-max N] [--list]\n";

struct wishes {
  bool all = false, rules = true, list = false, bad = false;
  std::string only, off;
  limits_of_search within;
};

wishes read(int count, char** words) {
  wishes out;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const bool more = i + 1 < count;
    if (word == "--long") {
      out.all = true;
    } else if (word == "--no-rules") {
      out.rules = false;
    } else if (word == "--list") {
      out.list = true;
    } else if (word == "--only" && more) {
      out.only = words[++i];
    } else if (word == "--off" && more) {
      out.off = words[++i];
    } else if (word == "--states-max" && more) {
      out.within.states_max = std::strtoull(words[++i], nullptr, 10);
    } else {
      out.bad = true;
    }
  }
  return out;
}

struct totals {
  coverage met{};
  std::uint64_t plans = 0, states = 0, transitions = 0, failed = 0, rules_missed = 0;
};

void print_story(const verdict& of) {
  int number = 0;
  for (const auto& line : of.story) {
    std::fprintf(stderr, line.starts_with("= ") ? "      %.0d%s\n" : "  %2d. %s\n",
                 line.starts_with("= ") ? 0 : ++number, line.c_str());
  }
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void hold(const plan& by, const wishes& how, totals& all) {
  const auto start = std::chrono::steady_clock::now();
  const auto found = search(by, &all.met, how.within);
  ++all.plans;
  all.states += found.states;
  all.transitions += found.transitions;
  const bool sound = found.broken.empty() && !found.too_big;
  all.failed += sound ? 0 : 1;
  std::fprintf(stderr, "%-28s %10llu states %12llu transitions, depth %3llu, %6.1f s: %s\n",
               std::string(by.name).c_str(), static_cast<unsigned long long>(found.states),
               static_cast<unsigned long long>(found.transitions),
               static_cast<unsigned long long>(found.depth), seconds_since(start),
               found.too_big ? "TOO BIG, proves nothing"
                 : sound     ? (by.liveness ? "holds, ends well" : "holds")
                             : found.broken.c_str());
  print_story(found);
}

/// Without the rule a story must be found; it is printed if only this one was asked for.
void miss(const rule_entry& entry, const wishes& how, totals& all) {
  auto by = *plan_of(how.only.empty() ? entry.plan : std::string_view(how.only));
  by.off = entry.what;
  const auto found = search(by, nullptr, how.within);
  const bool missed = !found.broken.empty();
  all.rules_missed += missed ? 1 : 0;
  all.failed += missed ? 0 : 1;
  std::fprintf(
    stderr, "without %-24s in %-22s %s\n", std::string(entry.name).c_str(),
    std::string(by.name).c_str(),
    missed ? (found.broken + " (" + std::to_string(found.story.size() - 1) + " steps)").c_str()
           : "NOT NOTICED");
  if (!how.off.empty()) {
    print_story(found);
  }
}

std::size_t cells(const coverage& met) {
  std::size_t count = 0;
  for (const auto& row : met) {
    for (const bool cell : row) {
      count += cell ? 1 : 0;
    }
  }
  return count;
}

/// Cells of the table in which something happens, and that no search came to.
void print_unmet(const coverage& met) {
  using namespace pfx::lifecycle;
  for (std::size_t kind = 0; kind < event_kind_count; ++kind) {
    std::string states;
    for (std::size_t i = 0; i < pfx::record_state_count; ++i) {
      const auto state = static_cast<pfx::record_state>(i + 1);
      const auto text = reaction_text(static_cast<event_kind>(kind), state);
      const bool reacts = text != "nothing" && !text.starts_with("refused: does not fit");
      if (reacts && !met[kind][i]) {
        states += " " + std::string(pfx::name_of(state));
      }
    }
    if (!states.empty()) {
      std::fprintf(stderr, "not met: %s in%s\n",
                   std::string(name_of(static_cast<event_kind>(kind))).c_str(), states.c_str());
    }
  }
}

} // namespace

int main(int count, char** words) {
  const auto how = read(count, words);
  const bool known_plan = how.only.empty() || plan_of(how.only) != nullptr;
  const bool known_rule = how.off.empty() || rule_of(how.off).has_value();
  if (how.bad || !known_plan || !known_rule) {
    std::fputs(usage, stderr);
    return 2;
  }
  if (how.list) {
    for (const auto& by : all_plans()) {
      std::printf("%s%s\n", std::string(by.name).c_str(), by.in_short ? "" : " (long)");
    }
    for (const auto& entry : all_rules()) {
      std::printf("%s\n", std::string(entry.name).c_str());
    }
    return 0;
  }
  const auto start = std::chrono::steady_clock::now();
  totals all;
  for (const auto& by : all_plans()) {
    const bool wanted = how.only.empty() ? how.all || by.in_short : by.name == how.only;
    if (wanted && how.off.empty()) {
      hold(by, how, all);
    }
  }
  for (const auto& entry : all_rules()) {
    if (how.off.empty() ? how.rules && how.only.empty() : entry.name == how.off) {
      miss(entry, how, all);
    }
  }
  if (how.only.empty() && how.off.empty()) {
    print_unmet(all.met);
  }
  std::printf("{\"campaign\":\"model\",\"plans\":%llu,\"states\":%llu,\"transitions\":%llu,"
              "\"cells_met\":%zu,\"rules_missed\":%llu,\"failed\":%llu,\"seconds\":%.1f}\n",
              static_cast<unsigned long long>(all.plans),
              static_cast<unsigned long long>(all.states),
              static_cast<unsigned long long>(all.transitions), cells(all.met),
              static_cast<unsigned long long>(all.rules_missed),
              static_cast<unsigned long long>(all.failed), seconds_since(start));
  return all.failed == 0 ? 0 : 1;
}
