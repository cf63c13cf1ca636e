// The revoker, first form: works off the durable list of surplus certificates that closing found.
#include <deque>
#include <map>

#include "actors/stages.hpp"
#include "actors/tasks/authority_calls.hpp"
#include "core/fault_point.hpp"

namespace pfx::actors {

namespace {

constexpr auto tick_every = std::chrono::milliseconds(200);
constexpr std::size_t calls_max = 2;

struct revoker_state {
  explicit revoker_state(revoker::pointer owner) : self(owner) {}

  revoker::pointer self;
  const tasks::plant* p = nullptr;
  queue_keeper keeper;
  std::multimap<boot_ms, surplus_certificate> waiting; ///< by the moment of the next try
  std::size_t calls = 0;

  void pump();
  void call(surplus_certificate what);
};

void revoker_state::call(surplus_certificate what) {
  ++calls;
  auto shared = std::make_shared<surplus_certificate>(std::move(what));
  const bool posted = p->io->post([shared, plant = p, me = revoker(self)] {
    if (plant->halted) {
      return;
    }
    fault_point("before_send", "revoke");
    const auto again_in = tasks::revoke_surplus(*plant, *shared);
    fault_point("after_answer", "revoke");
    caf::anon_send(me, parcel<surplus_certificate>(shared), again_in);
  });
  if (!posted) {
    --calls; // stopping; the list is durable
  }
}

void revoker_state::pump() {
  const auto now = p->time->boot();
  while (calls < calls_max && !waiting.empty() && waiting.begin()->first <= now) {
    auto next = std::move(waiting.begin()->second);
    waiting.erase(waiting.begin());
    call(std::move(next));
  }
}

/// What a former run left on the list. Blocking on purpose: nothing runs yet.
void load(revoker_state& state) {
  auto read = state.p->store->each_surplus([&state](surplus_certificate one) {
    if (!one.done) {
      state.waiting.emplace(0, std::move(one));
    }
    return true;
  });
  if (!read) {
    tell_system(*state.p, tasks::report::level::error, 3051, to_string(read.error()));
  }
}

revoker::behavior_type revoker_behavior(revoker::stateful_pointer<revoker_state> self,
                                        const tasks::plant* p, const queue_keeper& keeper) {
  prepare(self, *p, "revoker");
  self->state.p = p;
  self->state.keeper = keeper;
  load(self->state);
  self->delayed_send(self, tick_every, tick_atom_v);
  return {
    [self](const parcel<std::vector<surplus_certificate>>& found) {
      for (const auto& one : *found) {
        self->state.waiting.emplace(0, one);
      }
      self->state.pump();
    },
    [self](const parcel<surplus_certificate>& answered, std::int64_t again_in_ms) {
      auto& s = self->state;
      --s.calls;
      self->send(s.keeper, answered);
      if (again_in_ms > 0) {
        s.waiting.emplace(s.p->time->boot() + again_in_ms, *answered);
      }
      s.pump();
    },
    [self](tick_atom) {
      self->state.pump();
      self->delayed_send(self, tick_every, tick_atom_v);
    },
  };
}

} // namespace

revoker spawn_revoker(caf::actor_system& system, const tasks::plant& p,
                      const queue_keeper& keeper) {
  return system.spawn(revoker_behavior, &p, keeper);
}

} // namespace pfx::actors
