// The uploader: results, questions, leases and re-acknowledgements, many requests a call. While
// calls are under way, what arrives collects for the next one; a few results wait a moment for more
// rather than take a second call.
#include <algorithm>
#include <deque>

#include "actors/stages.hpp"
#include "core/fault_point.hpp"

namespace pfx::actors {

namespace {

using tasks::service_outcomes;

constexpr std::size_t calls_waiting_max = 64;    ///< renewals and re-acknowledgements that wait
constexpr std::size_t results_worth_a_call = 16; ///< beside one that is under way
constexpr auto results_wait = std::chrono::milliseconds(10);

struct uploader_state {
  explicit uploader_state(uploader::pointer owner) : self(owner) {}

  uploader::pointer self;
  const tasks::plant* p = nullptr;
  queue_keeper keeper;
  supervisor above;
  std::vector<tasks::task> uploads;
  std::vector<tasks::task> queries;
  std::deque<parcel<std::vector<tasks::lease_wish>>> renewals;
  std::deque<parcel<std::vector<tasks::settled_again>>> acknowledgements;
  std::size_t calls = 0;
  bool ticking = false; ///< a tick is on its way
  bool waited = false;  ///< it came: few results are enough

  void take(task_list list);
  void pump();
  void waited_enough();
  [[nodiscard]] bool uploads_ready() const;
  bool send_next();
  template <class Call>
  void start(std::string_view label, Call call);
  void finished(const service_outcomes& done);
};

void uploader_state::take(task_list list) {
  for (auto& one : list) {
    (one.what == lifecycle::action::upload ? uploads : queries).push_back(std::move(one));
  }
  pump();
}

/// Tasks of one call, taken off the front.
task_list cut(std::vector<tasks::task>& from, std::size_t count_max) {
  const auto count = static_cast<std::ptrdiff_t>(std::min(from.size(), count_max));
  task_list out(std::make_move_iterator(from.begin()),
                std::make_move_iterator(from.begin() + count));
  from.erase(from.begin(), from.begin() + count);
  return out;
}

template <class Call>
void uploader_state::start(std::string_view label, Call call) {
  ++calls;
  const bool posted = p->io->post([label, call = std::move(call), plant = p, me = uploader(self)] {
    if (plant->halted) {
      return;
    }
    fault_point("before_send", label);
    auto done = call();
    fault_point("after_answer", label);
    caf::anon_send(me, pack(std::move(done)));
  });
  if (!posted) {
    --calls; // only while the executor stops; timeouts of the lease take care of the rest
  }
}

void uploader_state::pump() {
  while (calls < p->settings.upload_calls_max && send_next()) {}
  if (!uploads.empty() && calls < p->settings.upload_calls_max && !ticking) {
    ticking = true;
    self->delayed_send(self, results_wait, tick_atom_v);
  }
}

void uploader_state::waited_enough() {
  ticking = false;
  waited = true;
  pump();
  waited = false;
}

/// Each call costs the same few dozen microseconds on both sides, however little it carries.
bool uploader_state::uploads_ready() const {
  return !uploads.empty() && (calls == 0 || waited || uploads.size() >= results_worth_a_call);
}

/// Leases first: they are what everything else rests on.
bool uploader_state::send_next() {
  const auto max = p->settings.upload_entries_max;
  if (!renewals.empty()) {
    auto wishes = renewals.front();
    renewals.pop_front();
    start("renew", [wishes, plant = p, to = keeper] {
      auto done = tasks::run_renewals(*plant, *wishes);
      if (done.outcomes.size() < wishes->size()) {
        caf::anon_send(to, wishes);
      }
      return done;
    });
    return true;
  }
  if (uploads_ready()) {
    start("upload",
          [list = cut(uploads, max), plant = p] { return tasks::run_uploads(*plant, list); });
    return true;
  }
  if (!queries.empty()) {
    start("query",
          [list = cut(queries, max), plant = p] { return tasks::run_queries(*plant, list); });
    return true;
  }
  if (!acknowledgements.empty()) {
    auto again = acknowledgements.front();
    acknowledgements.pop_front();
    start("reacknowledge",
          [again, plant = p] { return tasks::run_reacknowledgements(*plant, *again); });
    return true;
  }
  return false;
}

void uploader_state::finished(const service_outcomes& done) {
  --calls;
  if (done.halt != errc::none) {
    self->send(above, halt_atom_v, static_cast<std::uint8_t>(done.halt), done.why);
  }
  if (!done.outcomes.empty()) {
    self->send(keeper, pack(outcome_list(done.outcomes)));
  }
  pump();
}

uploader::behavior_type uploader_behavior(uploader::stateful_pointer<uploader_state> self,
                                          const tasks::plant* p, const queue_keeper& keeper,
                                          const supervisor& above) {
  prepare(self, *p, "uploader");
  self->state.p = p;
  self->state.keeper = keeper;
  self->state.above = above;
  return {
    [self](parcel<task_list>& list) { self->state.take(unpack(list)); },
    [self](const parcel<std::vector<tasks::lease_wish>>& wishes) {
      self->state.renewals.push_back(wishes);
      self->state.pump();
    },
    [self](const parcel<std::vector<tasks::settled_again>>& again) {
      auto& waiting = self->state.acknowledgements;
      if (waiting.size() < calls_waiting_max) { // the rest comes with the next hand-out
        waiting.push_back(again);
      }
      self->state.pump();
    },
    [self](const parcel<service_outcomes>& done) { self->state.finished(*done); },
    [self](tick_atom) { self->state.waited_enough(); },
    [self](go_atom) {
      const auto& s = self->state;
      const auto entries = s.p->settings.upload_calls_max * s.p->settings.upload_entries_max;
      self->send(s.keeper, credit_atom_v, static_cast<std::uint8_t>(tasks::stage::uploader),
                 std::uint64_t{2 * entries});
    },
  };
}

} // namespace

uploader spawn_uploader(caf::actor_system& system, const tasks::plant& p,
                        const queue_keeper& keeper, const supervisor& above) {
  return system.spawn(uploader_behavior, &p, keeper, above);
}

} // namespace pfx::actors
