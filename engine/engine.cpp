// The engine's face over the actor host: translates values, owns lifetimes.
#include "engine/engine_state.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "core/program_version.hpp"
#include "engine/audit_store.hpp"

namespace pfx::engine {

namespace {

constexpr std::size_t audit_text_characters_max = 1'000;

health health_of(actors::running_phase phase, bool paused) {
  switch (phase) {
    case actors::running_phase::starting:
      return health::starting;
    case actors::running_phase::running:
      return paused ? health::paused : health::running;
    case actors::running_phase::halted:
      return health::halted;
    case actors::running_phase::stopping:
      return health::stopping;
    case actors::running_phase::stopped:
      return health::stopped;
  }
  return health::halted;
}

halt_reason reason_of(actors::running_phase phase, errc why) {
  if (phase != actors::running_phase::halted) {
    return halt_reason::none;
  }
  switch (why) {
    case errc::stale_epoch:
      return halt_reason::stale_epoch;
    case errc::corrupt:
      return halt_reason::amnesia;
    case errc::unauthorized:
      return halt_reason::unauthorized;
    case errc::store_poisoned:
    case errc::io:
    case errc::too_large:
      return halt_reason::store_failed;
    default:
      return halt_reason::internal;
  }
}

counters counters_of(const actors::tasks::counters& from) {
  counters to;
  to.polls = from.polls;
  to.offers = from.offers;
  to.received = from.received;
  to.redelivered = from.redelivered;
  to.conflicts = from.conflicts;
  to.keys_made = from.keys_made;
  to.keys_used = from.keys_used;
  to.submits = from.submits;
  to.issued = from.issued;
  to.prepared = from.prepared;
  to.uploads = from.uploads;
  to.delivered = from.delivered;
  to.failed = from.failed;
  to.superseded = from.superseded;
  to.quarantined = from.quarantined;
  to.abandoned = from.abandoned;
  to.surplus_found = from.surplus_found;
  to.surplus_revoked = from.surplus_revoked;
  to.commits = from.commits;
  to.orders_received = from.orders_received;
  to.orders_redelivered = from.orders_redelivered;
  to.orders_revoked = from.orders_revoked;
  to.orders_failed = from.orders_failed;
  to.orders_reported = from.orders_reported;
  return to;
}

result<flow> flow_of_word(std::string_view word) {
  if (word.empty() || word == "pfx") {
    return flow::pfx;
  }
  if (word == "revocation") {
    return flow::revocation;
  }
  return failure(errc::bad_input, "flow", "must be pfx or revocation");
}

request_summary summary_of(const record& from) {
  request_summary out;
  out.context = printable(from.key.context, limits::request_context_bytes_max);
  out.state = std::string(name_of(from.state));
  out.kind = std::string(name_of(from.kind));
  out.reason = from.reason;
  out.attempts = from.attempts;
  out.lease_number = from.lease_number;
  out.received_at = from.received_at;
  out.expires_at = from.expires_at;
  return out;
}

request_summary summary_of(const request_key& key, const settled_record& from) {
  request_summary out;
  out.context = printable(key.context, limits::request_context_bytes_max);
  out.state = "settled";
  out.kind = std::string(name_of(from.kind));
  out.outcome = std::string(name_of(from.outcome));
  out.lease_number = from.lease_number;
  out.settled_at = from.settled_at;
  return out;
}

std::optional<record_state> state_of_word(std::string_view word) {
  for (std::size_t i = 1; i <= record_state_count; ++i) {
    const auto value = static_cast<record_state>(i);
    if (name_of(value) == word) {
      return value;
    }
  }
  return std::nullopt;
}

request_key key_of(const assembly& parts, const std::string& context) {
  return {parts.settings.service.tenant, flow::pfx, context};
}

} // namespace

engine::engine(std::unique_ptr<state> s) : state_(std::move(s)) {}

result<std::unique_ptr<engine>> engine::start(configuration settings, event_sink sink) {
  const auto io_threads = std::max<std::size_t>(4, settings.limits.io_threads);
  auto parts = assemble(std::move(settings), std::move(sink));
  if (!parts) {
    return failure(parts.error());
  }
  auto s = std::make_unique<state>();
  s->parts = std::move(*parts);
  s->started_at = system_clock().wall();
  s->host
    = std::make_unique<actors::actor_host>(s->parts->plant, s->parts->unclean_start, io_threads);
  return std::unique_ptr<engine>(new engine(std::move(s)));
}

engine::~engine() {
  if (state_ && !state_->stopped) {
    (void)stop(std::chrono::milliseconds(2'000));
  }
}

result<void> engine::stop(std::chrono::milliseconds deadline) {
  auto& s = *state_;
  if (s.stopped.exchange(true)) {
    return {};
  }
  const bool quiet = s.host->stop(deadline);
  if (!quiet) {
    // The mark of a running store stays: the next start treats open attempts and submits as
    // unknown.
    return failure(errc::stopping, "", "the deadline passed before all work had ended");
  }
  return s.parts->store->close_clean();
}

status engine::current() const {
  const auto& s = *state_;
  const auto how = s.host->current();
  const auto store = s.parts->store->status();
  status out;
  out.state = s.stopped ? health::stopped : health_of(how.phase, how.paused || store.below_floor);
  out.halted_by = reason_of(how.phase, how.halted_by);
  out.message = how.why;
  out.version = program_version();
  out.connector_id = s.parts->connector_id;
  out.epoch = s.parts->plant.caller.current().epoch;
  out.lifecycle = how.lifecycle;
  for (const auto& [in_state, count] : how.by_state) {
    out.open_by_state.emplace_back(std::string(name_of(in_state)), count);
    out.open_requests += count;
  }
  out.totals = counters_of(s.parts->plant.totals);
  out.started_at = s.started_at;
  out.last_poll_at = s.parts->plant.totals.last_poll_at;
  out.last_order_poll_at = s.parts->plant.totals.last_order_poll_at;
  out.takes_orders = s.parts->plant.revocations != nullptr;
  for (std::size_t i = 0; out.takes_orders && i < order_state_count; ++i) {
    if (is_final(static_cast<order_state>(i + 1))) {
      continue;
    }
    out.orders_by_state.emplace_back(std::string(name_of(static_cast<order_state>(i + 1))),
                                     s.parts->plant.totals.open_orders[i]);
  }
  out.store_poisoned = store.poisoned;
  out.below_free_space_floor = store.below_floor;
  out.free_bytes = store.free_bytes;
  out.secrets_locked = secret_memory_locked();
  out.attention = s.parts->plant.attention.current();
  out.master_key_id = to_hex(s.parts->sealer->key_id());
  return out;
}

bool engine::wait_halted(std::chrono::milliseconds patience) const {
  return state_->host->wait_halted(patience);
}

result<request_page> engine::requests(const std::string& wanted, std::size_t count_max,
                                      const std::string& in_flow) const {
  const auto wanted_flow = flow_of_word(in_flow);
  if (!wanted_flow) {
    return failure(wanted_flow.error());
  }
  detail::pager<request_summary> out(count_max);
  if (*wanted_flow == flow::revocation) {
    const auto orders = revocations(wanted, count_max);
    if (!orders) {
      return failure(orders.error());
    }
    const bool whole = std::ranges::all_of(
      orders->orders, [&](const auto& one) { return out.add(detail::summary_of(one)); });
    return request_page{std::move(out.values), !whole || orders->more};
  }
  if (wanted == "settled") {
    const auto read
      = state_->parts->store->each_settled([&](const request_key& key, const settled_record& one) {
          return out.add(summary_of(key, one));
        });
    return read ? result<request_page>(request_page{std::move(out.values), out.more})
                : failure(read.error());
  }
  std::optional<record_state> filter;
  if (!wanted.empty()) {
    filter = state_of_word(wanted);
    if (!filter) {
      return failure(errc::bad_input, "state", "is not a state: " + printable(wanted));
    }
  }
  const auto open = state_->host->list(filter, count_max + 1); // one over: whether there is more
  if (!open) {
    return failure(open.error());
  }
  (void)std::ranges::all_of(*open, [&](const auto& one) { return out.add(summary_of(one)); });
  return request_page{std::move(out.values), out.more};
}

result<request_timeline> engine::show(const std::string& context,
                                      const std::string& in_flow) const {
  const auto& store = *state_->parts->store;
  const auto wanted_flow = flow_of_word(in_flow);
  if (!wanted_flow) {
    return failure(wanted_flow.error());
  }
  if (*wanted_flow == flow::revocation) {
    return detail::show_order(*state_->parts, context);
  }
  const auto key = key_of(*state_->parts, context);
  request_timeline out;
  auto open = store.find_record(key);
  if (!open) {
    return failure(open.error());
  }
  if (*open) {
    out.summary = summary_of(**open);
  } else {
    auto settled = store.find_settled(key);
    if (!settled) {
      return failure(settled.error());
    }
    if (!*settled) {
      return in_flow.empty()
        ? detail::show_order(*state_->parts, context)
        : failure(errc::not_found, "requestContext", "no request has this context");
    }
    out.summary = summary_of(key, **settled);
  }
  auto trail = store.trail(key);
  if (!trail) {
    return failure(trail.error());
  }
  for (auto& line : *trail) {
    out.lines.push_back({line.at, line.event, std::string(name_of(line.state)),
                         std::move(line.call_id), std::move(line.text), line.duration_ms});
  }
  return out;
}

result<void> engine::retry(const std::string& context) {
  return state_->host->operator_word(key_of(*state_->parts, context),
                                     lifecycle::event_kind::operator_retry);
}

result<void> engine::give_up(const std::string& context) {
  return state_->host->operator_word(key_of(*state_->parts, context),
                                     lifecycle::event_kind::operator_give_up);
}

result<void> engine::note_audit(std::uint16_t event, const std::string& text) {
  return state_->host->note({event, printable(text, audit_text_characters_max)});
}

result<audit_excerpt> engine::audit(std::size_t last) const {
  return detail::read_audit(*state_->parts->store, last);
}

} // namespace pfx::engine
