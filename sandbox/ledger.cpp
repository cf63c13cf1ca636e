// Leases and results (docs/protocol.md, Leases and Results). The rules read from top to bottom.
#include "sandbox/ledger.hpp"

#include <algorithm>
#include <functional>

#include "core/limits.hpp"
#include "core/program_version.hpp"
#include "sandbox/dice.hpp"

namespace pfx::sandbox {

namespace {

constexpr std::int64_t taken_lease_ms = 1'500; ///< of a lease that was taken away
constexpr std::int64_t lease_ms_min = 1'000;
constexpr std::size_t runs_seen_max = 10'000; ///< run ids remembered per connector

line with_caller(std::string_view what, const std::string& context, const service::caller& who) {
  return line(what)
    .text("context", context)
    .text("connector", who.connector_id)
    .text("run", who.run_id);
}

} // namespace

bool ledger::enqueue(const ledger_entry& what) {
  const auto where = standings_.size();
  if (!by_context_.emplace(what.context, where).second) {
    return false;
  }
  standing one;
  one.context = what.context;
  one.index = what.index;
  one.copies = what.copies;
  one.must_end = what.must_end;
  one.import = what.import;
  standings_.push_back(std::move(one));
  if (what.held) {
    held_.push_back(where);
  } else {
    ready_.insert({0, where});
  }
  ++counts_.requests;
  counts_.open += what.must_end ? 1 : 0;
  return true;
}

void ledger::release() {
  for (const auto where : held_) {
    ready_.insert({0, where});
  }
  held_.clear();
}

// -- who calls ------

ledger::verdict ledger::admit(const service::caller& who) {
  auto& known = runs_[who.connector_id];
  const bool same = who.epoch == known.epoch && who.run_id == known.id;
  if (!same && who.epoch <= known.epoch) {
    return {true, known.epoch, false};
  }
  known.epoch = who.epoch;
  known.id = who.run_id;
  if (known.seen.size() >= runs_seen_max) {
    known.seen.clear();
  }
  return {false, known.epoch, known.seen.insert(who.run_id).second};
}

service::check_in_answer ledger::check_in(const service::caller& who,
                                          const service::check_in_order& what) {
  auto& known = runs_[who.connector_id];
  service::check_in_answer out;
  out.last_known = known.anchor;
  const auto& said = options_.connectors;
  out.latest_version = said.latest_version.empty() ? program_version() : said.latest_version;
  out.lifecycle = said.word.empty() ? "supported" : said.word;
  out.deprecated_after = said.deprecated_after;
  out.unsupported_after = said.unsupported_after;
  // An older anchor than the known one is a store that forgot: only a reconcile replaces it.
  if (!known.anchor || what.reconciled || what.at.sequence > known.anchor->sequence) {
    known.anchor = what.at;
  }
  return out;
}

// -- leases ------

void ledger::expire(boot_ms now) {
  while (!leases_.empty() && leases_.begin()->first <= now) {
    const auto [end, where] = *leases_.begin();
    leases_.erase(leases_.begin());
    auto& one = standings_[where];
    if (one.lease_end != end) {
      continue; // renewed, or handed out again
    }
    one.lease_end = 0;
    if (!one.stands) {
      ready_.insert({one.hand_outs, where});
    } else if (one.redelivery_open) {
      redeliveries_.push_back(where);
    }
  }
}

hand_out ledger::give(place where, const service::caller& who, std::int64_t lease_ms, boot_ms now,
                      std::size_t copy, std::vector<line>& out) {
  auto& one = standings_[where];
  ++one.lease_number;
  one.lease_end = now + lease_ms;
  leases_.emplace(one.lease_end, where);
  if (copy == 0) {
    counts_.handed_out += one.hand_outs == 0 ? 1 : 0;
    counts_.takeovers += one.hand_outs > 0 && !one.stands ? 1 : 0;
    ++one.hand_outs;
    if (one.stands && one.redelivery_lease == 0) {
      one.redelivery_lease = one.lease_number;
      ++counts_.redelivered;
    }
    handed_[who.connector_id].insert(one.context);
  }
  out.push_back(with_caller("handed_out", one.context, who)
                  .number("lease", static_cast<std::int64_t>(one.lease_number))
                  .number("copy", static_cast<std::int64_t>(copy))
                  .flag("redelivery", one.stands.has_value()));
  const hand_out given{one.context, one.index, one.lease_number, lease_ms, copy};
  const bool first = one.hand_outs == 1 && !one.stands && one.copies == 1;
  if (first && dice(options_.seed ^ 0x105e, one.index).share() < options_.lose_lease_share) {
    take_away(where, now, out);
  }
  return given;
}

/// As if another connector had been given the request at once, and had died with it.
void ledger::take_away(place where, boot_ms now, std::vector<line>& out) {
  auto& one = standings_[where];
  ++one.lease_number;
  one.lease_end = now + taken_lease_ms;
  leases_.emplace(one.lease_end, where);
  out.push_back(line("taken_away")
                  .text("context", one.context)
                  .number("lease", static_cast<std::int64_t>(one.lease_number)));
}

bool ledger::wanted(place where, const std::vector<request_kind>& kinds) const {
  const auto kind = standings_[where].import ? request_kind::pfx_import : request_kind::pfx_create;
  return kinds.empty() || std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

std::vector<hand_out> ledger::download(const service::caller& who,
                                       const service::download_order& order, boot_ms now,
                                       std::vector<line>& out) {
  expire(now);
  const auto most = order.requests_max;
  const auto lease_ms = std::clamp(order.lease_ms, std::min(lease_ms_min, options_.lease_ms_max),
                                   options_.lease_ms_max);
  std::vector<hand_out> given;
  for (auto left = redeliveries_.size(); given.size() < most && left > 0; --left) {
    const auto where = redeliveries_.front();
    redeliveries_.pop_front();
    if (!wanted(where, order.kinds)) {
      redeliveries_.push_back(where);
    } else if (standings_[where].redelivery_open) {
      given.push_back(give(where, who, lease_ms, now, 0, out));
    }
  }
  for (auto at = ready_.begin(); given.size() < most && at != ready_.end();) {
    const auto where = at->second;
    if (!wanted(where, order.kinds)) {
      ++at;
      continue;
    }
    const auto copies = standings_[where].hand_outs == 0 ? standings_[where].copies : 1;
    if (!given.empty() && given.size() + copies > std::max(most, copies)) {
      break; // a request of many copies goes alone or with what fits beside it
    }
    at = ready_.erase(at);
    for (std::size_t copy = 0; copy < copies; ++copy) {
      given.push_back(give(where, who, lease_ms, now, copy, out));
    }
  }
  return given;
}

bool ledger::more(const std::vector<request_kind>& kinds, boot_ms now) {
  expire(now);
  const auto waits = [&](place where) { return wanted(where, kinds); };
  return std::any_of(redeliveries_.begin(), redeliveries_.end(), waits)
    || std::any_of(ready_.begin(), ready_.end(),
                   [&](const auto& one) { return waits(one.second); });
}

std::vector<service::lease_answer> ledger::renew(const service::caller& who, std::int64_t lease_ms,
                                                 const std::vector<service::lease_claim>& claims,
                                                 boot_ms now, std::vector<line>& out) {
  expire(now);
  lease_ms
    = std::clamp(lease_ms, std::min(lease_ms_min, options_.lease_ms_max), options_.lease_ms_max);
  std::vector<service::lease_answer> answers;
  for (const auto& claim : claims) {
    const auto at = by_context_.find(claim.context);
    bool held = false;
    if (at != by_context_.end()) {
      auto& one = standings_[at->second];
      // An expired lease that nobody took since is held again.
      held = claim.lease_number == one.lease_number && one.lease_number > 0 && !one.stands;
      if (held) {
        ready_.erase({one.hand_outs, at->second});
        one.lease_end = now + lease_ms;
        leases_.emplace(one.lease_end, at->second);
      }
    }
    out.push_back(with_caller("renewed", claim.context, who)
                    .number("lease", static_cast<std::int64_t>(claim.lease_number))
                    .flag("held", held));
    answers.push_back({claim.context, held});
  }
  return answers;
}

// -- on purpose ------

std::vector<std::string> ledger::at_work(boot_ms now) {
  expire(now);
  std::set<std::string> out;
  for (const auto& [end, where] : leases_) {
    const auto& one = standings_[where];
    if (one.lease_end == end && !one.stands) {
      out.insert(one.context);
    }
  }
  return {out.begin(), out.end()};
}

void ledger::lose(const std::string& context, boot_ms now, std::vector<line>& out) {
  take_away(by_context_.at(context), now, out);
}

void ledger::offer_again(const std::string& context) {
  const auto where = by_context_.at(context);
  standings_[where].lease_end = 0;
  ready_.insert({standings_[where].hand_outs, where});
}

// -- results ------

void ledger::unqueue(place where) {
  auto& one = standings_[where];
  ready_.erase({one.hand_outs, where});
  one.lease_end = 0;
}

void ledger::record(place where, const service::caller& who, const service::upload_entry& entry,
                    const document& read) {
  unqueue(where);
  auto& one = standings_[where];
  one.stands = service::recorded{entry.result_digest, read.succeeded,
                                 read.succeeded ? read.thumbprint : digest{}, who.connector_id};
  ++counts_.recorded;
  ++(read.succeeded ? counts_.delivered : counts_.failed);
  counts_.imported += read.succeeded && one.import ? 1 : 0;
  counts_.open -= one.must_end ? 1 : 0;
  if (dice(options_.seed ^ 0x2ed, one.index).share() < options_.redeliver_share) {
    one.redelivery_open = true;
    ++counts_.redelivery_open;
    redeliveries_.push_back(where);
  }
}

/// The first success of some, and of half of those the failure that follows it, too.
bool ledger::rejects(const standing& one, const document& read) const {
  const auto draw = dice(options_.seed ^ 0x4e1, one.index).share();
  return draw < options_.reject_share
    && (read.succeeded ? one.rejections == 0
                       : one.rejections == 1 && draw < options_.reject_share / 2);
}

service::upload_answer ledger::upload(const service::caller& who,
                                      const service::upload_entry& entry, const document* read,
                                      boot_ms now, std::vector<line>& out) {
  expire(now);
  service::upload_answer answer;
  answer.context = entry.context;
  const auto at = by_context_.find(entry.context);
  auto* one = at == by_context_.end() ? nullptr : &standings_[at->second];
  bool recorded_now = false;
  if (one == nullptr) {
    answer.status = service::upload_status::unknown_request;
  } else if (one->stands) {
    answer.status = service::upload_status::already_recorded;
    const bool answers_it
      = one->redelivery_lease > 0 && entry.lease_number >= one->redelivery_lease;
    if (one->redelivery_open && answers_it) {
      one->redelivery_open = false;
      one->lease_end = 0;
      --counts_.redelivery_open;
      ++counts_.acknowledged;
    }
  } else if (entry.lease_number != one->lease_number || one->lease_number == 0) {
    answer.status = service::upload_status::lease_lost;
  } else if (read == nullptr) {
    answer.status = service::upload_status::result_missing;
  } else if (read->wrong) {
    answer.status = service::upload_status::rejected;
    answer.message = to_string(*read->wrong);
  } else if (rejects(*one, *read)) {
    ++one->rejections;
    answer.status = service::upload_status::rejected;
    answer.message = "on purpose";
  } else {
    answer.status = service::upload_status::accepted;
    record(at->second, who, entry, *read);
    recorded_now = true;
  }
  if (one != nullptr && one->stands) {
    answer.stands = *one->stands;
  }
  auto entry_line = with_caller("upload", entry.context, who)
                      .number("lease", static_cast<std::int64_t>(entry.lease_number))
                      .text("digest", to_hex(entry.result_digest))
                      .flag("document", read != nullptr)
                      .text("status", name_of(answer.status))
                      .flag("on_purpose", answer.message == "on purpose");
  if (read != nullptr && read->wrong) {
    entry_line.text("wrong", to_string(*read->wrong));
  }
  out.push_back(std::move(entry_line));
  if (recorded_now) {
    out.push_back(with_caller("recorded", entry.context, who)
                    .text("digest", to_hex(entry.result_digest))
                    .flag("succeeded", read->succeeded)
                    .text("thumbprint", read->thumbprint.present() ? to_hex(read->thumbprint) : "")
                    .number("code", static_cast<std::int64_t>(read->code)));
  }
  return answer;
}

// -- questions ------

service::query_answer ledger::answer_of(const standing& one, boot_ms now) const {
  service::query_answer out;
  out.context = one.context;
  out.lease_number = one.lease_number;
  out.state = one.stands  ? service::query_state::recorded
    : one.lease_end > now ? service::query_state::leased
                          : service::query_state::open;
  if (one.stands) {
    out.stands = *one.stands;
  }
  return out;
}

service::query_answer ledger::query(const std::string& context, boot_ms now) const {
  const auto* one = find(context);
  if (one == nullptr) {
    service::query_answer out;
    out.context = context;
    out.state = service::query_state::unknown;
    return out;
  }
  return answer_of(*one, now);
}

service::query_page ledger::handed_to(const std::string& connector, const std::string& after,
                                      std::size_t most, boot_ms now) const {
  service::query_page out;
  const auto handed = handed_.find(connector);
  if (handed == handed_.end()) {
    return out;
  }
  auto at = after.empty() ? handed->second.begin() : handed->second.upper_bound(after);
  for (; at != handed->second.end() && out.answers.size() < most; ++at) {
    out.answers.push_back(query(*at, now));
  }
  out.more = at != handed->second.end();
  return out;
}

const standing* ledger::find(const std::string& context) const {
  const auto at = by_context_.find(context);
  return at == by_context_.end() ? nullptr : &standings_[at->second];
}

} // namespace pfx::sandbox
