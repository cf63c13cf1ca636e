// Time, network, service and CA of the simulation, and what they notice.
#include "tests/core/simulation_world.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace pfx::simulation {

using lifecycle::event;
using lifecycle::event_kind;

namespace {

constexpr std::int64_t second = 1'000;
constexpr std::int64_t minute = 60 * second;
/// A message is never older than this when it arrives; shorter than ca_settle_ms of the engines.
constexpr std::int64_t latest_ms = 100 * second;
/// An expired request can still be answered for so long.
constexpr std::int64_t grace_ms = 30 * second;
constexpr int recorded_hand_outs_max = 3;
constexpr std::uint64_t imports_every = 4;
/// Enough to put a request aside, wait for its quarantine to end and send its failure.
constexpr std::int64_t enough_ms = 60 * minute;

} // namespace

world::world(const plan& of) : by(of), roll(of.seed) {
  for (int i = 0; i < by.requests; ++i) {
    order one;
    one.context = "r" + std::to_string(i);
    one.created = now + (roll.chance(50) ? 0 : roll.between(0, by.faults_until));
    one.expires = one.created + by.expiry_ms;
    one.poison = by.poison && i == 0;
    one.imported = (by.seed + static_cast<std::uint64_t>(i)) % imports_every == 0;
    orders[one.context] = one;
  }
}

bool world::decided() const {
  return std::all_of(orders.begin(), orders.end(), [](const auto& one) {
    return one.second.recorded || one.second.dropped;
  });
}

void world::tell(const std::string& what) {
  if (by.tells) {
    story.push_back(std::to_string(now) + " " + what);
  }
}

// -- time and network ------

void world::later(std::int64_t after_ms, std::function<void()> what) {
  calls_.push_back({now + std::max<std::int64_t>(0, after_ms), ordered_++, std::move(what)});
  std::push_heap(calls_.begin(), calls_.end(), [](const auto& left, const auto& right) {
    return std::tie(left.at, left.order) > std::tie(right.at, right.order);
  });
}

bool world::run_next() {
  if (calls_.empty()) {
    return false;
  }
  std::pop_heap(calls_.begin(), calls_.end(), [](const auto& left, const auto& right) {
    return std::tie(left.at, left.order) > std::tie(right.at, right.order);
  });
  auto next = std::move(calls_.back());
  calls_.pop_back();
  now = std::max(now, next.at);
  ++events_run;
  next.what();
  return true;
}

std::int64_t world::effort(std::int64_t usual_ms) {
  return faulty() && roll.chance(by.slow) ? roll.between(1, 15) * second
                                          : roll.between(1, usual_ms);
}

