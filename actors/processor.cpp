// The processor and its crypto workers: work that takes the CPU, one request a worker at a time.
// The slow lane is another one, with a single worker in the background.
#include <deque>
#include <vector>

#include "actors/stages.hpp"
#include "actors/tasks/authority_calls.hpp"
#include "actors/tasks/crypto_work.hpp"
#include "core/fault_point.hpp"

namespace pfx::actors {

namespace {

/// Tasks that wait at the processor, for each worker: enough that none idles, few enough that the
/// keeper decides late.
constexpr std::size_t tasks_waiting_per_worker = 2;
constexpr std::size_t slow_workers = 1;
constexpr std::size_t workers_per_thread_max = 4; ///< the first and those made after time-outs

// -- crypto worker ------

struct crypto_worker_state {
  explicit crypto_worker_state(crypto_worker::pointer owner) : self(owner) {}
  crypto_worker::pointer self;
  const tasks::plant* p = nullptr;
  tasks::executor* on = nullptr;
  std::optional<caf::response_promise> running;
};

parcel<tasks::outcome> run_task(const tasks::plant& p, const tasks::task& what) {
  fault_point("before_send", name_of(what.what));
  auto out = tasks::run_crypto_task(p, what);
  if (mutated("late-intent")) {
    tasks::submit_before_intent(p, *what.of, out.event);
  }
  fault_point("after_answer", name_of(what.what));
  return pack(std::move(out));
}

crypto_worker::behavior_type crypto_worker_behavior(
  crypto_worker::stateful_pointer<crypto_worker_state> self, const tasks::plant* p,
  tasks::stage lane) {
  prepare(self, *p, "crypto worker");
  self->state.p = p;
  self->state.on = lane == tasks::stage::slow_lane ? p->background : p->cpu;
  return {
    [self](const parcel<tasks::task>& what) -> caf::result<parcel<tasks::outcome>> {
      auto& s = self->state;
      s.running = self->make_response_promise();
      const bool posted = s.on->post([what, plant = s.p, me = crypto_worker(self)] {
        caf::anon_send(me, run_task(*plant, *what));
      });
      if (!posted) {
        s.running->deliver(pack(tasks::outcome{what->of->key, what->ticket, what->what,
                                               tasks::lost_answer(what->what, "stopping")}));
        s.running.reset();
      }
      return caf::delegated<parcel<tasks::outcome>>{};
    },
    [self](const parcel<tasks::outcome>& done) {
      if (auto& s = self->state; s.running) {
        s.running->deliver(done);
        s.running.reset();
      }
    },
  };
}

// -- processor ------

struct processor_state {
  explicit processor_state(processor::pointer owner) : self(owner) {}

  processor::pointer self;
  const tasks::plant* p = nullptr;
  tasks::stage lane = tasks::stage::processor;
  queue_keeper keeper;
  std::vector<crypto_worker> idle;
  std::vector<crypto_worker> all;
  std::deque<tasks::task> waiting;

  [[nodiscard]] std::size_t workers() const {
    return lane == tasks::stage::slow_lane ? slow_workers : p->settings.crypto_workers;
  }
  void start();
  void assign();
  void give(const crypto_worker& to, tasks::task what);
  void replace_worker();
  void finished(const crypto_worker& by, parcel<tasks::outcome> done);
};

void processor_state::start() {
  for (std::size_t i = 0; i < workers(); ++i) {
    all.push_back(spawn_crypto_worker(self->system(), *p, lane));
    self->link_to(all.back());
  }
  idle = all;
  self->send(keeper, credit_atom_v, static_cast<std::uint8_t>(lane),
             std::uint64_t{all.size() * tasks_waiting_per_worker});
}

void processor_state::assign() {
  while (!idle.empty() && !waiting.empty()) {
    auto worker = idle.back();
    idle.pop_back();
    auto next = std::move(waiting.front());
    waiting.pop_front();
    give(worker, std::move(next));
  }
}

void processor_state::give(const crypto_worker& to, tasks::task what) {
  const auto lost = tasks::outcome{what.of->key, what.ticket, what.what,
                                   tasks::lost_answer(what.what, "no outcome in time")};
  self->request(to, std::chrono::milliseconds(p->settings.crypto_timeout_ms), pack(std::move(what)))
    .then([this, to](const parcel<tasks::outcome>& done) { finished(to, done); },
          [this, lost](const caf::error&) {
            self->send(keeper, pack(outcome_list{lost}));
            replace_worker();
          });
}

/// What a worker without an outcome does is unknown; it is not asked again. A processor that has
/// lost too many ends and is made anew.
void processor_state::replace_worker() {
  if (all.size() >= workers_per_thread_max * workers()) {
    self->quit(caf::exit_reason::user_shutdown);
    return;
  }
  all.push_back(spawn_crypto_worker(self->system(), *p, lane));
  self->link_to(all.back());
  idle.push_back(all.back());
  assign();
}

void processor_state::finished(const crypto_worker& by, parcel<tasks::outcome> done) {
  idle.push_back(by);
  self->send(keeper, pack(outcome_list{*done}));
  assign();
}

processor::behavior_type processor_behavior(processor::stateful_pointer<processor_state> self,
                                            const tasks::plant* p, const queue_keeper& keeper,
                                            tasks::stage lane) {
  prepare(self, *p, "processor");
  self->state.lane = lane;
  self->state.p = p;
  self->state.keeper = keeper;
  return {
    [self](parcel<task_list>& list) {
      for (auto& one : unpack(list)) {
        self->state.waiting.push_back(std::move(one));
      }
      self->state.assign();
    },
    [self](go_atom) { self->state.start(); },
  };
}

} // namespace

crypto_worker spawn_crypto_worker(caf::actor_system& system, const tasks::plant& p,
                                  tasks::stage lane) {
  return system.spawn(crypto_worker_behavior, &p, lane);
}

processor spawn_processor(caf::actor_system& system, const tasks::plant& p,
                          const queue_keeper& keeper, tasks::stage lane) {
  return system.spawn(processor_behavior, &p, keeper, lane);
}

} // namespace pfx::actors
