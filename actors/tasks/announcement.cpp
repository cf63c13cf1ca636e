// One call with all keys; the service refuses a name that stands for another key.
#include "actors/tasks/announcement.hpp"

#include <exception>

#include "actors/tasks/plant.hpp"
#include "core/codec.hpp"
#include "crypto/digest.hpp"

namespace pfx::actors::tasks {

namespace {

constexpr std::uint16_t announced_event = 2010;
constexpr std::uint16_t not_announced_event = 2011;

void say(const plant& p, report::level level, std::uint16_t id, std::string text) {
  p.tell({report::channel::system, level, id, p.time->wall(), "", "", 0, std::move(text)});
}

digest digest_of(const std::vector<crypto::connector_key>& keys) {
  writer out;
  for (const auto& one : keys) {
    out.text(one.provider).text(one.name).blob(one.public_key);
  }
  return crypto::sha256(out.view());
}

} // namespace

void key_announcement::announce(const plant& p) {
  auto keys = p.keys->list();
  if (!keys) {
    say(p, report::level::error, not_announced_event,
        "connector keys cannot be read: " + to_string(keys.error()));
    return;
  }
  const auto now = digest_of(*keys);
  if (now == announced_ || (keys->empty() && !announced_.present())) {
    return;
  }
  std::vector<connect::service::import_key> list;
  for (const auto& one : *keys) {
    list.push_back({one.provider, one.name, one.public_key});
  }
  auto answer = p.service->import_keys(p.caller.current(), list);
  if (!answer) {
    say(p, report::level::warning, not_announced_event,
        "connector keys not announced: " + to_string(answer.error().what));
    return;
  }
  announced_ = now;
  say(p, report::level::info, announced_event,
      std::to_string(list.size()) + " connector keys announced");
}

void key_announcement::keep_current(const plant& p) noexcept {
  if (p.keys == nullptr || p.halted) {
    return;
  }
  try {
    const std::lock_guard lock(mutex_);
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
