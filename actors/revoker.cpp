// The revoker, first form: works off the durable list of surplus certificates that closing found,
// and never gives one up.
#include <algorithm>
#include <map>
#include <tuple>

#include "actors/stages.hpp"
#include "actors/tasks/authority_calls.hpp"
#include "core/fault_point.hpp"

namespace pfx::actors {

namespace {

constexpr auto tick_every = std::chrono::milliseconds(200);
constexpr std::size_t calls_max = 2;

constexpr const char* topic_kept = "surplus kept";

/// Which certificate, as the store tells them apart.
using place = std::tuple<request_key, std::string, std::string, std::string>;
place place_of(const surplus_certificate& one) {
  return {one.request, one.authority, one.issuer, one.serial_number};
}

struct revoker_state {
  explicit revoker_state(revoker::pointer owner) : self(owner) {}

  revoker::pointer self;
  const tasks::plant* p = nullptr;
  queue_keeper keeper;
  std::map<place, surplus_certificate> open; ///< not revoked yet, as known last
  std::multimap<boot_ms, place> waiting;     ///< by the moment of the next try
  std::size_t calls = 0;

  void add(surplus_certificate one);
  void pump();
  void call(surplus_certificate what);
  void answered(const parcel<surplus_certificate>& what, std::int64_t again_in_ms);
  void show() const;
};

/// One that a repeated walk finds again goes on as it was: with its time and its tries.
void revoker_state::add(surplus_certificate one) {
  auto where = place_of(one);
  if (open.try_emplace(where, std::move(one)).second) {
    waiting.emplace(0, std::move(where));
  }
}

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
    const auto next = std::move(waiting.begin()->second);
    waiting.erase(waiting.begin());
    call(open.at(next));
  }
}

void revoker_state::answered(const parcel<surplus_certificate>& what, std::int64_t again_in_ms) {
  --calls;
  auto where = place_of(*what);
  const bool asked = what->attempts != open.at(where).attempts; // else nothing is new
  if (asked) {
    self->send(keeper, what);
  }
  if (again_in_ms > 0) {
    open[where] = *what;
    waiting.emplace(p->time->boot() + again_in_ms, std::move(where));
  } else {
    open.erase(where);
  }
  show();
  pump();
}

/// A certificate that should not be valid is: somebody has to know.
void revoker_state::show() const {
  const auto tried = [](const auto& one) { return one.second.attempts > 0; };
  const auto first = std::find_if(open.begin(), open.end(), tried);
  if (first == open.end()) {
    p->attention.clear(topic_kept);
    return;
  }
  const auto& [where, one] = *first;
  p->attention.set(topic_kept,
                   std::to_string(std::count_if(first, open.end(), tried))
                     + " surplus certificates are not revoked yet; the last answer of "
                     + printable(one.authority) + " about " + one.serial_number + ": "
                     + one.last_answer);
}

/// What a former run left on the list. Blocking on purpose: nothing runs yet.
void load(revoker_state& state) {
  auto read = state.p->store->each_surplus([&state](surplus_certificate one) {
    if (!one.done) {
      state.add(std::move(one));
    }
    return true;
  });
  if (!read) {
    tell_system(*state.p, tasks::report::level::error, 3051, to_string(read.error()));
  }
  state.show();
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
        self->state.add(one);
      }
      self->state.pump();
    },
    [self](const parcel<surplus_certificate>& what, std::int64_t again_in_ms) {
      self->state.answered(what, again_in_ms);
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
