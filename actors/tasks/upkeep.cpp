// Expiries and renewals, put into words for an administrator.
#include "actors/tasks/upkeep.hpp"

#include <exception>
#include <set>

namespace pfx::actors::tasks {

namespace {

constexpr std::int64_t day_ms = 24LL * 3600 * 1000;
constexpr std::uint16_t event_expiry = 5010; ///< something of ours ends soon
constexpr std::uint16_t event_renewed = 5011, event_not_renewed = 5012;
constexpr std::uint16_t event_token = 3004; ///< the tenant gives us no token
constexpr const char* topic_renewal = "renewal of the connector certificate";
constexpr const char* topic_token = "intune token";

std::string topic_of(const std::string& name) { return "expiry of " + name; }

void tell(const plant& p, report::level level, std::uint16_t id, std::string text) {
  p.tell({report::channel::system, level, id, p.time->wall(), "", "", 0, std::move(text)});
}

std::string sentence_of(const expiry& one, unix_ms now) {
  if (one.ends_at <= now) {
    return one.name + " ended at " + to_rfc3339(one.ends_at);
  }
  const auto days = (one.ends_at - now) / day_ms;
  return one.name + " ends at " + to_rfc3339(one.ends_at) + ", in " + std::to_string(days)
    + (days == 1 ? " day" : " days");
}

void keep_token(const plant& p) {
  if (p.tenant == nullptr) {
    return;
  }
  const auto kept = p.tenant->upkeep();
  if (kept) {
    p.attention.clear(topic_token);
    return;
  }
  if (kept.error().what.code == errc::stopping) {
    return;
  }
  const auto words = "Intune gives us no token: " + to_string(kept.error().what);
  if (p.attention.set(topic_token, words)) {
    tell(p, report::level::warning, event_token, words);
  }
}

void renew(const plant& p) {
  const auto how = p.upkeep->renew_if_due();
  if (how.renewed) {
    tell(p, report::level::info, event_renewed,
         "the connector certificate was renewed until " + to_rfc3339(how.ends_at));
  }
  if (how.fault.empty()) {
    p.attention.clear(topic_renewal);
  } else if (p.attention.set(topic_renewal,
                             "the connector certificate is due and not renewed: " + how.fault)) {
    tell(p, report::level::warning, event_not_renewed,
         "the connector certificate is due and not renewed: " + how.fault);
  }
}

} // namespace

void tell_expiries(const plant& p, upkeep_memory& memory) {
  if (p.upkeep == nullptr) {
    return;
  }
  const auto now = p.time->wall();
  std::set<std::string> near;
  for (const auto& one : p.upkeep->expiries()) {
    const auto ahead = one.renews_itself ? own_expiry_notice_ms : expiry_notice_ms;
    if (one.ends_at > now + ahead) {
      continue;
    }
    near.insert(one.name);
    const auto sentence = sentence_of(one, now);
    p.attention.set(topic_of(one.name), sentence);
    const auto told = memory.told_at.find(one.name);
    if (told == memory.told_at.end() || now - told->second >= day_ms || now < told->second) {
      memory.told_at[one.name] = now;
      tell(p, one.ends_at <= now ? report::level::error : report::level::warning, event_expiry,
           sentence);
    }
  }
  std::erase_if(memory.told_at, [&](const auto& told) {
    if (near.contains(told.first)) {
      return false;
    }
    p.attention.clear(topic_of(told.first));
    return true;
  });
}

void run_upkeep(const plant& p) noexcept {
  try {
    if (p.upkeep != nullptr) {
      renew(p);
    }
    keep_token(p);
  } catch (const std::exception& thrown) {
    tell(p, report::level::error, event_not_renewed, "exception: " + printable(thrown.what()));
  }
}

} // namespace pfx::actors::tasks
