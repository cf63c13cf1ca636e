// The order desk: polls for revocation orders, has each carried out at its CA and reports it. Every
// step is durable before the next one is sent. One download, one write and a few calls at a time.
#include <algorithm>

#include "actors/stages.hpp"
#include "actors/tasks/order_calls.hpp"
#include "actors/tasks/order_notices.hpp"
#include "actors/tasks/order_polls.hpp"
#include "actors/tasks/order_service.hpp"
#include "actors/tasks/order_turns.hpp"
#include "core/fault_point.hpp"
#include "core/limits.hpp"

namespace pfx::actors {

namespace {

constexpr auto keeper_patience = std::chrono::milliseconds(3'600'000); ///< a full disk waits there
constexpr auto tick_every = std::chrono::milliseconds(200);
constexpr std::int64_t backoff_max_ms = 600'000;
/// Times the first wait: who is not let in now is not let in a second later.
constexpr std::int64_t not_let_in_waits = 12;
constexpr const char* topic_down = "intune";
constexpr const char* topic_aside = "revocations set aside";

using revocation::action;

struct order_desk_state {
  explicit order_desk_state(order_desk::pointer owner) : self(owner) {}

  order_desk::pointer self;
  const tasks::plant* p = nullptr;
  queue_keeper keeper;
  std::optional<tasks::order_book> book;
  std::optional<tasks::order_polls> polls;
  std::optional<tasks::order_turns> turns;
  boot_ms poll_at = 0;
  std::uint32_t failures = 0; ///< of downloads, in a row
  std::uint64_t aside = 0;    ///< orders that the store does not take
  bool downloading = false;
  bool stopping = false;
  std::optional<caf::response_promise> stop_promise;
  /// Operators who are told when their word is durable
  std::vector<std::pair<request_key, caf::response_promise>> words;

