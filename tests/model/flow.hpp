// The real lifecycle (core/lifecycle), as the model sees it: facts in, facts out. Every answer is
// computed by lifecycle::step() once and remembered; nothing of the flow is described again here.
#pragma once

#include <unordered_map>

#include "core/lifecycle.hpp"
#include "tests/model/rules.hpp"
#include "tests/model/state.hpp"

namespace pfx::model {

/// An event, packed. `document` is what was built or stands recorded; it names its certificate.
struct happening {
  std::uint64_t kind : 6; ///< lifecycle::event_kind
  std::uint64_t number : 4;
  std::uint64_t lease : 2; ///< lease_word of the deadline that came with it
  std::uint64_t thumbprint : 4;
  std::uint64_t document : 8;
  std::uint64_t generation : 3;
  std::uint64_t found : 8; ///< of a walk: a bit for each slot
  std::uint64_t walk_ended : 1;
  std::uint64_t walk_early : 1; ///< it began when a submission could still arrive
  std::uint64_t late : 1;       ///< after every deadline
  std::uint64_t unused : 26;
};
static_assert(sizeof(happening) == 8);
[[nodiscard]] happening happens(lifecycle::event_kind kind);

struct reaction {
  facts next;
  std::uint8_t surplus; ///< a bit for each slot that is to be revoked
  bool refused;
};

/// What a record calls for.
struct outlook {
  lifecycle::action next = lifecycle::action::none;
  bool lapsed = false; ///< due() says lease_lost
  bool has_deadline = false;
  bool lease_due = false;
};

/// Which events met which states.
using coverage = std::array<std::array<bool, record_state_count>, lifecycle::event_kind_count>;

class flow {
public:
  struct options {
    bool import = false;
    std::uint32_t attempts_max = 0; ///< 0 = they do not count
    rule off = rule::none;
  };
  flow(const options& how, coverage* met);

  [[nodiscard]] reaction apply(facts before, happening what);
  [[nodiscard]] outlook look(facts at);
  [[nodiscard]] facts receive(std::uint8_t number, std::uint64_t lease) const;
  /// Recorded, and never heard of: only known after a loss of memory.
  [[nodiscard]] facts recall(std::uint8_t number, std::uint8_t recorded) const;
  /// What the ledger does to every open record when a loss of memory was noticed.
  [[nodiscard]] facts ask_everything(facts before) const;

private:
  [[nodiscard]] record expand(facts from) const;
  [[nodiscard]] facts pack(const record& from, std::uint64_t key) const;
  [[nodiscard]] reaction compute(facts before, happening what) const;
  void break_before(facts before, lifecycle::event& what) const;
  void break_after(facts before, happening what, reaction& out) const;

  options how_;
  coverage* met_;
  lifecycle::rules rules_;
  std::unordered_map<std::uint64_t, std::unordered_map<std::uint64_t, reaction>> known_;
  std::unordered_map<std::uint64_t, outlook> looked_;
};

} // namespace pfx::model
