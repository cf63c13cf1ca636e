// The supervisor: owns all actors. The first check-in comes before anything else is sent; children
// that end are made again with back-off, except the queue keeper, without which nothing may go on.
#include <algorithm>
#include <utility>

#include "actors/supervisor_state.hpp"
#include "core/codec.hpp"
#include "core/fault_point.hpp"

namespace pfx::actors {

namespace {

constexpr auto stop_patience
  = std::chrono::milliseconds(3'600'000); ///< the host's deadline is the real one
constexpr auto halt_mark_patience = std::chrono::milliseconds(10'000);
constexpr std::int64_t check_in_retry_base_ms = 500;
constexpr std::int64_t check_in_retry_max_ms = 60'000;
constexpr std::uint32_t stale_epochs_max = 3; ///< at the first check-in, before we give up

// Ticks: what they are for, in the low byte; the rest is the round.
constexpr std::uint64_t tick_check_in = 100;
constexpr std::uint64_t tick_halted = 101; ///< the mark of a halt is written, or was not in time

} // namespace

void supervisor_state::enter(phase next, errc why, std::string words) {
  now = next;
  if (settings.on_phase) {
    settings.on_phase({next, why, std::move(words), lifecycle});
  }
}

// -- check-in ------

void supervisor_state::check_in() {
  if (checking_in || halting || (now != phase::starting && now != phase::running)) {
    return;
  }
  checking_in = p->io->post([plant = p, me = supervisor(self), reconciled = this->reconciled] {
    fault_point("before_send", "check_in");
    auto answer = tasks::run_check_in(*plant, reconciled);
    fault_point("after_answer", "check_in");
    caf::anon_send(me, pack(std::move(answer)));
  });
  if (!checking_in) {
    self->delayed_send(self, std::chrono::milliseconds(check_in_retry_max_ms), tick_atom_v,
                       tick_check_in);
  }
}

/// Also when the service does not answer: dates go on without it.
void supervisor_state::judge_support(const tasks::check_in_outcome& answer) {
  if (answer.accepted) {
    about_us = answer.about_us;
  }
  const auto found = support::judge(about_us, p->settings.connector_version, p->time->wall());
  const auto before = std::exchange(lifecycle, std::string(support::word_of(found.is)));
  if (found.sentence.empty()) {
    p->attention.clear("support");
  } else {
    p->attention.set("support", found.sentence);
  }
  if (before == lifecycle || now == phase::halted || now == phase::stopped) {
    return;
  }
  if (!found.sentence.empty()) {
    const bool over = found.is == support::standing::unsupported;
    p->tell({tasks::report::channel::admin,
             over ? tasks::report::level::error : tasks::report::level::warning,
             static_cast<std::uint16_t>(over ? 7011 : 7010), p->time->wall(), "", "", 0,
             found.sentence});
  }
  enter(now); // who watches sees the word; the phase stays
}

void supervisor_state::checked_in(const tasks::check_in_outcome& answer) {
  checking_in = false;
  if (halting) {
    return;
  }
  judge_support(answer);
  if (answer.code == errc::stale_epoch && accepted) { // while it stops, too: it has to be durable
    halt(errc::stale_epoch, answer.why);
    return;
  }
  if (now != phase::starting && now != phase::running) {
    return;
  }
  if (answer.accepted) {
    accepted = true;
    failures = 0;
    if (answer.reconcile && now == phase::running) {
      halt(errc::corrupt,
           "the service knows a later state of this connector than the store does: another process "
           "lives under our name");
      return;
    }
    if (now == phase::starting && !reconciled && (answer.reconcile || ask_everything)) {
      begin_reconcile(answer.reconcile ? "the service knows a later state of this connector"
                                       : "the store may be older than what was sent from it");
      return;
    }
    reconciled = false; // said
    if (now == phase::starting) {
      run();
    }
    self->delayed_send(self, std::chrono::milliseconds(p->settings.check_in_interval_ms),
                       tick_atom_v, tick_check_in);
    return;
  }
  if (answer.code == errc::stale_epoch) {
    stale(answer);
    return;
  }
  if (answer.code == errc::unauthorized && now == phase::starting && failures >= 2) {
    halt(errc::unauthorized, answer.why);
    return;
  }
  tell_system(*p, tasks::report::level::warning, 5001, "check-in failed: " + answer.why);
  const auto ceiling
    = std::min(check_in_retry_max_ms, check_in_retry_base_ms << std::min(failures++, 12U));
  const auto jittered
    = 1 + static_cast<std::int64_t>(p->random() % static_cast<std::uint64_t>(ceiling));
  self->delayed_send(self, std::chrono::milliseconds(std::max(answer.retry_after_ms, jittered)),
                     tick_atom_v, tick_check_in);
}

/// Before the first acceptance of a run: a higher epoch, durable, then again.
void supervisor_state::stale(const tasks::check_in_outcome& answer) {
  if (++stale_epochs > stale_epochs_max) {
    halt(errc::stale_epoch, answer.why);
    return;
  }
  ask_everything = true;
  reconciled = false; // somebody else may have worked since
  auto who = p->caller.current();
  who.epoch = std::max(who.epoch, answer.highest_epoch) + 1;
  const bool posted = p->disk->post([plant = p, who, me = supervisor(self)] {
    writer value;
    value.u64(who.epoch);
    auto done = plant->store->commit(
      {storage::put_meta{"epoch", value.take()},
       storage::put_meta{std::string(tasks::ask_everything_mark), bytes{1}}});
    if (done) {
      plant->caller.set(who);
      caf::anon_send(me, tick_atom_v, tick_check_in);
    } else {
      caf::anon_send(me, halt_atom_v, static_cast<std::uint8_t>(done.error().code),
                     to_string(done.error()));
    }
  });
  if (!posted) {
    halt(errc::internal, "the disk thread takes no work");
  }
}

void supervisor_state::run() {
  enter(phase::running);
  spawn_line();
}

/// Nothing is submitted before everything was asked about.
void supervisor_state::begin_reconcile(std::string why) {
  tell_system(*p, tasks::report::level::warning, 10, "reconciling: " + why);
  enter(phase::starting, errc::none, "reconciling: " + std::move(why));
  self->send(keeper, ask_atom_v);
  spawn_child(child::asking);
  begin_child(child::asking);
}

void supervisor_state::everything_asked() {
  if (now != phase::starting || !asking) {
    return;
  }
  tell_system(*p, tasks::report::level::info, 10, "reconciled");
  children.erase(caf::actor_cast<caf::actor_addr>(asking));
  self->unlink_from(asking);
  self->send_exit(asking, caf::exit_reason::user_shutdown);
  asking = nullptr;
  ask_everything = false;
  reconciled = true;
  check_in();
}

// -- the end ------

void supervisor_state::halt(errc why, std::string words) {
  if (now == phase::halted || now == phase::stopped || halting) {
    return;
  }
  p->halted = true; // before anything else: calls that wait for a thread are not made any more
  // Once a run was accepted, somebody else lives under our name, whatever we do meanwhile.
  const bool for_good = accepted && (why == errc::stale_epoch || why == errc::corrupt);
  tell_system(*p, tasks::report::level::error, 9, "halted: " + words);
  if (source) {
    self->send(source, stop_atom_v);
  }
  halting.emplace(why, std::move(words));
  // A host ends the process when it hears of the halt: by then the mark has to be on the disk, or
  // two copies would take turns in ending each other.
  if (!for_good || !mark_halt(halting->second)) {
    halted();
  }
}

/// False if nothing will answer.
bool supervisor_state::mark_halt(const std::string& words) {
  self->delayed_send(self, halt_mark_patience, tick_atom_v, tick_halted);
  return p->disk->post([plant = p, words, me = supervisor(self)] {
    auto done = plant->store->commit(
      {storage::put_meta{std::string(tasks::halted_mark), to_bytes(printable(words, 400))}});
    if (!done) {
      tell_system(*plant, tasks::report::level::error, 9,
                  "the mark of the halt is not written, do not start again: "
                    + to_string(done.error()));
    }
    caf::anon_send(me, tick_atom_v, tick_halted);
  });
}

void supervisor_state::halted() {
  if (!halting || now == phase::halted) {
    return;
  }
  // What is under way is only forgotten: every fact it rests on is durable, and the mark of the
  // running store stays, so that the next start counts as one after an unclean end.
  enter(phase::halted, halting->first, halting->second);
  end_children();
  if (stop_promise) {
    stop_promise->deliver(false);
    self->quit();
  }
}

caf::result<bool> supervisor_state::stop() {
  auto promise = self->make_response_promise();
  if (halting && now != phase::halted) {
    stop_promise = promise;
    return caf::delegated<bool>{};
  }
  if (now == phase::halted || !keeper) {
    end_children();
    promise.deliver(false);
    self->quit();
    return caf::delegated<bool>{};
  }
  enter(phase::stopping);
  if (source) {
    self->send(source, stop_atom_v);
  }
  stop_promise = promise;
  if (!orders) {
    stop_keeper(true);
    return caf::delegated<bool>{};
  }
  // First who writes through the keeper, then the keeper.
  self->request(orders, stop_patience, stop_atom_v)
    .then([this](bool quiet) { stop_keeper(quiet); },
          [this](const caf::error&) { stop_keeper(false); });
  return caf::delegated<bool>{};
}

void supervisor_state::stop_keeper(bool others_quiet) {
  const auto finish = [this, others_quiet](bool quiet) {
    if (halting) {
      return; // answered when the mark of that is written
    }
    end_children();
    enter(phase::stopped);
    stop_promise->deliver(quiet && others_quiet);
    self->quit();
  };
  self->request(keeper, stop_patience, stop_atom_v)
    .then([finish](bool quiet) { finish(quiet); }, [finish](const caf::error&) { finish(false); });
}

namespace {

error not_running() { return {errc::stopping, "", "the engine does not run"}; }

/// Lets a child answer, or answers in its place where there is none.
template <class Child, class Question, class Answer>
caf::result<parcel<Answer>> pass_on(supervisor::stateful_pointer<supervisor_state> self,
                                    const Child& to, const Question& what, Answer otherwise) {
  if (!to) {
    return pack(std::move(otherwise));
  }
  return self->delegate(to, what);
}

supervisor::behavior_type supervisor_behavior(supervisor::stateful_pointer<supervisor_state> self,
                                              tasks::plant* p, supervisor_settings settings) {
  prepare(self, *p, "supervisor");
  self->state.p = p;
  self->state.settings = std::move(settings);
  self->state.ask_everything = self->state.settings.ask_everything;
  self->set_exception_handler([self](caf::scheduled_actor*, std::exception_ptr& thrown) {
    self->state.enter(phase::halted, errc::internal, "supervisor: " + words_of(thrown));
    return caf::error{caf::exit_reason::unhandled_exception};
  });
  self->set_exit_handler([self](caf::exit_msg& gone) { self->state.child_ended(gone.source); });
  return {
    [self](go_atom) {
      auto& s = self->state;
      s.keeper = spawn_keeper(self->system(), *s.p, self, s.settings.unclean_start);
      self->link_to(s.keeper);
      if (s.p->updates != nullptr) {
        s.spawn_child(child::updates);
      }
      s.check_in();
    },
    [self](const parcel<tasks::check_in_outcome>& answer) { self->state.checked_in(*answer); },
    [self](ask_atom) { self->state.everything_asked(); },
    [self](tick_atom, std::uint64_t what) {
      auto& s = self->state;
      if (what == tick_check_in) {
        s.check_in();
      } else if (what == tick_halted) {
        s.halted();
      } else {
        s.make_again(static_cast<child>(what));
      }
    },
    [self](halt_atom, std::uint8_t why, const std::string& words) {
      self->state.halt(static_cast<errc>(why), words);
    },
    [self](stop_atom) { return self->state.stop(); },
    [self](status_atom) {
      return pass_on(self, self->state.keeper, status_atom_v, keeper_status{});
    },
    [self](const parcel<operator_wish>& wish) {
      return pass_on(self, self->state.keeper, wish, not_running());
    },
    [self](const parcel<tasks::audit_note>& what) {
      return pass_on(self, self->state.keeper, what, not_running());
    },
    [self](const parcel<order_wish>& wish) {
      return pass_on(self, self->state.orders, wish,
                     error{errc::not_found, "", "this engine takes no revocation orders"});
    },
    [self](const parcel<order_list_wish>& wish) {
      return pass_on(self, self->state.orders, wish, std::vector<revocation_order>{});
    },
    [self](const parcel<list_wish>& wish) {
      return pass_on(self, self->state.keeper, wish, std::vector<record>{});
    },
  };
}

} // namespace

supervisor spawn_supervisor(caf::actor_system& system, tasks::plant& p,
                            supervisor_settings settings) {
  return system.spawn(supervisor_behavior, &p, std::move(settings));
}

} // namespace pfx::actors