  [[nodiscard]] revocation::moment now() const {
    return {p->time->wall(), p->time->boot(), p->random()};
  }
  void load(bool unclean);
  void pump();
  void write();
  void poll();
  void downloaded(parcel<tasks::order_download> answer);
  void download_failed(const tasks::order_download& answer);
  void count(const tasks::order_batch& written) const;
  void set_aside(const error& why);
  [[nodiscard]] tasks::executor& outside() const {
    return p->orders_io != nullptr ? *p->orders_io : *p->io;
  }
  caf::result<parcel<error>> take_word(const order_wish& wish);
  void confirm_words();
  void make(tasks::order_turns::call next);
  void look_up(std::vector<revocation_order> orders);
  void revoke(revocation_order order);
  void report(std::vector<revocation_order> orders);
  void answered(const tasks::order_answers& what);
  void try_finish_stop();
  template <class Work>
  bool post(action what, Work work);
};

/// What a former run left. Blocking on purpose: nothing runs yet.
void order_desk_state::load(bool unclean) {
  book.emplace(revocation::rules{.backoff_base_ms = p->settings.revocation_retry_ms,
                                 .backoff_max_ms = backoff_max_ms},
               p->settings.revocations_hour_max);
  turns.emplace(p->settings.revocations_max);
  polls.emplace(p->settings.revocations_max, tasks::order_book::open_max);
  const auto at = now();
  std::size_t strangers = 0;
  auto read = p->store->each_order([this, unclean, &at, &strangers](revocation_order one) {
    if (one.key.tenant == p->order_tenant()) {
      book->load(std::move(one), unclean, at);
    } else {
      ++strangers; // of a tenant that was configured before: nobody to report to
    }
    return true;
  });
  if (strangers > 0) {
    tell_system(*p, tasks::report::level::warning, 3051,
                std::to_string(strangers) + " orders of another tenant rest in the store");
  }
  if (read) {
    read = p->store->each_reported_order([this, &at](const revocation_order& one) {
      book->remember(one, at);
      return true;
    });
  }
  if (!read) {
    tell_system(*p, tasks::report::level::error, 3051, to_string(read.error()));
  }
}

template <class Work>
bool order_desk_state::post(action what, Work work) {
  const bool posted
    = outside().post([what, plant = p, me = order_desk(self), work = std::move(work)] {
        auto answers = plant->halted ? tasks::order_answers{} : work(*plant);
        answers.of = what;
        caf::anon_send(me, pack(std::move(answers)));
      });
  if (!posted) {
    turns->ended(what); // stopping; every step is durable
  }
  return posted;
}

// -- the disk ------

void order_desk_state::write() {
  auto batch = book->take_batch();
  if (!batch) {
    return;
  }
  const auto written = pack(std::move(*batch));
  self->request(keeper, keeper_patience, written)
    .then(
      [this, written](const parcel<error>& refusal) {
        if (refusal->code == errc::none) {
          book->committed();
          count(*written);
          confirm_words();
        } else if (refusal->code == errc::bad_input || refusal->code == errc::too_large) {
          set_aside(*refusal);
        } else {
          book->not_committed();
        }
        pump();
      },
      [this](const caf::error&) { book->not_committed(); });
}

void order_desk_state::count(const tasks::order_batch& written) const {
  using namespace revocation::trail_event;
  auto& totals = p->totals;
  for (const auto& line : written.reports) {
    totals.orders_received += line.id == received ? 1 : 0;
    totals.orders_redelivered += line.id == redelivered ? 1 : 0;
    totals.orders_revoked += line.id == ca_answered ? 1 : 0;
    totals.orders_failed += line.id == ca_failed ? 1 : 0;
    totals.orders_reported += line.id == reported ? 1 : 0;
  }
}

/// What the store does not take is no reason to end: its order goes back, or rests, with a word.
void order_desk_state::set_aside(const error& why) {
  request_key who;
  if (!book->refused(who)) {
    return; // one by one from now on
  }
  ++aside;
  p->attention.set(topic_aside,
                   std::to_string(aside)
                     + " revocation orders cannot be stored, the last one because of "
                     + to_string(why));
  tell_system(*p, tasks::report::level::error, 3051,
              "revocation order " + printable(who.context) + " is set aside"
                + (book->resting(who) ? " as it was stored last, until the next start: " : ": ")
                + to_string(why));
  std::erase_if(words, [&](auto& waiting) {
    if (waiting.first != who) {
      return false;
    }
    waiting.second.deliver(pack(error(why)));
    return true;
  });
}

// -- the service ------

void order_desk_state::poll() {
  const bool due = !downloading && !stopping && p->time->boot() >= poll_at;
  const auto wish = polls->wish(book->room());
  if (!due || wish == 0) {
    return;
  }
  book->expect();
  downloading = outside().post([plant = p, wish, me = order_desk(self)] {
    if (plant->halted) {
      return;
    }
    fault_point("before_send", "download_orders");
    auto answer = tasks::download_orders(*plant, wish);
    fault_point("after_answer", "download_orders");
    caf::anon_send(me, pack(std::move(answer)));
  });
}

/// PFX requests go on whatever happens here; an administrator reads of it in `status`.
void order_desk_state::download_failed(const tasks::order_download& answer) {
  if (answer.code == errc::too_large) {
    polls->too_large();
  }
  const bool not_let_in = answer.code == errc::unauthorized || answer.code == errc::not_found
    || answer.code == errc::policy;
  const auto base = p->settings.revocation_retry_ms * (not_let_in ? not_let_in_waits : 1);
  const auto ceiling = std::min(backoff_max_ms, base << std::min(failures++, 12U));
  const auto own = 1 + static_cast<std::int64_t>(p->random() % static_cast<std::uint64_t>(ceiling));
  poll_at = p->time->boot()
    + std::max({own, not_let_in ? base : 0,
                std::min(answer.retry_after_ms, limits::asked_wait_ms_max)});
  const std::string since
    = not_let_in ? "Intune does not let us in: " : "Intune cannot be asked for revocation orders: ";
  p->attention.set(topic_down, since + answer.why);
  tell_system(*p, tasks::report::level::warning, 3003, "download failed: " + answer.why);
  book->receive({}, {}, now());
}

void order_desk_state::downloaded(parcel<tasks::order_download> answer) {
  downloading = false;
  const auto interval = p->settings.revocation_interval_ms;
  const auto jitter = static_cast<std::int64_t>(
    p->random() % static_cast<std::uint64_t>(std::max<std::int64_t>(1, interval / 20)));
  if (answer->failed) {
    download_failed(*answer);
    return;
  }
  failures = 0;
  p->attention.clear(topic_down);
  p->totals.last_order_poll_at = p->time->wall();
  if (!answer->why.empty()) {
    tell_system(*p, tasks::report::level::error, 3003, answer->why);
  }
  poll_at = p->time->boot() + (polls->at_once(*answer) ? 0 : interval + jitter);
  auto taken = unpack(answer);
  book->receive(std::move(taken.offers), std::move(taken.known), now());
  pump();
}

// -- operators ------

caf::result<parcel<error>> order_desk_state::take_word(const order_wish& wish) {
  auto promise = self->make_response_promise();
  auto refusal = book->operator_word(wish.key, wish.word, now());
  if (refusal.code != errc::none) {
    promise.deliver(pack(std::move(refusal)));
  } else {
    words.emplace_back(wish.key, promise);
    pump();
  }
  return caf::delegated<parcel<error>>{};
}

void order_desk_state::confirm_words() {
  std::erase_if(words, [this](auto& waiting) {
    if (!book->durable(waiting.first)) {
      return false;
    }
    waiting.second.deliver(pack(error{errc::none, "", ""}));
    return true;
  });
}

// -- whose turn it is ------

void order_desk_state::look_up(std::vector<revocation_order> orders) {
  (void)post(action::choose, [orders = std::move(orders)](const tasks::plant& plant) {
    tasks::order_answers out;
    for (const auto& one : orders) {
      out.events.emplace_back(one.key, tasks::choose_certificate(plant, one));
    }
    return out;
  });
}

void order_desk_state::revoke(revocation_order order) {
  (void)post(action::revoke, [order = std::move(order)](const tasks::plant& plant) {
    tasks::order_answers out;
    fault_point("before_send", "revoke_ordered");
    out.events.emplace_back(order.key, tasks::revoke_ordered(plant, order));
    fault_point("after_answer", "revoke_ordered");
    return out;
  });
}

void order_desk_state::report(std::vector<revocation_order> orders) {
  (void)post(action::report, [orders = std::move(orders)](const tasks::plant& plant) {
    fault_point("before_send", "report_orders");
    auto out = tasks::report_orders(plant, orders);
    fault_point("after_answer", "report_orders");
    return out;
  });
}

void order_desk_state::answered(const tasks::order_answers& what) {
  turns->ended(what.of);
  const auto at = now();
  book->separate(what.alone_from_now_on);
  for (const auto& [key, event] : what.events) {
    if (event) {
      book->apply(key, *event, at);
    } else {
      book->give_back(key, at);
    }
  }
  pump();
}

void order_desk_state::make(tasks::order_turns::call next) {
  switch (next.what) {
    case action::choose:
      look_up(std::move(next.orders));
      break;
    case action::revoke:
      revoke(std::move(next.orders.front()));
      break;
    default:
      report(std::move(next.orders));
      break;
  }
}

void order_desk_state::pump() {
  const auto at = now();
  if (!stopping && !p->halted) {
    book->tick(at);
    while (auto next = turns->next(*book, at)) {
      make(std::move(*next));
    }
    poll();
  }
  write();
  tasks::show_orders(*p, *book);
  try_finish_stop();
}

void order_desk_state::try_finish_stop() {
  if (stop_promise && turns->under_way() == 0 && book->quiet()) {
    stop_promise->deliver(true);
    stop_promise.reset();
  }
}

order_desk::behavior_type order_desk_behavior(order_desk::stateful_pointer<order_desk_state> self,
                                              const tasks::plant* p, const queue_keeper& keeper,
                                              bool unclean) {
  prepare(self, *p, "order desk");
  self->state.p = p;
  self->state.keeper = keeper;
  self->state.load(unclean);
  self->send(self, tick_atom_v);
  return {
    [self](tick_atom) {
      self->state.pump();
      self->delayed_send(self, tick_every, tick_atom_v);
    },
    [self](parcel<tasks::order_download>& answer) { self->state.downloaded(std::move(answer)); },
    [self](const parcel<tasks::order_answers>& what) { self->state.answered(*what); },
    [self](const parcel<order_wish>& wish) { return self->state.take_word(*wish); },
    [self](const parcel<order_list_wish>& wish) -> parcel<std::vector<revocation_order>> {
      return pack(self->state.book->list(wish->count_max, wish->state));
    },
    [self](stop_atom) -> caf::result<bool> {
      auto& s = self->state;
      s.stopping = true;
      s.stop_promise = self->make_response_promise();
      s.pump();
      return caf::delegated<bool>{};
    },
  };
}

} // namespace

order_desk spawn_order_desk(caf::actor_system& system, const tasks::plant& p,
                            const queue_keeper& keeper, bool unclean) {
  return system.spawn(order_desk_behavior, &p, keeper, unclean);
}

} // namespace pfx::actors
