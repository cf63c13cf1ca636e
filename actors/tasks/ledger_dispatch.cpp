// The outgoing half of the ledger: writes, and what their sync releases.
#include <algorithm>

#include "actors/tasks/ledger.hpp"
#include "core/fault_point.hpp"

namespace pfx::actors::tasks {

namespace {

using lifecycle::action;
using lifecycle::event;

constexpr std::size_t batch_changes_max = 1'000;
constexpr std::size_t batch_bytes_max = 4u << 20;

std::size_t index_of(stage who) { return static_cast<std::size_t>(who); }

} // namespace

// -- writes ------

std::optional<sealed_batch> ledger::take_batch() {
  take_notes();
  if (!writing_.empty() || waiting_.empty()) {
    return std::nullopt;
  }
  sealed_batch out;
  std::size_t size = 0;
  while (!waiting_.empty() && writing_.size() < batch_changes_max
         && (writing_.empty() || size + waiting_.front().size <= batch_bytes_max)) {
    auto& next = waiting_.front();
    size += next.size;
    if (next.entered) {
      out.entered.push_back(*next.entered);
    }
    out.operations.insert(out.operations.end(), next.operations.begin(), next.operations.end());
    writing_.push_back(std::move(next));
    waiting_.pop_front();
  }
  return out;
}

void ledger::committed() {
  ++plant_.totals.commits;
  auto done = std::move(writing_);
  writing_.clear();
  durable_ += done.size();
  for (auto& c : done) {
    for (const auto& one : c.reports) {
      plant_.tell(one);
    }
    surplus_.insert(surplus_.end(), c.surplus.begin(), c.surplus.end());
    if (c.anchor) {
      plant_.anchor.set(*c.anchor);
    }
    const auto found = c.of_entry ? open_.find(c.key) : open_.end();
    if (found == open_.end() || --found->second.undurable != 0) {
      continue;
    }
    if (found->second.value.state == record_state::settled) {
      release_reserved(found->second);
      if (auto& ended = found->second; ended.value.live.ticket != 0) {
        give_back(ended); // its outcome will find no record
      }
      if (look_up_pending_) {
        ended_meanwhile_.emplace(found->first, std::move(found->second.value));
      }
      open_.erase(found);
    } else {
      examine(found->second);
    }
  }
}

void ledger::not_committed() {
  for (auto c = writing_.rbegin(); c != writing_.rend(); ++c) {
    waiting_.push_front(std::move(*c));
  }
  writing_.clear();
}

// -- what follows from the durable state ------

void ledger::examine(entry& in) {
  if (in.undurable != 0) {
    return; // examined again when its write is synced
  }
  const auto now = plant_.now();
  if (auto what = lifecycle::due(in.value, now)) {
    const auto before = in.value;
    step(in, std::move(*what));
    if (in.undurable != 0 || in.value == before) {
      set_timer(in, now);
    }
    return;
  }
  if (lifecycle::lease_due(in.value, plant_.settings.lease_ms, now)) {
    in.value.live.lease_asked = true;
    renewals_.push_back({in.value.key, in.value.lease_number});
  }
  const auto what = lifecycle::next_action(in.value, now);
  keep_or_release(in, what);
  if (what != action::none) {
    put_in_line(in, what);
  }
  set_timer(in, now);
}

void ledger::put_in_line(entry& in, action what) {
  if (in.queued) {
    return;
  }
  in.queued = true;
  // In the slow lane as well: it waits for both to be idle, so nothing new may begin before it.
  if (is_suspect(in) && (what == action::claim || what == action::claim_slowly)) {
    // Those with the fewest attempts first: the poison comes last, whoever kills us meanwhile.
    const auto fewer = [this, &in](const request_key& key) {
      const auto other = open_.find(key);
      return other != open_.end() && other->second.value.attempts > in.value.attempts;
    };
    suspects_.insert(std::find_if(suspects_.begin(), suspects_.end(), fewer), in.value.key);
    return;
  }
  const auto who = index_of(stage_of(what));
  auto& line = in.reserved ? claimed_[who] : lines_[who];
  if (what == action::build) { // nearly done goes before new work
    line.push_front(in.value.key);
  } else {
    line.push_back(in.value.key);
  }
}

/// What is at work and has nothing to do for the moment (its lease is asked about) keeps its place;
/// a place at another stage than the one it needs next would be kept for ever.
void ledger::keep_or_release(entry& in, action next) {
  const bool needed = next == action::none ? in.value.state == record_state::working
                                           : in.reserved == stage_of(next);
  if (!needed) {
    release_reserved(in);
  }
}

void ledger::release_reserved(entry& in) {
  if (!in.reserved || in.value.live.ticket != 0) {
    return;
  }
  const auto who = index_of(*in.reserved);
  in.reserved.reset();
  --busy_[who];
  ++credit_[who];
  if (alone_ == in.value.key) {
    alone_.reset();
  }
}

void ledger::set_timer(entry& in, const lifecycle::moment& now) {
  auto at = lifecycle::wake_at(in.value, now);
  const auto renew_at = in.value.live.lease_until - plant_.settings.lease_ms / 2 + 1;
  if (renew_at > now.boot && (at == 0 || renew_at < at)) {
    at = renew_at;
  }
  if (at != 0 && (in.timer_at <= now.boot || at < in.timer_at)) {
    in.timer_at = at;
    timers_.emplace(at, in.value.key);
  }
}

void ledger::tick() {
  const auto now = plant_.time->boot();
  std::vector<std::pair<boot_ms, request_key>> woken;
  while (!timers_.empty() && timers_.begin()->first <= now) {
    woken.push_back(*timers_.begin());
    timers_.erase(timers_.begin());
  }
  for (const auto& [at, key] : woken) {
    // An older timer of the same record dies here, or chains of them would grow without end.
    if (const auto found = open_.find(key); found != open_.end() && found->second.timer_at == at) {
      found->second.timer_at = 0;
      examine(found->second);
    }
  }
}

// -- credit and tasks ------

void ledger::grant(stage who, std::size_t tasks) {
  credit_[index_of(who)] += tasks;
  uploader_gone_ = uploader_gone_ && who != stage::uploader;
}

void ledger::give_back(entry& in) {
  const auto who = index_of(stage_of(in.in_flight));
  --busy_[who];
  ++credit_[who];
  in.in_flight = action::none;
  if (alone_ == in.value.key) {
    alone_.reset();
  }
}

void ledger::stage_lost(stage who) {
  credit_[index_of(who)] = 0;
  std::vector<outcome> lost;
  for (auto& [key, in] : open_) {
    if (in.value.live.ticket != 0 && stage_of(in.in_flight) == who) {
      lost.push_back(
        {key, in.value.live.ticket, in.in_flight, lost_answer(in.in_flight, "its actor ended")});
    }
  }
  for (auto& one : lost) {
    apply(std::move(one));
  }
  for (auto& [key, in] : open_) { // claimed, not begun: the next actor brings its own credit
    if (in.reserved == who) {
      release_reserved(in);
    }
  }
  credit_[index_of(who)] = 0;   // apply() gave back what the dead stage cannot take
  if (who == stage::uploader) { // and the renewals it held
    uploader_gone_ = true;
    renewals_.clear();
    for (const auto& [key, in] : open_) {
      if (in.value.live.lease_asked) {
        renewals_.push_back({key, in.value.lease_number});
      }
    }
  }
}

bool ledger::is_suspect(const entry& in) const {
  return in.value.live.suspect && !in.value.failing;
}

/// After an unclean end, what was at work then runs with nobody beside it: a poison takes no
/// innocent along.
bool ledger::processor_may_take(entry& in, action what) {
  if (in.reserved) {
    return true;
  }
  if (alone_) {
    return *alone_ == in.value.key;
  }
  if (is_suspect(in)) {
    if (busy(stage::processor) + busy(stage::slow_lane) != 0) {
      return false;
    }
    alone_ = in.value.key;
    return true;
  }
  return what == action::none || suspects_.empty();
}

std::optional<task> ledger::try_dispatch(entry& in, stage who) {
  auto& credit = credit_[index_of(who)];
  const auto what = lifecycle::next_action(in.value, plant_.now());
  if (what == action::none || stage_of(what) != who) {
    if (!in.reserved && alone_ == in.value.key) {
      alone_.reset(); // or nobody would ever run again
    }
    examine(in); // time went on since it was looked at
    return std::nullopt;
  }
  if (what == action::claim || what == action::claim_slowly) {
    --credit;
    ++busy_[index_of(who)];
    in.reserved = who;
    event claim;
    claim.kind = lifecycle::event_kind::claimed;
    step(in, std::move(claim));
    return std::nullopt;
  }
  if (in.reserved) {
    in.reserved.reset(); // the claim's credit passes on to the work itself
  } else {
    --credit;
    ++busy_[index_of(who)];
  }
  in.value.live.ticket = ++tickets_;
  in.in_flight = what;
  if (what == action::submit) {
    ++plant_.totals.submits;
  } else if (what == action::upload) {
    ++plant_.totals.uploads;
  }
  return task{in.value.live.ticket, what, std::make_shared<const record>(in.value)};
}

/// Takes the first of a line that may not stay in it. True if the caller may look at the next one.
bool ledger::leave_line(std::deque<request_key>& line, stage who) {
  const auto found = open_.find(line.front());
  if (found == open_.end()) {
    line.pop_front();
    return true;
  }
  auto& in = found->second;
  const bool settled_first = in.undurable != 0; // examined again when its write is synced
  const auto what = lifecycle::next_action(in.value, plant_.now());
  const bool elsewhere = what == action::none || stage_of(what) != who
    || (&line == &suspects_ && !is_suspect(in))
    || (&line == &claimed_[index_of(who)] && !in.reserved);
  if (!settled_first && !elsewhere) {
    return false;
  }
  line.pop_front();
  in.queued = false;
  examine(in);
  return true;
}

void ledger::serve(std::deque<request_key>& line, stage who, std::vector<task>& out) {
  for (std::size_t looked_at = line.size(); looked_at > 0 && !line.empty(); --looked_at) {
    if (leave_line(line, who)) {
      continue;
    }
    auto& in = open_.find(line.front())->second;
    // A stop lets what was claimed finish; its attempt is already on disk.
    const bool may_start = in.reserved || (dispatching_ && credit_[index_of(who)] > 0);
    const auto what = lifecycle::next_action(in.value, plant_.now());
    const bool crypto_work = who == stage::processor || who == stage::slow_lane;
    if (!may_start || (crypto_work && !processor_may_take(in, what))) {
      return;
    }
    line.pop_front();
    in.queued = false;
    if (auto next = try_dispatch(in, who)) {
      out.push_back(std::move(*next));
    }
  }
}

std::vector<task> ledger::take_tasks(stage who) {
  std::vector<task> out;
  serve(claimed_[index_of(who)], who, out); // first: each holds a credit that nothing else can use
  serve(lines_[index_of(who)], who, out);
  if (who == stage::processor || who == stage::slow_lane) {
    serve(suspects_, who, out);
  }
  return out;
}

std::vector<lease_wish> ledger::take_renewals(std::size_t count_max) {
  std::vector<lease_wish> out;
  if (plant_.time->boot() < renew_not_before_) {
    return out;
  }
  while (dispatching_ && !uploader_gone_ && !renewals_.empty() && out.size() < count_max) {
    auto wish = renewals_.front();
    renewals_.pop_front();
    const auto found = open_.find(wish.key);
    if (found != open_.end() && found->second.value.live.lease_asked) {
      wish.lease_number = found->second.value.lease_number;
      out.push_back(std::move(wish));
    }
  }
  return out;
}

void ledger::renewals_done(const std::vector<lease_wish>& asked) {
  const auto wait_ms = lifecycle::backoff_ms(plant_.rules, renew_failures_++, plant_.random());
  renew_not_before_ = plant_.time->boot() + std::min(wait_ms, plant_.settings.lease_ms / 8);
  for (const auto& wish : asked) {
    const auto found = open_.find(wish.key);
    if (found != open_.end() && found->second.value.live.lease_asked) {
      renewals_.push_back(wish);
    }
  }
}

std::vector<settled_again> ledger::take_reacknowledgements(std::size_t count_max) {
  std::vector<settled_again> out;
  while (dispatching_ && !uploader_gone_ && !again_.empty() && out.size() < count_max) {
    out.push_back(std::move(again_.front()));
    again_.pop_front();
  }
  return out;
}

std::vector<surplus_certificate> ledger::take_surplus() {
  return dispatching_ ? std::exchange(surplus_, {}) : std::vector<surplus_certificate>{};
}

} // namespace pfx::actors::tasks
