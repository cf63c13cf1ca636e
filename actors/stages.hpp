// How the actors of the line are made. Each is owned by the supervisor, which gives it the handles
// it needs; none outlives the plant.
#pragma once

#include "actors/common.hpp"

namespace pfx::actors {

/// Reads all open records from the store before its first message (blocking on purpose: nothing
/// runs yet). Dispatches nothing before `go`.
[[nodiscard]] queue_keeper spawn_keeper(caf::actor_system& system, const tasks::plant& p,
                                        const supervisor& above, bool unclean_start);
/// `lane` is stage::processor or stage::slow_lane: which executor it works on, and with how many.
[[nodiscard]] processor spawn_processor(caf::actor_system& system, const tasks::plant& p,
                                        const queue_keeper& keeper, tasks::stage lane);
[[nodiscard]] crypto_worker spawn_crypto_worker(caf::actor_system& system, const tasks::plant& p,
                                                tasks::stage lane);
[[nodiscard]] issuer spawn_issuer(caf::actor_system& system, const tasks::plant& p,
                                  const queue_keeper& keeper);
[[nodiscard]] uploader spawn_uploader(caf::actor_system& system, const tasks::plant& p,
                                      const queue_keeper& keeper, const supervisor& above);
[[nodiscard]] revoker spawn_revoker(caf::actor_system& system, const tasks::plant& p,
                                    const queue_keeper& keeper);
/// `unclean`: a former run, or a former desk of this one, did not end in order.
[[nodiscard]] order_desk spawn_order_desk(caf::actor_system& system, const tasks::plant& p,
                                          const queue_keeper& keeper, bool unclean);
[[nodiscard]] reporter spawn_reporter(caf::actor_system& system, const tasks::plant& p);
/// Begins by itself; what it does is in files, so that nothing is lost when it ends.
[[nodiscard]] updater spawn_updater(caf::actor_system& system, const tasks::plant& p);
[[nodiscard]] poller spawn_poller(caf::actor_system& system, const tasks::plant& p,
                                  const queue_keeper& keeper, const supervisor& above);

[[nodiscard]] reconciler spawn_reconciler(caf::actor_system& system, const tasks::plant& p,
                                          const queue_keeper& keeper, const supervisor& above);

/// What the keeper hands work to. Sent again when a stage was restarted.
struct peers {
  processor work;
  processor slow_work;
  issuer authority;
  uploader results;
  revoker surplus;
};

/// Told about each change of phase; called from an actor's thread.
using phase_sink = std::function<void(const supervision&)>;

struct supervisor_settings {
  bool unclean_start = false;
  bool ask_everything
    = false; ///< a former run learnt that it had been stale, and ended before it asked
  phase_sink on_phase;
};
[[nodiscard]] supervisor spawn_supervisor(caf::actor_system& system, tasks::plant& p,
                                          supervisor_settings settings);

} // namespace pfx::actors
