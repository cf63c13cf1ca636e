// The reporter: looks after what the engine proves itself with, early enough that nobody notices.
// One look at a time. The check-ins themselves are the supervisor's, because a halt hangs on them.
#include "actors/stages.hpp"
#include "actors/tasks/upkeep.hpp"

namespace pfx::actors {

namespace {

struct reporter_state {
  reporter::pointer self = nullptr;
  const tasks::plant* p = nullptr;
  tasks::upkeep_memory memory;

  void look();
};

void reporter_state::look() {
  tasks::tell_expiries(*p, memory);
  auto& outside = p->orders_io != nullptr ? *p->orders_io : *p->io;
  const bool posted = outside.post([plant = p, me = reporter(self)] {
    if (!plant->halted) {
      tasks::run_upkeep(*plant);
    }
    caf::anon_send(me, room_atom_v);
  });
  if (!posted) { // stopping, or no room just now
    self->delayed_send(self, std::chrono::milliseconds(p->settings.upkeep_interval_ms),
                       tick_atom_v);
  }
}

reporter::behavior_type reporter_behavior(reporter::stateful_pointer<reporter_state> self,
                                          const tasks::plant* p) {
  prepare(self, *p, "reporter");
  self->state.self = self;
  self->state.p = p;
  self->send(self, tick_atom_v);
  return {
    [self](tick_atom) { self->state.look(); },
    [self](room_atom) {
      auto& s = self->state;
      tasks::tell_expiries(*s.p, s.memory); // a renewal changes them
      self->delayed_send(self, std::chrono::milliseconds(s.p->settings.upkeep_interval_ms),
                         tick_atom_v);
    },
  };
}

} // namespace

reporter spawn_reporter(caf::actor_system& system, const tasks::plant& p) {
  return system.spawn(reporter_behavior, &p);
}

} // namespace pfx::actors
