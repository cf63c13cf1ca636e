// The store, the timers and the calls of a simulated engine.
#include "tests/core/simulation_engine.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace pfx::simulation {

using lifecycle::action;
using lifecycle::event;
using lifecycle::event_kind;

namespace {

constexpr std::int64_t second = 1'000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t ca_settle_ms = 120 * second;

} // namespace

request_key key_of(const std::string& context) { return {tenant, flow::pfx, context}; }

digest fingerprint_of(const std::string& context) {
  digest out;
  out.octets[0] = static_cast<std::uint8_t>(context.back());
  out.octets[31] = 7;
  return out;
}

engine::engine(world& around, int number, coverage* met)
  : world_(around), number_(number), met_(met) {
  rules_.quarantine_ms = 10 * minute;
  rules_.ca_settle_ms = ca_settle_ms;
  rules_.pending_deadline_ms = 4 * minute;
  rules_.backoff_max_ms = 30 * second;
}

lifecycle::moment engine::moment() {
  return {.wall = world_.now + wall_skew_,
          .boot = world_.now + boot_skew_,
          .random = world_.roll.next()};
}

void engine::in_this_life(int life, std::function<void()> what) {
  if (life != life_ || !up_) {
    return;
  }
  if (paused_until_ > world_.now) {
    world_.later(paused_until_ - world_.now,
                 [this, life, what = std::move(what)] { in_this_life(life, what); });
    return;
  }
  what();
}

void engine::soon(std::int64_t after_ms, std::function<void()> what) {
  world_.later(after_ms, [this, life = life_, what = std::move(what)] {
    in_this_life(life, what);
  });
}

// -- lives ------

void engine::start(bool clean) {
  tell(restore_ ? "starts, restored" : clean ? "starts" : "starts again");
  ++life_;
  up_ = true;
  held_ = true;
  if (world_.roll.chance(30)) {
    boot_skew_ = second - world_.now; // the machine was started anew
  }
  amnesic_ = amnesic_ || restore_;
  const bool amnesia = amnesic_;
  if (restore_) {
    disk_ = *backup_;
    restore_ = false;
    highest_lease_.clear();
    ever_settled_.clear();
    world_.note_amnesia(number_);
  }
  load();
  for (auto& [context, one] : open_) {
    handle(context, event{.kind = clean && !amnesia ? event_kind::restarted_clean
                                                    : event_kind::restarted_unclean});
  }
  // Nothing is sent before the facts of the restart are on disk; after amnesia not before all that
  // may still arrive has arrived, and every request was asked about.
  if (amnesia) {
    soon(ca_settle_ms, [this] { reconcile(); });
  } else {
    soon(10, [this] {
      held_ = false;
      poll();
    });
  }
  for (const auto& [context, one] : open_) {
    if (one.value.live.lease_asked) {
      soon(amnesia ? ca_settle_ms : 20, [this, context = context] { renew(context); });
    }
    soon(30, [this, context = context] { pump(context); });
  }
  soon(second, [this] { revoke(); });
}

void engine::load() {
  open_.clear();
  batch_.clear();
  commit_due_ = false;
  for (auto& [context, one] : disk_.requests) {
    if (one.open) {
      open_[context].value = *one.open;
      if (world_.by.broken == mutation::intent_in_memory && one.open->has_intent
          && one.open->state == record_state::submitting) {
        auto& r = open_[context].value;
        r.has_intent = false;
        r.state = record_state::received;
      }
    }
  }
}

void engine::crash() {
  tell("crashes");
  ++life_;
  up_ = false;
  open_.clear();
  batch_.clear();
  world_.later(world_.roll.between(1, 20) * second, [this] { start(false); });
}

void engine::stop_clean() {
  held_ = true;
  for (auto& [context, one] : open_) {
    if (one.value.live.ticket != 0 && one.doing == action::submit) {
      one.value.live.ticket = 0;
      handle(context, event{.kind = event_kind::submit_unanswered, .text = "stopped"});
    }
  }
  commit();
  ++life_;
  up_ = false;
  open_.clear();
  world_.later(world_.roll.between(1, 90) * second, [this] { start(true); });
}

/// Asks about every request that was ever handed to this engine.
void engine::reconcile() {
  for (auto& [context, one] : world_.orders) {
    if (one.handed_to.count(number_) == 0) {
      continue;
    }
    const auto said = world_.query(context);
    const auto& known = disk_.requests[context];
    if (known.settled) {
      continue;
    }
    if (!known.open && said.kind == event_kind::query_recorded) {
      open_[context];
      write(context, lifecycle::receive({.key = key_of(context),
                                         .kind = one.imported ? request_kind::pfx_import
                                                              : request_kind::pfx_create,
                                         .fingerprint = fingerprint_of(context),
                                         .lease_number = one.lease_number,
                                         .expires_at = one.expires,
                                         .authority = one.imported ? "" : authority},
                                        moment()));
    }
    if (open_.count(context) != 0) {
      handle(context, said);
    }
  }
  amnesic_ = false;
  held_ = false;
  poll();
  for (const auto& [context, one] : open_) {
    soon(10, [this, context = context] { pump(context); });
  }
}

// -- the store ------

void engine::tell(const std::string& what) const {
  world_.tell(std::to_string(number_) + " " + what);
}

void engine::tell_step(const record& before, const event& what,
                       const lifecycle::step_result& out) const {
  const auto& r = out.next;
  tell(r.key.context + " " + std::string(lifecycle::name_of(what.kind)) + ": "
       + std::string(name_of(before.state)) + " -> " + std::string(name_of(r.state)) + " lease "
       + std::to_string(r.lease_number) + " g" + std::to_string(r.generation)
       + (r.failing ? " failing" : "") + (r.unanswered ? " unanswered" : "")
       + (out.trail ? ": " + out.trail->text : ""));
}

