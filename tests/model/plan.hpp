// What may happen in one search: who takes part and which faults and answers there are.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tests/model/rules.hpp"

namespace pfx::model {

struct plan {
  std::string_view name;
  std::uint8_t connectors = 1;
  std::uint8_t restores = 0; ///< of the first one, to a backup
  std::uint8_t backups = 1;
  bool noticed = true;         ///< a restore is noticed, and everything asked about
  bool clone = false;          ///< a copy of the first one may be started beside it; nobody notices
  bool hands_out_again = true; ///< recorded requests too
  bool heir = false;           ///< the others get recorded requests only
  bool pending = false;        ///< the CA answers pending first
  bool refuses = false;        ///< the CA may refuse
  bool cannot_be_asked
    = false;             ///< the CA knows no transaction ids: each submission is a certificate
  bool gives_up = false; ///< deadlines may pass
  std::uint32_t attempts_max = 0; ///< 0 = attempts do not count
  bool operators = false;         ///< act on what is put aside
  bool rejects = false;           ///< the service may reject a result
  bool forgets = false;           ///< the service may not know an unrecorded request for a while
  bool renews = false;            ///< leases are renewed before they end
  bool other_body = false;        ///< the service may hand out another body under the same name
  bool actors_end = false;        ///< an actor ends, and what it had sent is answered all the same
  bool import = false;
  bool symmetric = false;      ///< states that differ only in which connector is which are one
  std::uint8_t faults_max = 0; ///< in one story; 0 = as many as there may be
  bool liveness = true;
  bool alone = true; ///< each connector must be able to end it alone
  bool in_short = true;
  rule off = rule::none;

  [[nodiscard]] bool loses_memory() const { return restores != 0 || clone; }
  /// Who may exist, clones included.
  [[nodiscard]] std::uint8_t seats() const {
    return static_cast<std::uint8_t>(connectors + (clone ? 1 : 0));
  }
};

[[nodiscard]] const std::vector<plan>& all_plans();
[[nodiscard]] const plan* plan_of(std::string_view name);

} // namespace pfx::model
