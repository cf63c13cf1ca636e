// The reconciler: asks about everything that was ever handed to this connector, page by page, after
// a loss of memory was noticed. Lives until the last page is durable in the queue keeper's book.
#include "actors/stages.hpp"

#include <algorithm>

#include "core/fault_point.hpp"

namespace pfx::actors {

namespace {

constexpr std::int64_t retry_base_ms = 500;
constexpr std::int64_t retry_max_ms = 60'000;
constexpr auto disk_full_retry = std::chrono::milliseconds(1'000);
constexpr const char* waits_topic = "reconciling waits";
constexpr auto keeper_patience = std::chrono::milliseconds(600'000);

struct reconciler_state {
  explicit reconciler_state(reconciler::pointer owner) : self(owner) {}

  reconciler::pointer self;
  const tasks::plant* p = nullptr;
  queue_keeper keeper;
  supervisor above;
  std::string after; ///< the last requestContext that was asked about
  std::uint32_t failures = 0;
  bool settled = false; ///< what former lives sent has arrived, or never will

  void mark();
  void settle_first();
  void ask();
  void again(std::int64_t not_before_ms);
  void take(const tasks::handed_page& page);
  void finish();
};

/// The mark first: a process that dies in the middle begins again. A full disk is waited for, as
/// the queue keeper does.
void reconciler_state::mark() {
  const bool posted = p->disk->post([plant = p, me = reconciler(self), up = above] {
    auto done = plant->store->commit(
      {storage::put_meta{std::string(tasks::ask_everything_mark), bytes{1}}});
    if (done) {
      plant->attention.clear(waits_topic);
      caf::anon_send(me, tick_atom_v);
    } else if (done.error().code == errc::disk_full) {
      if (plant->attention.set(waits_topic, "asking about everything waits for disk space")) {
        tell_system(*plant, tasks::report::level::error, 5001,
                    "paused: " + to_string(done.error()));
      }
      caf::delayed_anon_send(me, disk_full_retry, go_atom_v);
    } else {
      caf::anon_send(up, halt_atom_v, static_cast<std::uint8_t>(done.error().code),
                     to_string(done.error()));
    }
  });
  if (!posted) {
    self->quit(caf::exit_reason::user_shutdown); // the supervisor makes another one
  }
}

/// A former life that the store has forgotten may have sent a submission just before it ended. Its
/// record is gone, so no closing would wait for it; it is waited for here, once for all requests.
void reconciler_state::settle_first() {
  if (settled || p->authorities.empty()) {
    ask();
    return;
  }
  settled = true;
  self->delayed_send(self, std::chrono::milliseconds(p->rules.ca_settle_ms), tick_atom_v);
}

void reconciler_state::ask() {
  const bool posted = p->io->post([plant = p, me = reconciler(self), from = after] {
    fault_point("before_send", "query");
    auto page = tasks::run_handed_to_me(*plant, from);
    fault_point("after_answer", "query");
    caf::anon_send(me, pack(std::move(page)));
  });
  if (!posted) {
    again(0);
  }
}

void reconciler_state::again(std::int64_t not_before_ms) {
  const auto ceiling = std::min(retry_max_ms, retry_base_ms << std::min(failures++, 12U));
  const auto jittered
    = 1 + static_cast<std::int64_t>(p->random() % static_cast<std::uint64_t>(ceiling));
  self->delayed_send(self, std::chrono::milliseconds(std::max(not_before_ms, jittered)),
                     tick_atom_v);
}

void reconciler_state::take(const tasks::handed_page& page) {
  if (page.recorded.halt != errc::none) {
    self->send(above, halt_atom_v, static_cast<std::uint8_t>(page.recorded.halt),
               page.recorded.why);
    return;
  }
  if (page.recorded.failed) {
    tell_system(*p, tasks::report::level::warning, 5001, "reconcile: " + page.recorded.why);
    again(page.recorded.retry_after_ms);
    return;
  }
  failures = 0;
  const auto next = [this, more = page.recorded.more, last = page.last](bool taken) {
    const bool advanced = taken && last != after;
    after = advanced ? last : after;
    if (taken && !more) {
      finish();
    } else if (advanced) {
      ask();
    } else {
      again(0); // the keeper was busy, or the service turns in a circle
    }
  };
  self->request(keeper, keeper_patience, pack(tasks::arrivals(page.recorded)))
    .then(next, [this](const caf::error&) { again(0); });
}

void reconciler_state::finish() {
  const auto random = std::to_string(p->random()) + std::to_string(p->random());
  self->request(keeper, keeper_patience, ask_atom_v, random)
    .then(
      [this](const parcel<error>& what) {
        if (what->code == errc::none) {
          self->send(above, ask_atom_v);
        } else {
          self->send(above, halt_atom_v, static_cast<std::uint8_t>(what->code), to_string(*what));
        }
      },
      [this](const caf::error&) { self->quit(caf::exit_reason::user_shutdown); });
}

reconciler::behavior_type reconciler_behavior(reconciler::stateful_pointer<reconciler_state> self,
                                              const tasks::plant* p, const queue_keeper& keeper,
                                              const supervisor& above) {
  prepare(self, *p, "reconciler");
  self->state.p = p;
  self->state.keeper = keeper;
  self->state.above = above;
  return {
    [self](go_atom) { self->state.mark(); },
    [self](tick_atom) { self->state.settle_first(); },
    [self](const parcel<tasks::handed_page>& page) { self->state.take(*page); },
  };
}

} // namespace

reconciler spawn_reconciler(caf::actor_system& system, const tasks::plant& p,
                            const queue_keeper& keeper, const supervisor& above) {
  return system.spawn(reconciler_behavior, &p, keeper, above);
}

} // namespace pfx::actors