void engine::handle(const std::string& context, event what) {
  auto& mine = open_.at(context);
  break_before(what, mine.value);
  const auto before = mine.value;
  if (met_ != nullptr) {
    const auto column = static_cast<std::size_t>(before.state) - 1;
    (*met_)[static_cast<std::size_t>(what.kind)][column] = true;
  }
  auto out = lifecycle::step(mine.value, what, rules_, moment());
  tell_step(before, what, out);
  break_after(before, what, out);
  write(context, std::move(out));
}

void engine::write(const std::string& context, lifecycle::step_result&& out) {
  auto& mine = open_.at(context);
  mine.value = out.next;
  if (!out.changed && !out.settled && out.put_blobs.empty() && out.surplus.empty()) {
    pump(context);
    return;
  }
  ++mine.unwritten;
  batch_.push_back({context, out.next, out.changed, std::move(out.put_blobs),
                    std::move(out.drop_blobs), out.settled, std::move(out.surplus)});
  if (!commit_due_) {
    commit_due_ = true;
    soon(world_.effort(5), [this] { commit(); });
  }
  if (world_.by.broken == mutation::submit_before_durable
      && mine.value.state == record_state::submitting) {
    pump(context);
  }
}

void engine::apply(change& one) {
  auto& place = disk_.requests[one.context];
  for (auto& [kind, sealed] : one.put_blobs) {
    place.blobs[kind] = std::move(sealed);
  }
  for (const auto kind : one.drop_blobs) {
    place.blobs.erase(kind);
  }
  for (auto& extra : one.surplus) {
    disk_.surplus.emplace(extra.thumbprint, extra);
  }
  if (one.settled) {
    place.open.reset();
    if (world_.by.broken != mutation::forget_settled) {
      place.settled = one.settled;
    }
    ever_settled_.insert(one.context);
    return;
  }
  auto& highest = highest_lease_[one.context];
  if (one.value.lease_number < highest) {
    world_.report(violation::lease_fell, one.context);
  }
  highest = std::max(highest, one.value.lease_number);
  if (ever_settled_.count(one.context) != 0) {
    world_.report(violation::settled_reopened, one.context);
  }
  place.open = one.value;
  place.open->live = live_facts{};
}

void engine::commit() {
  commit_due_ = false;
  auto batch = std::move(batch_);
  batch_.clear();
  std::set<std::string> released;
  for (auto& one : batch) {
    apply(one);
    const auto found = open_.find(one.context);
    if (found == open_.end() || --found->second.unwritten != 0) {
      continue;
    }
    if (found->second.value.state == record_state::settled) {
      open_.erase(found);
    } else {
      released.insert(one.context);
    }
  }
  for (const auto& context : released) {
    pump(context);
  }
}

// -- what follows from the durable state ------

void engine::pump(const std::string& context) {
  const auto found = open_.find(context);
  if (found == open_.end() || held_ || !up_) {
    return;
  }
  auto& mine = found->second;
  const bool early = world_.by.broken == mutation::submit_before_durable
                     && mine.value.state == record_state::submitting;
  if (mine.unwritten != 0 && !early) {
    return;
  }
  const auto now = moment();
  if (auto what = lifecycle::due(mine.value, now)) {
    handle(context, std::move(*what));
    return;
  }
  if (lifecycle::lease_due(mine.value, lease_ms, now)) {
    mine.value.live.lease_asked = true;
    renew(context);
  }
  const auto what = lifecycle::next_action(mine.value, now);
  set_timer(context, mine);
  if (what != action::none) {
    dispatch(context, mine, what);
  }
}

void engine::set_timer(const std::string& context, open_record& of) {
  const auto now = moment();
  auto at = lifecycle::wake_at(of.value, now);
  const auto renew_at = of.value.live.lease_until - lease_ms / 2 + 1;
  if (renew_at > now.boot && (at == 0 || renew_at < at)) {
    at = renew_at;
  }
  if (at != 0 && at != of.wake) {
    of.wake = at;
    soon(at - now.boot, [this, context] { pump(context); });
  }
}

void engine::operator_acts() {
  for (auto& [context, one] : open_) {
    if (one.value.state == record_state::quarantined && one.unwritten == 0) {
      handle(context, event{.kind = world_.roll.chance(50) ? event_kind::operator_retry
                                                           : event_kind::operator_give_up});
      return;
    }
  }
}

bool engine::idle() const {
  const bool revoked = std::all_of(disk_.surplus.begin(), disk_.surplus.end(),
                                   [](const auto& one) { return one.second.done; });
  const bool done = std::all_of(open_.begin(), open_.end(), [](const auto& one) {
    return one.second.value.state == record_state::abandoned;
  });
  return up_ && !held_ && batch_.empty() && revoked && done;
}

std::string engine::busy_with() const {
  std::string out = up_ ? "" : "down";
  for (const auto& [context, one] : open_) {
    out += " " + context + ":" + std::string(lifecycle::name_of(action::none)) + "/"
           + std::string(name_of(one.value.state)) + " " + one.value.reason;
  }
  return "engine " + std::to_string(number_) + ":" + out;
}

void engine::check_end() {
  for (const auto& [context, one] : world_.orders) {
    const auto found = disk_.requests.find(context);
    if (one.handed_to.count(number_) == 0 || found == disk_.requests.end()) {
      continue;
    }
    const auto& settled = found->second.settled;
    if (settled && one.recorded
        && (settled->outcome == settled_as::failed) == one.result.succeeded) {
      world_.report(violation::not_recorded, context + ": settled as something else");
    }
    if (settled && !one.recorded && !one.dropped) {
      world_.report(violation::not_recorded, context);
    }
  }
}

} // namespace pfx::simulation
