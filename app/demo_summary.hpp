// What a demo came to: the judge's verdict, and what happened to the processes. Pure.
#pragma once

#include "app/report.hpp"
#include "sandbox/sandbox.hpp"

namespace pfx::app {

struct demo_facts {
  std::uint64_t engine_restarts = 0;
  std::uint64_t kills = 0; ///< our own; restarts may be more if somebody else killed too
  double seconds = 0;
  std::vector<std::string> faults; ///< of the run itself: a crash, a late stop, the time limit
};

/// True only if the judge found nothing wrong, all requests ended as they had to, and the run was
/// clean.
[[nodiscard]] bool is_good(const sandbox::summary& verdict, const demo_facts& facts);
[[nodiscard]] fields fields_of(const sandbox::summary& verdict, const demo_facts& facts);
/// For people: a few lines, the last one the word that counts.
[[nodiscard]] std::string table_of(const sandbox::summary& verdict, const demo_facts& facts);

} // namespace pfx::app
