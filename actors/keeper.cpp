// The queue keeper: moves messages between the ledger, the disk thread and the stages.
#include <deque>
#include <optional>

#include "actors/stages.hpp"
#include "core/fault_point.hpp"

namespace pfx::actors {

namespace {

using keeper_pointer = queue_keeper::pointer;
using tasks::stage;

constexpr auto tick_every = std::chrono::milliseconds(50);
constexpr std::int64_t disk_full_retry_ms = 1'000;
constexpr std::size_t renewals_per_call_max = 200;
constexpr std::size_t reacknowledgements_per_call_max = 200;
constexpr std::int64_t purge_interval_ms = 60'000;
constexpr std::size_t purge_keys_max = 10'000;
constexpr std::uint8_t store_failed = static_cast<std::uint8_t>(errc::store_poisoned);

struct keeper_state {
  explicit keeper_state(keeper_pointer owner) : self(owner) {}

  keeper_pointer self;
  const tasks::plant* p = nullptr;
  std::optional<tasks::ledger> book;
  std::optional<peers> stages;
  supervisor above;
  bool going = false;
  bool stopping = false;
  bool paused = false; ///< disk full
  bool poisoned = false;
  std::string why;
  boot_ms retry_write_at = 0;
  boot_ms purge_at = 0;
  /// Downloads that wait until the change with this number is durable.
  std::deque<std::pair<std::uint64_t, caf::response_promise>> acknowledge;
  std::deque<std::pair<std::uint64_t, caf::response_promise>> operators;
  std::optional<caf::response_promise> download; ///< being looked up
  std::optional<caf::response_promise> stop_promise;

