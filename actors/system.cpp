// The actor system, its executors and the supervisor, made and ended in the right order.
#include "actors/system.hpp"

#include <condition_variable>
#include <mutex>

#include "actors/stages.hpp"
#include "actors/tasks/order_turns.hpp"
#include "actors/tasks/update_work.hpp"

namespace pfx::actors {

namespace {

constexpr std::size_t cpu_jobs_max = 1'024;
constexpr std::size_t slow_threads = 1;
/// The calls of the order desk, its download, and the reporter's upkeep
constexpr std::size_t order_threads = tasks::order_turns::calls_max + 2;
constexpr std::size_t io_jobs_max = 4'096;
constexpr std::size_t disk_jobs_max = 1'024;
constexpr std::size_t scheduler_threads = 2;
constexpr auto question_patience = std::chrono::milliseconds(5'000);
constexpr auto operator_patience = std::chrono::milliseconds(15'000);

/// Nothing is parsed from files or the command line: a library reads no caf-application.ini.
struct quiet_config : caf::actor_system_config {
  quiet_config() {
    set("scheduler.max-threads", scheduler_threads);
    set("scheduler.max-throughput", messages_per_turn_max);
    set("scheduler.policy", caf::atom("sharing")); // idle threads wait instead of polling
  }
};

running_phase phase_of(supervision::phase from) {
  switch (from) {
    case supervision::phase::starting:
      return running_phase::starting;
    case supervision::phase::running:
      return running_phase::running;
    case supervision::phase::halted:
      return running_phase::halted;
    case supervision::phase::stopping:
      return running_phase::stopping;
    case supervision::phase::stopped:
      return running_phase::stopped;
  }
  return running_phase::halted;
}

/// The supervisor's last word, for threads that are no actors.
struct phase_board {
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  supervision last;

  void post(const supervision& what) {
    {
      const std::lock_guard lock(mutex);
      last = what;
    }
    changed.notify_all();
  }
};

} // namespace

// Destroyed bottom up: handles fall first, then the system, which waits until every actor is gone,
// then the executors, which actors may call to their last breath. stop() has ended their threads
// before.
struct actor_host::state {
  explicit state(tasks::plant& p) : plant(p), system(config) {}

  tasks::plant& plant;
  phase_board board;
  std::unique_ptr<tasks::executor> cpu;
  std::unique_ptr<tasks::executor> background;
  std::unique_ptr<tasks::executor> io;
  std::unique_ptr<tasks::executor> orders_io;
  std::unique_ptr<tasks::executor> disk;
  quiet_config config;
  caf::actor_system system;

  /// The supervisor, or nothing once a stop began: questions may come from any thread at any time.
  [[nodiscard]] supervisor reach() const {
    const std::lock_guard lock(mutex);
    return stopped ? supervisor{} : above;
  }

  mutable std::mutex mutex; ///< guards the two below
  supervisor above;
  bool stopped = false;
};

namespace {

void cancel_calls(tasks::plant& p) {
  p.service->cancel();
  for (auto& [name, entry] : p.authorities) {
    entry.calls->cancel();
  }
  if (p.tenant != nullptr) {
    p.tenant->cancel();
  }
  if (p.updates != nullptr) {
    p.updates->cancel();
  }
}

/// Asks the keeper for something that is answered when it is durable.
template <class State, class Wish>
result<void> ask_durably(State& s, Wish wish) {
  const auto above = s.reach();
  if (!above) {
    return failure(errc::stopping, "", "the engine is stopped");
  }
  error answer{errc::unavailable, "", "no answer from the queue keeper"};
  caf::scoped_actor self{s.system};
  self->request(above, operator_patience, std::move(wish))
    .receive([&](const parcel<error>& what) { answer = *what; }, [](const caf::error&) {});
  if (answer.code != errc::none) {
    return failure(answer);
  }
  return {};
}

} // namespace

actor_host::actor_host(tasks::plant& p, bool unclean_start, std::size_t io_threads)
    : state_(std::make_unique<state>(p)) {
  auto& s = *state_;
  s.cpu = tasks::make_thread_pool("pfx-crypto", p.settings.crypto_workers, cpu_jobs_max);
  s.background = tasks::make_thread_pool("pfx-slow", slow_threads, cpu_jobs_max,
                                         tasks::pool_priority::background);
  s.io = tasks::make_thread_pool("pfx-io", io_threads, io_jobs_max);
  if (p.revocations != nullptr) {
    s.orders_io = tasks::make_thread_pool("pfx-orders", order_threads, io_jobs_max);
    p.orders_io = s.orders_io.get();
  }
  s.disk = tasks::make_thread_pool("pfx-disk", 1, disk_jobs_max);
  p.cpu = s.cpu.get();
  p.background = s.background.get();
  p.io = s.io.get();
  p.disk = s.disk.get();
  supervisor_settings settings;
  settings.unclean_start = unclean_start;
  const auto mark = p.store->meta(std::string(tasks::ask_everything_mark));
  settings.ask_everything = mark && *mark && **mark == bytes{1};
  settings.on_phase = [board = &s.board](const supervision& what) { board->post(what); };
  s.above = spawn_supervisor(s.system, p, std::move(settings));
  caf::anon_send(s.above, go_atom_v);
}

actor_host::~actor_host() {
  if (state_->reach()) {
    (void)stop(std::chrono::milliseconds(2'000));
  }
}

bool actor_host::stop(std::chrono::milliseconds patience) {
  auto& s = *state_;
  supervisor above;
  {
    const std::lock_guard lock(s.mutex);
    if (s.stopped) {
      return true;
    }
    s.stopped = true;
    above = std::exchange(s.above, nullptr);
  }
  bool quiet = false;
  {
    caf::scoped_actor self{s.system};
    const auto half = patience / 2;
    auto asked = self->request(above, patience + std::chrono::milliseconds(500), stop_atom_v);
    // Calls that hang are ended when half of the time is gone; their outcome is unknown, and
    // written so.
    std::mutex mutex;
    std::condition_variable_any ended;
    std::jthread watchdog([&](std::stop_token done) {
      std::unique_lock lock(mutex);
      if (!ended.wait_for(lock, done, half, [&] { return done.stop_requested(); })) {
        cancel_calls(s.plant);
      }
    });
    asked.receive([&](bool was_quiet) { quiet = was_quiet; }, [](const caf::error&) {});
    watchdog.request_stop();
    ended.notify_all();
    if (!quiet) {
      self->send_exit(above, caf::exit_reason::kill);
    }
  }
  // What still runs is nobody's any more, or the reporter's, which can be asked again.
  cancel_calls(s.plant);
  s.cpu->stop();
  s.background->stop();
  s.io->stop();
  if (s.orders_io) {
    s.orders_io->stop();
  }
  s.disk->stop();
  return quiet;
}

standing actor_host::current() const {
  const auto& s = *state_;
  standing out;
  {
    const std::lock_guard lock(s.board.mutex);
    out.phase = phase_of(s.board.last.now);
    out.halted_by = s.board.last.halted_by;
    out.why = s.board.last.why;
    out.lifecycle = s.board.last.lifecycle;
  }
  const auto above = s.reach();
  if (!above) {
    out.phase = running_phase::stopped;
    return out;
  }
  caf::scoped_actor self{state_->system};
  self->request(above, question_patience, status_atom_v)
    .receive(
      [&](const parcel<keeper_status>& answer) {
        out.by_state = answer->by_state;
        out.paused = answer->paused;
        out.poisoned = answer->poisoned;
        if (out.why.empty()) {
          out.why = answer->why;
        }
      },
      [](const caf::error&) {});
  return out;
}

bool actor_host::wait_halted(std::chrono::milliseconds patience) const {
  const auto& board = state_->board;
  std::unique_lock lock(board.mutex);
  return board.changed.wait_for(lock, patience,
                                [&] { return board.last.now == supervision::phase::halted; });
}

result<void> actor_host::operator_word(const request_key& key, lifecycle::event_kind word) const {
  return ask_durably(*state_, pack(operator_wish{key, word}));
}

result<void> actor_host::order_word(const request_key& key, revocation::event_kind word) const {
  return ask_durably(*state_, pack(order_wish{key, word}));
}

result<std::vector<revocation_order>> actor_host::orders(std::size_t count_max,
                                                         std::optional<order_state> wanted) const {
  const auto above = state_->reach();
  if (!above) {
    return failure(errc::stopping, "", "the engine is stopped");
  }
  result<std::vector<revocation_order>> out
    = failure(errc::unavailable, "", "no answer from the order desk");
  caf::scoped_actor self{state_->system};
  self->request(above, question_patience, pack(order_list_wish{count_max, wanted}))
    .receive([&](const parcel<std::vector<revocation_order>>& list) { out = *list; },
             [](const caf::error&) {});
  return out;
}

result<void> actor_host::note(const tasks::audit_note& what) const {
  return ask_durably(*state_, pack(tasks::audit_note(what)));
}

result<std::vector<record>> actor_host::list(std::optional<record_state> wanted,
                                             std::size_t count_max) const {
  const auto above = state_->reach();
  if (!above) {
    return failure(errc::stopping, "", "the engine is stopped");
  }
  result<std::vector<record>> out
    = failure(errc::unavailable, "", "no answer from the queue keeper");
  caf::scoped_actor self{state_->system};
  self->request(above, question_patience, pack(list_wish{wanted, count_max}))
    .receive([&](const parcel<std::vector<record>>& list) { out = *list; },
             [](const caf::error&) {});
  return out;
}

} // namespace pfx::actors
