// What the supervisor knows, and its deeds by name. Internal to the actor; supervisor.cpp has the
// check-in and the end, supervisor_children.cpp those it owns.
#pragma once

#include "actors/stages.hpp"

namespace pfx::actors {

using phase = supervision::phase;

/// The first four in the order of tasks::stage.
enum class child : std::uint8_t {
  work = 0,
  authority,
  results,
  slow_work,
  surplus,
  source,
  orders,
  reports,
  updates,
  asking
};

struct supervisor_state {
  explicit supervisor_state(supervisor::pointer owner) : self(owner) {}

  supervisor::pointer self;
  tasks::plant* p = nullptr;
  supervisor_settings settings;
  phase now = phase::starting;
  support::notice about_us; ///< the service's last words on this version
  std::string lifecycle;    ///< what follows from them by now
  queue_keeper keeper;
  peers stages;
  poller source;
  order_desk orders; ///< none without a revocation service
  reporter reports;  ///< none without a port to look through
  updater updates;   ///< none without a feed
  std::map<caf::actor_addr, child> children;
  std::uint32_t restarts = 0;
  std::uint32_t failures = 0;
  std::uint32_t stale_epochs = 0;
  bool checking_in = false;
  bool accepted = false;       ///< the service took a check-in of this run
  bool ask_everything = false; ///< we were stale, or the store is older than it should be
  bool reconciled = false;     ///< everything was asked about; the next check-in says so
  reconciler asking;
  /// Why it halts, while the mark of that is written; `now` follows when it is durable.
  std::optional<std::pair<errc, std::string>> halting;
  std::optional<caf::response_promise> stop_promise; ///< of a stop that came meanwhile

  void enter(phase next, errc why = errc::none, std::string words = {});
  void spawn_line();
  void spawn_child(child which);
  void begin_child(child which);
  void child_ended(const caf::actor_addr& who);
  void make_again(child which);
  void check_in();
  void checked_in(const tasks::check_in_outcome& answer);
  void judge_support(const tasks::check_in_outcome& answer);
  void stale(const tasks::check_in_outcome& answer);
  void run();
  void begin_reconcile(std::string why);
  void everything_asked();
  void halt(errc why, std::string words);
  [[nodiscard]] bool mark_halt(const std::string& words);
  void halted();
  void end_children();
  caf::result<bool> stop();
  void stop_keeper(bool others_quiet);
};

} // namespace pfx::actors
