// The searches. Short ones run with every check; the others are for an evening.
#include <algorithm>

#include "tests/model/plan.hpp"

namespace pfx::model {

namespace {

std::vector<plan> short_plans() {
  return {
    {.name = "one"},
    {.name = "one-handed-out-once", .hands_out_again = false},
    {.name = "one-pending", .pending = true, .refuses = true},
    {.name = "one-gives-up", .pending = true, .refuses = true, .gives_up = true, .rejects = true},
    {.name = "one-put-aside",
     .gives_up = true,
     .attempts_max = 2,
     .operators = true,
     .rejects = true},
    {.name = "one-renews", .pending = true, .gives_up = true, .renews = true},
    {.name = "one-forgotten-for-a-while", .operators = true, .forgets = true},
    {.name = "one-other-body", .gives_up = true, .other_body = true},
    {.name = "one-loses-actors",
     .pending = true,
     .refuses = true,
     .gives_up = true,
     .rejects = true,
     .actors_end = true},
    {.name = "one-cannot-be-asked", .cannot_be_asked = true, .gives_up = true},
    {.name = "one-restored", .restores = 1},
    {.name = "one-restored-unnoticed", .restores = 1, .noticed = false},
    {.name = "one-restored-gives-up", .restores = 1, .hands_out_again = false, .gives_up = true},
    {.name = "import",
     .gives_up = true,
     .attempts_max = 2,
     .operators = true,
     .rejects = true,
     .import = true},
    {.name = "import-restored", .restores = 1, .gives_up = true, .import = true},
    {.name = "heir", .connectors = 2, .heir = true, .alone = false},
    {.name = "two-imports", .connectors = 2, .hands_out_again = false, .import = true},
  };
}

std::vector<plan> long_plans() {
  return {
    {.name = "two-lose-actors", .connectors = 2, .hands_out_again = false, .actors_end = true},
    {.name = "one-restored-any-trouble",
     .restores = 1,
     .pending = true,
     .refuses = true,
     .gives_up = true,
     .rejects = true},
    {.name = "one-restored-twice", .restores = 2, .backups = 2},
    {.name = "two-handed-out-once", .connectors = 2, .hands_out_again = false},
    {.name = "two", .connectors = 2},
    {.name = "two-pending", .connectors = 2, .pending = true},
    {.name = "clone", .clone = true},
    {.name = "three-heirs", .connectors = 3, .heir = true, .alone = false},
    {.name = "three-imports-one-fault",
     .connectors = 3,
     .hands_out_again = false,
     .import = true,
     .symmetric = true,
     .faults_max = 1,
     .alone = false},
    {.name = "three-with-one-fault",
     .connectors = 3,
     .hands_out_again = false,
     .symmetric = true,
     .faults_max = 1,
     .alone = false},
    {.name = "three-imports",
     .connectors = 3,
     .hands_out_again = false,
     .import = true,
     .symmetric = true,
     .alone = false},
    {.name = "three",
     .connectors = 3,
     .hands_out_again = false,
     .symmetric = true,
     .liveness = false},
    {.name = "two-restored",
     .connectors = 2,
     .restores = 1,
     .hands_out_again = false,
     .liveness = false},
    {.name = "two-give-up",
     .connectors = 2,
     .hands_out_again = false,
     .gives_up = true,
     .liveness = false},
  };
}

} // namespace

const std::vector<plan>& all_plans() {
  static const auto plans = [] {
    auto all = short_plans();
    for (auto one : long_plans()) {
      one.in_short = false;
      all.push_back(one);
    }
    return all;
  }();
  return plans;
}

const plan* plan_of(std::string_view name) {
  const auto& all = all_plans();
  const auto found
    = std::find_if(all.begin(), all.end(), [name](const plan& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

} // namespace pfx::model
