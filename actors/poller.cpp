// The poller: asks the service for as many requests as there is room for, every poll interval, and
// at once when the answer said that more waits. One download at a time; the next one only after
// every request of the last is durable.
#include <algorithm>

#include "actors/stages.hpp"
#include "core/fault_point.hpp"

namespace pfx::actors {

namespace {

constexpr auto keeper_patience = std::chrono::milliseconds(60'000);
constexpr std::int64_t no_room_wait_ms = 50;
constexpr std::int64_t backoff_base_ms = 500;
constexpr std::int64_t backoff_max_ms = 60'000;

struct poller_state {
  explicit poller_state(poller::pointer owner) : self(owner) {}

  poller::pointer self;
  const tasks::plant* p = nullptr;
  queue_keeper keeper;
  supervisor above;
  std::uint64_t round = 0;      ///< ticks of older rounds are stale
  std::size_t requests_max = 0; ///< halved when an answer was too large
  std::uint32_t failures = 0;
  bool creates_only = false;    ///< of the download under way
  boot_ms no_creates_until = 0; ///< none waited when they alone were asked for
  bool busy = false;
  bool stopped = false;

  void wake_in(std::int64_t wait_ms);
  void poll();
  void download(std::uint64_t room, bool imports);
  void downloaded(parcel<tasks::arrivals> answer);
  void next(bool more);
  void failed(const tasks::arrivals& answer);
  [[nodiscard]] std::int64_t interval() const;
};

/// The poll interval with ± 10 % jitter, so that a fleet does not poll in step.
std::int64_t poller_state::interval() const {
  const auto tenth = std::max<std::int64_t>(1, p->settings.poll_interval_ms / 10);
  const auto jitter
    = static_cast<std::int64_t>(p->random() % static_cast<std::uint64_t>(2 * tenth));
  return p->settings.poll_interval_ms - tenth + jitter;
}

void poller_state::wake_in(std::int64_t wait_ms) {
  busy = false;
  if (!stopped) {
    self->delayed_send(self, std::chrono::milliseconds(wait_ms), tick_atom_v, ++round);
  }
}

void poller_state::poll() {
  if (busy || stopped) {
    return;
  }
  busy = true;
  self->request(keeper, keeper_patience, room_atom_v)
    .then(
      [this](std::uint64_t room, bool imports) {
        const bool waits = !imports && p->time->boot() < no_creates_until;
        room == 0 || waits ? wake_in(no_room_wait_ms) : download(room, imports);
      },
      [this](const caf::error&) { wake_in(backoff_max_ms); });
}

void poller_state::download(std::uint64_t room, bool imports) {
  ++p->totals.polls;
  p->totals.last_poll_at = p->time->wall();
  const auto wish = std::min<std::size_t>({requests_max, p->settings.requests_max, room});
  const tasks::demand what{wish, imports};
  creates_only = !imports;
  const bool posted = p->io->post([what, plant = p, me = poller(self)] {
    if (plant->halted) {
      return;
    }
    fault_point("before_send", "download");
    auto answer = tasks::run_download(*plant, what);
    fault_point("after_answer", "download");
    caf::anon_send(me, pack(std::move(answer)));
  });
  if (!posted) {
    wake_in(backoff_base_ms);
  }
}

void poller_state::failed(const tasks::arrivals& answer) {
  if (answer.halt != errc::none) {
    self->send(above, halt_atom_v, static_cast<std::uint8_t>(answer.halt), answer.why);
  }
  if (answer.too_large) {
    requests_max = std::max<std::size_t>(1, std::min(requests_max, p->settings.requests_max) / 2);
  }
  tell_system(*p, tasks::report::level::warning, 1003, "download failed: " + answer.why);
  const auto ceiling = std::min(backoff_max_ms, backoff_base_ms << std::min(failures++, 16U));
  const auto jittered
    = static_cast<std::int64_t>(p->random() % static_cast<std::uint64_t>(ceiling)) + 1;
  wake_in(std::max(answer.retry_after_ms, jittered));
}

void poller_state::downloaded(parcel<tasks::arrivals> answer) {
  if (stopped) {
    return; // not acknowledged: the leases run out and they are handed out again
  }
  if (answer->failed) {
    failed(*answer);
    return;
  }
  failures = 0;
  if (!answer->why.empty()) {
    tell_system(*p, tasks::report::level::error, 1003, answer->why);
  }
  const bool more = answer->more;
  if (answer->list.empty()) {
    next(false); // also if more waits: what we cannot take must not be asked for in a loop
    return;
  }
  requests_max = std::min(p->settings.requests_max, requests_max * 2);
  self->request(keeper, keeper_patience, std::move(answer))
    .then([this, more](bool) { next(more); },
          [this](const caf::error&) { wake_in(backoff_max_ms); });
}

/// After creates alone, imports are asked for as soon as they may be, creates after the interval.
void poller_state::next(bool more) {
  if (more) {
    wake_in(0);
  } else if (creates_only) {
    no_creates_until = p->time->boot() + interval();
    wake_in(no_room_wait_ms);
  } else {
    wake_in(interval());
  }
}

poller::behavior_type poller_behavior(poller::stateful_pointer<poller_state> self,
                                      const tasks::plant* p, const queue_keeper& keeper,
                                      const supervisor& above) {
  prepare(self, *p, "poller");
  self->state.p = p;
  self->state.keeper = keeper;
  self->state.above = above;
  self->state.requests_max = p->settings.requests_max;
  return {
    [self](go_atom) { self->state.poll(); },
    [self](tick_atom, std::uint64_t round) {
      if (round == self->state.round) {
        self->state.poll();
      }
    },
    [self](parcel<tasks::arrivals>& answer) { self->state.downloaded(std::move(answer)); },
    [self](stop_atom) { self->state.stopped = true; },
  };
}

} // namespace

poller spawn_poller(caf::actor_system& system, const tasks::plant& p, const queue_keeper& keeper,
                    const supervisor& above) {
  return system.spawn(poller_behavior, &p, keeper, above);
}

} // namespace pfx::actors
