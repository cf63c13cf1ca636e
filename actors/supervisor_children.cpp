// The supervisor's children: made, begun, made again with back-off when they end.
#include <algorithm>

#include "actors/supervisor_state.hpp"

namespace pfx::actors {

namespace {

constexpr std::int64_t restart_wait_base_ms = 100;
constexpr std::int64_t restart_wait_max_ms = 30'000;

/// Linked, so that a killed supervisor takes its children along; its own exit handler turns their
/// ends into restarts.
template <class Handle>
void adopt(supervisor_state& s, const Handle& handle, child which) {
  s.self->link_to(handle);
  s.children.emplace(caf::actor_cast<caf::actor_addr>(handle), which);
}

} // namespace

void supervisor_state::spawn_child(child which) {
  auto& system = self->system();
  switch (which) {
    case child::work:
      stages.work = spawn_processor(system, *p, keeper, tasks::stage::processor);
      adopt(*this, stages.work, which);
      break;
    case child::slow_work:
      stages.slow_work = spawn_processor(system, *p, keeper, tasks::stage::slow_lane);
      adopt(*this, stages.slow_work, which);
      break;
    case child::authority:
      stages.authority = spawn_issuer(system, *p, keeper);
      adopt(*this, stages.authority, which);
      break;
    case child::results:
      stages.results = spawn_uploader(system, *p, keeper, self);
      adopt(*this, stages.results, which);
      break;
    case child::surplus:
      stages.surplus = spawn_revoker(system, *p, keeper);
      adopt(*this, stages.surplus, which);
      break;
    case child::source:
      source = spawn_poller(system, *p, keeper, self);
      adopt(*this, source, which);
      break;
    case child::orders:
      orders = spawn_order_desk(system, *p, keeper, settings.unclean_start || restarts > 0);
      adopt(*this, orders, which);
      break;
    case child::reports:
      reports = spawn_reporter(system, *p);
      adopt(*this, reports, which);
      break;
    case child::updates:
      updates = spawn_updater(system, *p);
      adopt(*this, updates, which);
      break;
    case child::asking:
      asking = spawn_reconciler(system, *p, keeper, self);
      adopt(*this, asking, which);
      break;
  }
}

void supervisor_state::begin_child(child which) {
  switch (which) {
    case child::work:
      self->send(stages.work, go_atom_v);
      break;
    case child::slow_work:
      self->send(stages.slow_work, go_atom_v);
      break;
    case child::authority:
      self->send(stages.authority, go_atom_v);
      break;
    case child::results:
      self->send(stages.results, go_atom_v);
      break;
    case child::surplus:
    case child::orders:
    case child::reports:
    case child::updates:
      break; // begin by themselves
    case child::source:
      self->send(source, go_atom_v);
      break;
    case child::asking:
      self->send(asking, go_atom_v);
      break;
  }
}

void supervisor_state::spawn_line() {
  for (const auto which :
       {child::work, child::slow_work, child::authority, child::results, child::surplus}) {
    spawn_child(which);
  }
  self->send(keeper, pack(peers(stages)));
  self->send(keeper, go_atom_v);
  spawn_child(child::source);
  if (p->revocations != nullptr) {
    spawn_child(child::orders);
  }
  if (p->upkeep != nullptr || p->tenant != nullptr) {
    spawn_child(child::reports);
  }
  for (const auto which :
       {child::work, child::slow_work, child::authority, child::results, child::source}) {
    begin_child(which);
  }
}

void supervisor_state::child_ended(const caf::actor_addr& who) {
  if (halting || (now != phase::running && now != phase::starting)) {
    return;
  }
  if (keeper && who == caf::actor_cast<caf::actor_addr>(keeper)) {
    halt(errc::internal, "the queue keeper ended");
    return;
  }
  const auto found = children.find(who);
  if (found == children.end()) {
    return;
  }
  const auto which = found->second;
  children.erase(found);
  if (which <= child::slow_work) {
    self->send(keeper, lost_atom_v, static_cast<std::uint8_t>(which));
  }
  const auto wait_ms
    = std::min(restart_wait_max_ms, restart_wait_base_ms << std::min(restarts++, 12U));
  tell_system(*p, tasks::report::level::error, 8, "an actor of the line ended and is made again");
  self->delayed_send(self, std::chrono::milliseconds(wait_ms), tick_atom_v,
                     static_cast<std::uint64_t>(which));
}

void supervisor_state::make_again(child which) {
  const bool early = which == child::updates && now == phase::starting;
  if (halting || (!early && now != (which == child::asking ? phase::starting : phase::running))) {
    return;
  }
  spawn_child(which);
  if (which != child::asking && which != child::updates) {
    self->send(keeper, pack(peers(stages)));
  }
  begin_child(which); // its credit must not come before its handle
}

void supervisor_state::end_children() {
  for (const auto& [address, which] : children) {
    self->send_exit(address, caf::exit_reason::user_shutdown);
  }
  children.clear();
  if (keeper) {
    self->send_exit(keeper, caf::exit_reason::user_shutdown);
  }
  keeper = nullptr;
  stages = {};
  source = nullptr;
  orders = nullptr;
  updates = nullptr;
  reports = nullptr;
  asking = nullptr;
}

} // namespace pfx::actors