std::int64_t world::latency(int late) {
  return faulty() && roll.chance(late) ? roll.between(5, latest_ms / 1'000) * 1'000
                                           : roll.between(5, 50);
}

digest world::new_digest() {
  digest out;
  auto count = ++digests_;
  for (std::size_t i = 0; i < 8; ++i, count >>= 8) {
    out.octets[i] = static_cast<std::uint8_t>(count);
  }
  out.octets[31] = 1;
  return out;
}

// -- the service ------

void world::expire(order& of) {
  of.dropped = of.dropped || (!of.recorded && now >= of.expires + grace_ms);
}

std::vector<hand_out> world::download(int who, std::int64_t lease_ms) {
  std::vector<hand_out> out;
  for (auto& [context, one] : orders) {
    expire(one);
    const bool again = one.recorded && faulty() && roll.chance(by.hand_out_recorded)
                       && one.recorded_hand_outs < recorded_hand_outs_max;
    const bool open = !one.recorded && !one.dropped && now >= one.created && now < one.expires;
    if (one.leased_until > now || !(open || again)) {
      continue;
    }
    one.recorded_hand_outs += again ? 1 : 0;
    ++one.lease_number;
    one.leased_until = now + lease_ms;
    one.handed_to.insert(who);
    const bool other = one.lease_number > 1 && faulty() && roll.chance(by.other_body);
    out.push_back({context, one.lease_number, other, one.imported, one.expires});
  }
  return out;
}

event world::renew(const std::string& context, std::uint64_t number, std::int64_t lease_ms) {
  auto& one = orders.at(context);
  expire(one);
  const bool held = !one.recorded && !one.dropped && one.lease_number == number
                    && (one.leased_until > now || roll.chance(50));
  if (held) {
    one.leased_until = now + lease_ms;
  }
  return event{.kind = held ? event_kind::lease_renewed : event_kind::lease_lost,
               .lease_number = number};
}

event world::recorded(const order& of, event_kind kind) const {
  return event{.kind = kind,
               .thumbprint = of.result.thumbprint,
               .result_digest = of.result_digest,
               .succeeded = of.result.succeeded};
}

event world::upload(int who, const std::string& context, std::uint64_t number,
                    const digest& result) {
  auto& one = orders.at(context);
  expire(one);
  if (one.recorded) {
    return recorded(one, event_kind::upload_recorded);
  }
  if (one.dropped) {
    return event{.kind = event_kind::upload_unknown};
  }
  if (number != one.lease_number) {
    return event{.kind = event_kind::upload_lease_lost, .lease_number = number};
  }
  if (!result.present()) {
    return event{.kind = event_kind::upload_missing};
  }
  const bool rejects = faulty() && (rejected_.count(result) != 0 || roll.chance(by.reject));
  if (rejects && !roll.chance(20)) { // an earlier copy may be accepted all the same
    rejected_.insert(result);
    may_send_other_bytes_.insert({who, context});
    return event{.kind = event_kind::upload_rejected, .text = "rejected"};
  }
  one.recorded = true;
  tell("service records " + context + " from " + std::to_string(who));
  one.leased_until = 0;
  one.result_digest = result;
  one.result = documents.at(result);
  for (const auto& [g, in] : slots[context]) {
    if (in.revoked && one.result.succeeded && in.thumbprint == one.result.thumbprint) {
      report(violation::recorded_revoked, "a revoked certificate was recorded for " + context);
    }
  }
  return recorded(one, event_kind::upload_accepted);
}

event world::query(const std::string& context) {
  auto& one = orders.at(context);
  expire(one);
  if (one.recorded) {
    return recorded(one, event_kind::query_recorded);
  }
  if (one.dropped) {
    return event{.kind = event_kind::query_unknown};
  }
  return event{.kind = one.leased_until > now ? event_kind::query_leased : event_kind::query_open,
               .lease_number = one.lease_number};
}

// -- the CA ------

event world::answer_of(const slot& in, int generation, const std::string& key) {
  event out;
  out.generation = static_cast<std::uint8_t>(generation);
  switch (in.at) {
    case slot::stage::refused:
      out.kind = event_kind::ca_refused;
      out.code = service_code::non_retryable;
      out.text = "refused by the CA";
      break;
    case slot::stage::pending:
      out.kind = in.key == key ? event_kind::ca_pending : event_kind::ca_pending_foreign;
      out.pending_id = "p" + std::to_string(generation);
      break;
    case slot::stage::issued:
      out.kind = in.key == key ? event_kind::ca_issued : event_kind::ca_foreign;
      out.thumbprint = in.thumbprint;
      out.serial_number = in.serial_number;
      break;
  }
  return out;
}

void world::issue(const std::string& context, int generation) {
  tell("CA issues " + context + " g" + std::to_string(generation));
  auto& in = slots[context][generation];
  in.at = slot::stage::issued;
  in.thumbprint = new_digest();
  in.serial_number = to_hex(in.thumbprint).substr(0, 16);
  check_alive(context);
}

event world::submit(const std::string& context, int generation, const std::string& key) {
  auto& mine = slots[context];
  const auto found = mine.find(generation);
  if (found != mine.end()) {
    if (found->second.key != key) {
      return event{.kind = event_kind::ca_conflict,
                   .generation = static_cast<std::uint8_t>(generation)};
    }
    return answer_of(found->second, generation, key);
  }
  auto& in = mine[generation];
  in.key = key;
  if (roll.chance(by.refuse)) {
    in.at = slot::stage::refused;
  } else if (roll.chance(by.pending)) {
    in.at = slot::stage::pending;
    later(roll.between(1, 300) * second, [this, context, generation] {
      if (roll.chance(by.refuse)) {
        slots[context][generation].at = slot::stage::refused;
      } else {
        issue(context, generation);
      }
    });
  } else {
    issue(context, generation);
  }
  return answer_of(in, generation, key);
}

event world::find(const std::string& context, int generation, const std::string& key) {
  auto& mine = slots[context];
  const auto found = mine.find(generation);
  return found != mine.end() ? answer_of(found->second, generation, key)
                             : event{.kind = event_kind::ca_never_seen,
                                     .generation = static_cast<std::uint8_t>(generation)};
}

bool world::revoke(const std::string& context, const digest& thumbprint) {
  for (auto& [g, in] : slots[context]) {
    if (in.at == slot::stage::issued && in.thumbprint == thumbprint) {
      in.revoked = true;
      tell("CA revokes " + context + " g" + std::to_string(g));
      const auto& one = orders.at(context);
      if (one.recorded && one.result.succeeded && one.result.thumbprint == thumbprint) {
        report(violation::recorded_revoked, "the recorded certificate of " + context);
      }
    }
  }
  return true;
}

// -- the checker ------

void world::report(violation what, const std::string& text) {
  violations.emplace(what, "at " + std::to_string(now) + " ms: " + std::string(name_of(what)) + ": "
                             + text);
}

void world::note_amnesia(int who) {
  amnesia_ = true;
  for (const auto& [context, one] : orders) {
    may_send_other_bytes_.insert({who, context});
    sent_keys_.erase({who, context});
  }
}

void world::note_submit(int who, const std::string& context, int generation,
                        const std::string& key, bool durable) {
  if (!durable) {
    report(violation::not_durable, "submit of " + context + " g" + std::to_string(generation));
  }
  const auto [sent, first] = sent_keys_.emplace(std::pair(who, context), key);
  if (sent->second != key) {
    report(violation::other_key, context + ": " + sent->second + " and " + key);
  }
  const auto [owner, fresh] = key_owners_.emplace(key, context);
  if (owner->second != context) {
    report(violation::shared_key, key);
  }
}

void world::note_upload(int who, const std::string& context, const digest& result, bool durable) {
  if (!durable) {
    report(violation::not_durable, "upload of " + context);
  }
  const auto [sent, first] = sent_results_.emplace(std::pair(who, context), result);
  if (sent->second != result) {
    if (may_send_other_bytes_.count({who, context}) == 0) {
      report(violation::other_bytes, context);
    }
    sent->second = result;
  }
}

void world::check_alive(const std::string& context) {
  int alive = 0;
  for (const auto& [g, in] : slots[context]) {
    alive += in.at == slot::stage::issued && !in.revoked ? 1 : 0;
  }
  if (alive > 1 && by.instances == 1 && !amnesia_) {
    report(violation::two_alive, context);
  }
}

void world::check_end() {
  for (const auto& [context, one] : orders) {
    if (!one.recorded) {
      if (one.expires > by.faults_until + enough_ms) {
        report(violation::lost, context);
      }
      continue; // forgotten by the service: nothing is known to stand, so nothing was revoked
    }
    bool stands = false;
    for (const auto& [g, in] : slots[context]) {
      const bool alive = in.at == slot::stage::issued && !in.revoked;
      const bool ours = one.result.succeeded && in.thumbprint == one.result.thumbprint;
      stands = stands || (alive && ours);
      if (in.at == slot::stage::pending || (alive && !ours)) {
        report(violation::surplus_alive, context + " g" + std::to_string(g));
      }
    }
    if (one.result.succeeded && !stands && !one.imported) {
      report(violation::recorded_missing, context);
    }
  }
}

} // namespace pfx::simulation
