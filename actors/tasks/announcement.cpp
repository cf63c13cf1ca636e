// One call with all keys; after a conflict one call for each, so that the good ones are known.
#include "actors/tasks/announcement.hpp"

#include <exception>

#include "actors/tasks/plant.hpp"
#include "core/codec.hpp"
#include "crypto/digest.hpp"

namespace pfx::actors::tasks {

namespace {

constexpr std::uint16_t announced_event = 2010;
constexpr std::uint16_t not_announced_event = 2011;
constexpr const char* dispute_topic = "disputed keys";
constexpr const char* fault_topic = "unreadable keys";

using connect::service::import_key;

void say(const plant& p, report::level level, std::uint16_t id, std::string text) {
  p.tell({report::channel::system, level, id, p.time->wall(), "", "", 0, std::move(text)});
}

void say_failure(const plant& p, const error& why) {
  say(p, report::level::warning, not_announced_event,
      "connector keys not announced: " + to_string(why));
}

import_key named(const crypto::connector_key& key) {
  return {key.provider, key.name, key.public_key};
}

digest digest_of(const std::vector<crypto::connector_key>& keys) {
  writer out;
  for (const auto& one : keys) {
    out.text(one.provider).text(one.name).blob(one.public_key);
  }
  return crypto::sha256(out.view());
}

} // namespace

bool key_announcement::disputed(const std::string& provider, const std::string& name) const {
  const std::lock_guard lock(names_);
  return disputed_.contains({provider, name});
}

void key_announcement::announce(const plant& p) {
  auto keys = p.keys->list();
  if (!keys) {
    say(p, report::level::error, not_announced_event,
        "connector keys cannot be read: " + to_string(keys.error()));
    return;
  }
  take_faults(p, keys->faults);
  const auto now = digest_of(keys->keys);
  const bool again = p.attention.has(dispute_topic) && p.time->boot() >= dispute_at_;
  if ((now == announced_ && !again) || (keys->keys.empty() && !announced_.present())) {
    return;
  }
  std::vector<import_key> list;
  for (const auto& one : keys->keys) {
    list.push_back(named(one));
  }
  key_names disputes;
  auto answer = p.service->import_keys(p.caller.current(), list);
  if (!answer && answer.error().what.code == errc::conflict) {
    if (!announce_each(p, keys->keys, disputes)) {
      return;
    }
  } else if (!answer) {
    say_failure(p, answer.error().what);
    return;
  }
  announced_ = now;
  say(p, report::level::info, announced_event,
      std::to_string(list.size() - disputes.size()) + " connector keys announced");
  take_disputes(p, keys->keys, std::move(disputes));
}

bool key_announcement::announce_each(const plant& p, const key_list& keys, key_names& disputes) {
  for (const auto& one : keys) {
    auto answer = p.service->import_keys(p.caller.current(), {named(one)});
    if (!answer && answer.error().what.code == errc::conflict) {
      disputes.emplace(one.provider, one.name);
    } else if (!answer) {
      say_failure(p, answer.error().what);
      return false;
    }
  }
  return true;
}

/// Told once, as long as they are the same; status names them all until they are over.
void key_announcement::take_faults(const plant& p, const std::vector<error>& faults) {
  std::string all;
  for (const auto& one : faults) {
    all += (all.empty() ? "" : "; ") + to_string(one);
  }
  if (all == faults_) {
    return;
  }
  if (all.empty()) {
    p.attention.clear(fault_topic);
  } else {
    p.attention.set(fault_topic, "these connector keys cannot be read: " + all);
    say(p, report::level::error, not_announced_event,
        "connector keys cannot be read, and are not announced: " + all);
  }
  faults_ = std::move(all);
}

/// Each new dispute has a line in the audit; status names them all until they are over.
void key_announcement::take_disputes(const plant& p, const key_list& keys, key_names disputes) {
  std::string all;
  for (const auto& key : keys) {
    if (!disputes.contains({key.provider, key.name})) {
      continue;
    }
    const auto words = "\"" + printable(key.provider) + "\" / \"" + printable(key.name) + "\"";
    all += (all.empty() ? "" : ", ") + words;
    if (!disputed(key.provider, key.name)) {
      const auto text = "the service knows another key by the name " + words
        + "; the one with public key " + to_hex(crypto::sha256(key.public_key))
        + " is not announced and imports for it are refused";
      p.audit.put({}, {audit_event::connector_key_disputed, text});
    }
  }
  if (disputes.empty()) {
    p.attention.clear(dispute_topic);
  } else {
    p.attention.set(dispute_topic,
                    "the service knows other keys by the names of these connector keys: " + all);
  }
  dispute_at_ = p.time->boot() + dispute_interval_ms;
  const std::lock_guard lock(names_);
  disputed_ = std::move(disputes);
}

void key_announcement::keep_current(const plant& p) noexcept {
  if (p.keys == nullptr || p.halted) {
    return;
  }
  try {
    const std::lock_guard lock(calls_);
    if (p.time->boot() < look_at_) {
      return;
    }
    look_at_ = p.time->boot() + look_interval_ms;
    announce(p);
  } catch (const std::exception& thrown) {
    say(p, report::level::error, not_announced_event, printable(thrown.what()));
  }
}

} // namespace pfx::actors::tasks
