// The issuer: calls to certification authorities, a bounded number at a time, each on an io thread.
#include "actors/stages.hpp"
#include "actors/tasks/authority_calls.hpp"
#include "core/fault_point.hpp"

namespace pfx::actors {

namespace {

struct issuer_state {
  explicit issuer_state(issuer::pointer owner) : self(owner) {}

  issuer::pointer self;
  const tasks::plant* p = nullptr;
  queue_keeper keeper;

  void call(tasks::task what);
};

void issuer_state::call(tasks::task what) {
  const auto key = what.of->key;
  const auto ticket = what.ticket;
  const auto action = what.what;
  const bool posted = p->io->post([what = std::move(what), plant = p, me = issuer(self)] {
    if (plant->halted) {
      return;
    }
    fault_point("before_send", name_of(what.what));
    auto done = tasks::run_authority_task(*plant, what);
    fault_point("after_answer", name_of(what.what));
    caf::anon_send(me, pack(std::move(done)));
  });
  if (!posted) {
    lifecycle::event refused;
    refused.kind = lifecycle::event_kind::ca_unavailable; // nothing was sent
    refused.text = "too many calls wait";
    self->send(keeper, pack(outcome_list{{key, ticket, action, std::move(refused)}}));
  }
}

issuer::behavior_type issuer_behavior(issuer::stateful_pointer<issuer_state> self,
                                      const tasks::plant* p, const queue_keeper& keeper) {
  prepare(self, *p, "issuer");
  self->state.p = p;
  self->state.keeper = keeper;
  return {
    [self](parcel<task_list>& list) {
      for (auto& one : unpack(list)) {
        self->state.call(std::move(one));
      }
    },
    [self](const parcel<tasks::outcome>& done) {
      self->send(self->state.keeper, pack(outcome_list{*done}));
    },
    [self](go_atom) {
      const auto& s = self->state;
      self->send(s.keeper, credit_atom_v, static_cast<std::uint8_t>(tasks::stage::issuer),
                 std::uint64_t{s.p->settings.issuer_calls_max});
    },
  };
}

} // namespace

issuer spawn_issuer(caf::actor_system& system, const tasks::plant& p, const queue_keeper& keeper) {
  return system.spawn(issuer_behavior, &p, keeper);
}

} // namespace pfx::actors