  void load(bool unclean_start);
  void go();
  void take_stages(const peers& made);
  void pump();
  void write();
  void hand_out();
  void written(const write_result& result);
  void answer_durable();
  caf::result<bool> take_download(parcel<tasks::arrivals> download_answer);
  void take_look_up(parcel<look_up> found);
  void take_outcomes(parcel<outcome_list> list);
  void try_finish_stop();
  void purge_now_and_then();
  caf::result<parcel<error>> take_operator_wish(const operator_wish& wish);
  caf::result<parcel<error>> take_note(const tasks::audit_note& what);
  caf::result<parcel<error>> take_orders(const tasks::order_batch& what);
  caf::result<parcel<error>> reconciled(const std::string& random);
  caf::result<parcel<error>> when_durable();
};

// -- start ------

void keeper_state::load(bool unclean_start) {
  book.emplace(*p);
  auto last = p->store->last_audit();
  if (!last) {
    self->send(above, halt_atom_v, store_failed, to_string(last.error()));
  } else if (*last) {
    book->continue_audit((*last)->sequence, (*last)->chain_head);
  }
  auto loaded = p->store->each_record([this, unclean_start](record value) {
    book->load(std::move(value), unclean_start);
    return true;
  });
  if (!loaded) {
    self->send(above, halt_atom_v, store_failed, to_string(loaded.error()));
  }
}

void keeper_state::go() {
  going = true;
  pump();
}

void keeper_state::take_stages(const peers& made) {
  stages = made;
  pump();
}

// -- the pump: one write in flight, everything else follows from it ------

void keeper_state::pump() {
  if (!poisoned) {
    write(); // also before `go`: what a crash left open must not be forgotten by a clean stop
    if (going && !p->halted) {
      hand_out();
    }
  }
  try_finish_stop();
}

void keeper_state::write() {
  if (paused && p->time->boot() < retry_write_at) {
    return;
  }
  auto next = book->take_batch();
  if (!next) {
    return;
  }
  auto batch = std::make_shared<tasks::sealed_batch>(std::move(*next));
  const bool posted = p->disk->post([batch, plant = p, me = queue_keeper(self)] {
    for (const auto state : batch->entered) {
      fault_point("before_persist", name_of(state));
    }
    auto done = plant->store->commit(batch->operations);
    if (done) {
      for (const auto state : batch->entered) {
        fault_point("after_persist", name_of(state));
      }
    }
    caf::anon_send(me,
                   done ? pack(write_result{})
                        : pack(write_result{done.error().code, to_string(done.error())}));
  });
  if (!posted) {
    book->not_committed();
  }
}

void keeper_state::hand_out() {
  if (!stages) {
    return;
  }
  const auto give = [this](stage who, const auto& to) {
    if (auto list = book->take_tasks(who); !list.empty()) {
      self->send(to, pack(std::move(list)));
    }
  };
  give(stage::uploader, stages->results);
  give(stage::issuer, stages->authority);
  give(stage::processor, stages->work);
  give(stage::slow_lane, stages->slow_work);
  if (auto wishes = book->take_renewals(renewals_per_call_max); !wishes.empty()) {
    self->send(stages->results, pack(std::move(wishes)));
  }
  if (auto again = book->take_reacknowledgements(reacknowledgements_per_call_max); !again.empty()) {
    self->send(stages->results, pack(std::move(again)));
  }
  if (auto surplus = book->take_surplus(); !surplus.empty()) {
    self->send(stages->surplus, pack(std::move(surplus)));
  }
  write(); // claims made while handing out
}

void keeper_state::written(const write_result& result) {
  if (result.code == errc::none) {
    paused = false;
    why.clear();
    book->committed();
    answer_durable();
    return;
  }
  book->not_committed();
  why = result.why;
  if (result.code == errc::disk_full) {
    if (!paused) {
      tell_system(*p, tasks::report::level::error, 5001, "paused: " + why);
    }
    paused = true;
    retry_write_at = p->time->boot() + disk_full_retry_ms;
    return;
  }
  poisoned = true;
  self->send(above, halt_atom_v, store_failed, why);
}

void keeper_state::answer_durable() {
  while (!acknowledge.empty() && acknowledge.front().first <= book->durable()) {
    acknowledge.front().second.deliver(true);
    acknowledge.pop_front();
  }
  while (!operators.empty() && operators.front().first <= book->durable()) {
    operators.front().second.deliver(pack(error{errc::none, "", ""}));
    operators.pop_front();
  }
}

// -- downloads ------

caf::result<bool> keeper_state::take_download(parcel<tasks::arrivals> download_answer) {
  if (download) {
    return false; // one at a time; the service hands these out again
  }
  auto promise = self->make_response_promise();
  download = promise;
  auto found = std::make_shared<look_up>();
  found->download = unpack(download_answer);
  auto keys = book->unknown_of(found->download.list);
  const bool posted
    = p->disk->post([found, keys = std::move(keys), plant = p, me = queue_keeper(self)] {
        auto settled = plant->store->find_settled(keys);
        if (!settled) {
          found->fault = settled.error();
        } else {
          for (std::size_t i = 0; i < keys.size(); ++i) {
            if ((*settled)[i]) {
              found->settled.emplace(keys[i], *(*settled)[i]);
            }
          }
          tasks::seal_arrivals(*plant, found->download.list, found->settled);
        }
        caf::anon_send(me, parcel<look_up>(found));
      });
  if (!posted) {
    download.reset();
    promise.deliver(false);
  }
  return caf::delegated<bool>{};
}

void keeper_state::take_look_up(parcel<look_up> found) {
  if (!download) {
    return;
  }
  auto promise = *download;
  download.reset();
  if (found->fault.code != errc::internal || !found->fault.message.empty()) {
    self->send(above, halt_atom_v, store_failed, to_string(found->fault));
    promise.deliver(false);
    return;
  }
  auto content = unpack(found);
  const auto last = book->receive(std::move(content.download.list), content.settled);
  acknowledge.emplace_back(last, promise);
  answer_durable();
  pump();
}

// -- what became of tasks ------

void keeper_state::take_outcomes(parcel<outcome_list> list) {
  for (auto& one : unpack(list)) {
    if (one.halt != errc::none) {
      p->halted = true;
      self->send(above, halt_atom_v, static_cast<std::uint8_t>(one.halt), one.event.text);
    }
    book->apply(std::move(one));
  }
  pump();
}

caf::result<parcel<error>> keeper_state::take_operator_wish(const operator_wish& wish) {
  error refusal{errc::none, "", ""};
  book->operator_word(wish.key, wish.word, &refusal);
  if (refusal.code != errc::none) {
    return pack(std::move(refusal));
  }
  return when_durable();
}

caf::result<parcel<error>> keeper_state::take_note(const tasks::audit_note& what) {
  if (poisoned || stopping) {
    return pack(error{errc::stopping, "", "nothing more is written in this process"});
  }
  book->note(what);
  return when_durable();
}

caf::result<parcel<error>> keeper_state::take_orders(const tasks::order_batch& what) {
  if (poisoned || stopping) {
    return pack(error{errc::stopping, "", "nothing more is written in this process"});
  }
  // Asked here, so that what cannot be written goes back to who brought it: among the changes of
  // others it would be a fault of the disk, and the end of all work.
  if (auto good = p->store->would_take(what.operations); !good) {
    return pack(std::move(good.error()));
  }
  book->write(what);
  return when_durable();
}

caf::result<parcel<error>> keeper_state::reconciled(const std::string& random) {
  book->reconciled(random);
  return when_durable();
}

caf::result<parcel<error>> keeper_state::when_durable() {
  auto promise = self->make_response_promise();
  operators.emplace_back(book->enqueued(), promise);
  pump();
  return caf::delegated<parcel<error>>{};
}

/// Result bytes and trails go when their retention is over; settled records stay.
void keeper_state::purge_now_and_then() {
  const auto now = p->time->boot();
  if (!going || poisoned || paused || now < purge_at) {
    return;
  }
  purge_at = now + purge_interval_ms;
  const auto before = p->time->wall() - p->settings.result_retention_ms;
  book->forget_abandoned(before);
  (void)p->disk->post([plant = p, before] {
    if (auto gone = plant->store->purge(before, purge_keys_max); !gone) {
      tell_system(*plant, tasks::report::level::warning, 5001, "purge: " + to_string(gone.error()));
    }
  });
}

void keeper_state::try_finish_stop() {
  if (stopping && stop_promise && (poisoned || book->quiet())) {
    stop_promise->deliver(!poisoned);
    stop_promise.reset();
  }
}

queue_keeper::behavior_type keeper_behavior(queue_keeper::stateful_pointer<keeper_state> self,
                                            const tasks::plant* p, const supervisor& above,
                                            bool unclean_start) {
  prepare(self, *p, "queue keeper");
  auto& state = self->state;
  state.p = p;
  state.above = above;
  state.load(unclean_start);
  self->delayed_send(self, tick_every, tick_atom_v);
  return {
    [self](const parcel<peers>& stages) { self->state.take_stages(*stages); },
    [self](room_atom) -> caf::result<std::uint64_t, bool> {
      const auto& s = self->state;
      const bool takes = s.going && !s.paused && !s.stopping && !s.poisoned;
      const auto free = takes ? s.book->room() : tasks::demand{};
      return {std::uint64_t{free.requests}, free.imports};
    },
    [self](parcel<tasks::arrivals>& download) {
      return self->state.take_download(std::move(download));
    },
    [self](parcel<look_up>& found) { self->state.take_look_up(std::move(found)); },
    [self](parcel<outcome_list>& list) { self->state.take_outcomes(std::move(list)); },
    [self](credit_atom, std::uint8_t who, std::uint64_t count) {
      self->state.book->grant(static_cast<stage>(who), count);
      self->state.pump();
    },
    [self](lost_atom, std::uint8_t who) {
      self->state.book->stage_lost(static_cast<stage>(who));
      self->state.pump();
    },
    [self](const parcel<write_result>& result) {
      self->state.written(*result);
      self->state.pump();
    },
    [self](const parcel<std::vector<tasks::lease_wish>>& asked) {
      self->state.book->renewals_done(*asked);
    },
    [self](const parcel<surplus_certificate>& answered) {
      self->state.book->surplus_answered(*answered);
      self->state.pump();
    },
    [self](tick_atom) {
      self->state.book->tick();
      self->state.pump();
      self->state.purge_now_and_then();
      self->state.p->anchor_file.keep_current(*self->state.p);
      self->delayed_send(self, tick_every, tick_atom_v);
    },
    [self](go_atom) { self->state.go(); },
    [self](ask_atom) { self->state.book->ask_everything(); },
    [self](ask_atom, const std::string& random) { return self->state.reconciled(random); },
    [self](stop_atom) -> caf::result<bool> {
      auto& s = self->state;
      s.stopping = true;
      s.book->stop_dispatching();
      s.stop_promise = self->make_response_promise();
      s.pump();
      s.try_finish_stop();
      return caf::delegated<bool>{};
    },
    [self](status_atom) -> parcel<keeper_status> {
      const auto& s = self->state;
      return pack(keeper_status{s.book->count_by_state(), s.paused, s.poisoned, s.why});
    },
    [self](const parcel<operator_wish>& wish) { return self->state.take_operator_wish(*wish); },
    [self](const parcel<tasks::audit_note>& what) { return self->state.take_note(*what); },
    [self](const parcel<tasks::order_batch>& what) { return self->state.take_orders(*what); },
    [self](const parcel<list_wish>& wish) -> parcel<std::vector<record>> {
      return pack(self->state.book->list(wish->state, wish->count_max));
    },
  };
}

} // namespace

queue_keeper spawn_keeper(caf::actor_system& system, const tasks::plant& p, const supervisor& above,
                          bool unclean_start) {
  return system.spawn(keeper_behavior, &p, above, unclean_start);
}

} // namespace pfx::actors
