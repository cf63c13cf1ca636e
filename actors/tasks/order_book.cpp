// Open revocation orders and their writes. Whose turn it is: order_book_dispatch.cpp.
#include "actors/tasks/order_book.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "actors/tasks/write_size.hpp"

namespace pfx::actors::tasks {

namespace {

using revocation::event;
using revocation::event_kind;
using revocation::moment;
using revocation::step_result;

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::size_t batch_changes_max = 500;
constexpr std::size_t batch_bytes_max = 2u << 20; ///< a part of what the keeper writes at once

report::level level_of(std::uint16_t id) {
  switch (id) {
    case revocation::trail_event::failed:
    case revocation::trail_event::ca_failed:
    case revocation::trail_event::retry:
    case revocation::trail_event::no_ca:
    case revocation::trail_event::report_failed:
    case revocation::trail_event::unreported:
      return report::level::warning;
    case revocation::trail_event::held:
    case revocation::trail_event::conflict:
      return report::level::error;
    default:
      return report::level::info;
  }
}

/// What an auditor asks for: who ordered what, what became of it, and an operator's part in it.
bool audited(std::uint16_t id) {
  using namespace revocation::trail_event;
  return id == intent || id == held || id == operator_word || id == ca_answered || id == ca_failed
    || id == conflict || id == unreported;
}

report line_of(const revocation_order& of, std::uint16_t id, const std::string& text,
               report::channel on, unix_ms at) {
  return {on, level_of(id), id, at, printable(of.key.context), of.transaction_id, 0, text};
}

} // namespace

// -- at the start ------

void order_book::load(revocation_order value, bool unclean, const moment& now) {
  arrivals_ = std::max(arrivals_, value.arrival + 1);
  remember(value, now);
  value.live = {};
  const auto key = value.key;
  open_[key].value = std::move(value);
  if (unclean) {
    apply(key, event{.kind = event_kind::restarted}, now);
  }
}

void order_book::remember(const revocation_order& one, const moment& now) {
  arrivals_ = std::max(arrivals_, one.arrival + 1);
  // The clock may have been set since: what seems to lie in the future was just now, at worst.
  const auto ago = std::max<std::int64_t>(0, now.wall - one.revoked_at);
  if (one.revoked_at != 0 && ago < hour_ms) {
    const auto at = now.boot - ago;
    intents_.insert(std::upper_bound(intents_.begin(), intents_.end(), at), at);
  }
}

// -- what comes in ------

void order_book::expect() {
  looking_up_ = true;
  ended_meanwhile_.clear();
}

void order_book::receive(std::vector<revocation::offer> list,
                         std::map<request_key, revocation_order> reported, const moment& now) {
  looking_up_ = false;
  reported.merge(std::exchange(ended_meanwhile_, {}));
  for (auto& one : list) {
    auto found = open_.find(one.key);
    if (found == open_.end()) {
      const auto known = reported.find(one.key);
      found = open_.try_emplace(one.key).first;
      if (known == reported.end()) {
        one.arrival = arrivals_++;
        absorb(found->second, revocation::receive(one, now), now);
        continue;
      }
      found->second.value = known->second;
    }
    const bool same = found->second.value.fingerprint == one.fingerprint;
    apply(one.key,
          event{.kind = same ? event_kind::offered_same : event_kind::offered_other,
                .transaction_id = one.transaction_id},
          now);
  }
}

void order_book::give_back(const request_key& key, const moment& now) {
  const auto found = open_.find(key);
  if (found != open_.end() && found->second.value.live.in_flight) {
    found->second.value.live.in_flight = false;
    found->second.value.live.retry_at = now.boot + by_.backoff_base_ms;
    --in_flight_;
  }
}

bool order_book::hour_is_full(const moment& now) {
  while (!intents_.empty() && intents_.front() <= now.boot - hour_ms) {
    intents_.pop_front();
  }
  return intents_.size() >= hour_max_;
}

std::size_t order_book::held() const {
  return static_cast<std::size_t>(std::count_if(open_.begin(), open_.end(), [](const auto& one) {
    return one.second.value.state == order_state::held;
  }));
}

std::size_t order_book::room() const {
  const auto active = open_.size() - held();
  return active >= open_max ? 0 : open_max - active;
}

event order_book::guarded() const {
  const auto why = "more than " + std::to_string(hour_max_) + " revocations in an hour";
  if (held() < held_max) {
    return {.kind = event_kind::guarded, .text = why + ": waits for an operator"};
  }
  return {.kind = event_kind::not_ours, .code = service_code::service_too_busy, .text = why};
}

void order_book::apply(const request_key& key, event what, const moment& now) {
  const auto found = open_.find(key);
  if (found == open_.end()) {
    return;
  }
  auto& in = found->second;
  const bool handed_out
    = what.kind == event_kind::offered_same || what.kind == event_kind::offered_other;
  if (in.value.live.in_flight && !handed_out) {
    in.value.live.in_flight = false;
    --in_flight_;
  }
  if (in.resting) {
    return;
  }
  if (what.kind == event_kind::chosen && in.value.state == order_state::received) {
    if (!in.value.approved && hour_is_full(now)) {
      what = guarded();
    } else {
      intents_.push_back(now.boot);
    }
  }
  auto out = revocation::step(in.value, what, by_, now);
  out.next.live.in_flight = in.value.live.in_flight; // the book's own: a step may forget it, not we
  absorb(in, std::move(out), now);
}

void order_book::separate(const std::vector<request_key>& keys) {
  for (const auto& key : keys) {
    if (const auto found = open_.find(key); found != open_.end()) {
      found->second.alone = true;
    }
  }
}

error order_book::operator_word(const request_key& key, event_kind word, const moment& now) {
  const auto found = open_.find(key);
  if (found == open_.end()) {
    return {errc::not_found, "requestContext", "no open revocation order has this context"};
  }
  if (found->second.resting) {
    return {errc::conflict, "requestContext", "rests until the next start: event 3051 says why"};
  }
  auto out = revocation::step(found->second.value, event{.kind = word}, by_, now);
  if (out.refused) {
    return {errc::conflict, "requestContext",
            "is " + std::string(name_of(found->second.value.state))
              + ", not held, nor for a CA that is missing and was never asked"};
  }
  out.next.live.in_flight = found->second.value.live.in_flight;
  absorb(found->second, std::move(out), now);
  return {errc::none, "", ""};
}

void order_book::tick(const moment& now) {
  std::vector<std::pair<request_key, event>> over;
  for (const auto& [key, in] : open_) {
    if (in.undurable != 0 || in.resting) {
      continue;
    }
    if (auto what = revocation::due(in.value, by_, now)) {
      over.emplace_back(key, std::move(*what));
    }
  }
  for (auto& [key, what] : over) {
    apply(key, std::move(what), now);
  }
}

// -- from a step to a write ------

void order_book::absorb(entry& in, step_result&& out, const moment& now) {
  change c{out.next.key, {}};
  if (in.value.key == c.key) {
    c.before = in.value;
  }
  in.value = std::move(out.next);
  if (out.changed) {
    c.what.operations.emplace_back(storage::put_order{in.value});
  }
  if (out.event_id != 0) {
    c.what.operations.emplace_back(
      storage::put_trail{in.value.key,
                         trail_entry{now.wall, out.event_id, record_state::received,
                                     in.value.transaction_id, 0, out.note}});
    c.what.reports.push_back(
      line_of(in.value, out.event_id, out.note, report::channel::operational, now.wall));
    if (audited(out.event_id)) {
      c.what.audit.push_back(
        {out.event_id, "revocation order " + printable(in.value.key.context) + ": " + out.note});
    }
  }
  if (out.admin_event != 0) {
    const auto end = in.value.code == service_code::none ? "revoked certificate " + in.value.serial
                                                         : in.value.text;
    const bool silent = out.admin_event == revocation::trail_event::unreported;
    c.what.reports.push_back(line_of(in.value, out.admin_event,
                                     silent ? out.note + "; what was not told: " + end : end,
                                     report::channel::admin, now.wall));
  }
  if (!c.what.operations.empty()) {
    ++in.undurable;
    for (const auto& one : c.what.operations) {
      c.size += write_size(one);
    }
    waiting_.push_back(std::move(c));
  }
}

std::optional<order_batch> order_book::take_batch() {
  if (writing_ || waiting_.empty()) {
    return std::nullopt;
  }
  order_batch out;
  std::size_t size = 0;
  const auto count_max = singly_ > 0 ? std::size_t{1} : batch_changes_max;
  singly_ -= singly_ > 0 ? 1 : 0;
  while (!waiting_.empty() && writing_kept_.size() < count_max
         && (writing_kept_.empty() || size + waiting_.front().size <= batch_bytes_max)) {
    auto& next = waiting_.front();
    size += next.size;
    out.operations.insert(out.operations.end(), next.what.operations.begin(),
                          next.what.operations.end());
    out.reports.insert(out.reports.end(), next.what.reports.begin(), next.what.reports.end());
    out.audit.insert(out.audit.end(), next.what.audit.begin(), next.what.audit.end());
    writing_kept_.push_back(std::move(next));
    waiting_.pop_front();
  }
  writing_ = true;
  return out;
}

void order_book::committed() {
  for (const auto& one : std::exchange(writing_kept_, {})) {
    const auto found = open_.find(one.key);
    if (found == open_.end() || --found->second.undurable != 0) {
      continue;
    }
    if (is_final(found->second.value.state)) {
      if (looking_up_) {
        ended_meanwhile_.insert_or_assign(one.key, std::move(found->second.value));
      }
      open_.erase(found);
    }
  }
  writing_ = false;
}

void order_book::not_committed() {
  for (auto one = writing_kept_.rbegin(); one != writing_kept_.rend(); ++one) {
    waiting_.push_front(std::move(*one));
  }
  writing_kept_.clear();
  writing_ = false;
}

bool order_book::refused(request_key& who) {
  if (writing_kept_.size() != 1) {
    singly_ = writing_kept_.size();
    not_committed();
    return false;
  }
  who = writing_kept_.front().key;
  auto before = std::move(writing_kept_.front().before);
  writing_kept_.clear();
  writing_ = false;
  std::erase_if(waiting_, [&who](const change& one) { return one.key == who; });
  const auto found = open_.find(who);
  if (found == open_.end()) {
    return true;
  }
  auto& in = found->second;
  const bool in_flight = in.value.live.in_flight; // its answer comes, and means nothing any more
  if (before && !is_final(before->state)) {
    in = {.value = std::move(*before), .resting = true};
    in.value.live = {.in_flight = in_flight};
  } else {
    in_flight_ -= in_flight ? 1 : 0;
    open_.erase(found);
  }
  return true;
}

// -- for status ------

std::map<order_state, std::uint64_t> order_book::count_by_state() const {
  std::map<order_state, std::uint64_t> out;
  for (const auto& [key, in] : open_) {
    ++out[in.value.state];
  }
  return out;
}

void order_book::each(const std::function<void(const revocation_order&)>& visit) const {
  for (const auto& [key, in] : open_) {
    visit(in.value);
  }
}

std::vector<revocation_order> order_book::list(std::size_t count_max,
                                               std::optional<order_state> wanted) const {
  std::vector<const revocation_order*> found; // only what is asked for is copied
  for (const auto& [key, in] : open_) {
    if (!wanted || in.value.state == *wanted) {
      found.push_back(&in.value);
    }
  }
  const auto end = found.begin() + static_cast<std::ptrdiff_t>(std::min(found.size(), count_max));
  std::partial_sort(found.begin(), end, found.end(),
                    [](const auto* a, const auto* b) { return a->arrival < b->arrival; });
  std::vector<revocation_order> out;
  std::transform(found.begin(), end, std::back_inserter(out), [](const auto* one) { return *one; });
  return out;
}

} // namespace pfx::actors::tasks
