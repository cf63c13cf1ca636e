// The updater: has one step of an update done at a time, waits as long as it says, tells what came
// of it. Begins with the engine, before the service has let it in: an update may be what is
// missing.
#include <algorithm>

#include "actors/stages.hpp"
#include "actors/tasks/update_work.hpp"

namespace pfx::actors {

namespace {

constexpr std::int64_t step_pause_ms = 10; ///< between two parts: others have work too
constexpr std::int64_t busy_pause_ms = 5'000;
constexpr auto topic = "update";

struct updater_state {
  explicit updater_state(updater::pointer owner) : self(owner) {}

  updater::pointer self;
  const tasks::plant* p = nullptr;

  void go();
  void done(const tasks::update_step& step);
  void again(std::int64_t wait_ms) {
    self->delayed_send(self, std::chrono::milliseconds(std::max(wait_ms, step_pause_ms)),
                       tick_atom_v);
  }
};

void updater_state::go() {
  const bool posted = p->io->post([plant = p, me = updater(self)] {
    caf::anon_send(me, pack(plant->updates->step(plant->time->wall())));
  });
  if (!posted)
    again(busy_pause_ms);
}

void updater_state::done(const tasks::update_step& step) {
  if (step.event != 0)
    tell_system(*p, step.failed ? tasks::report::level::warning : tasks::report::level::info,
                step.event, step.text);
  if (step.notice.empty())
    p->attention.clear(topic);
  else
    p->attention.set(topic, step.notice);
  again(step.wait_ms);
}

updater::behavior_type updater_behavior(updater::stateful_pointer<updater_state> self,
                                        const tasks::plant* p) {
  prepare(self, *p, "updater");
  self->state.p = p;
  self->send(self, tick_atom_v);
  return {
    [self](tick_atom) { self->state.go(); },
    [self](const parcel<tasks::update_step>& step) { self->state.done(*step); },
  };
}

} // namespace

updater spawn_updater(caf::actor_system& system, const tasks::plant& p) {
  return system.spawn(updater_behavior, &p);
}

} // namespace pfx::actors
