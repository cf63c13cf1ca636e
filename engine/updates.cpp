// Commands beside a running engine: each step has the lock of the updates' directory, and what the
// other one did meanwhile is read from its files.
#include "engine/updates.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "engine/files.hpp"
#include "engine/identity.hpp"
#include "engine/update_plan.hpp"
#include "release/switch.hpp"

namespace pfx::engine {

namespace {

constexpr std::int64_t lock_wait_ms = 60'000; ///< for a look of the engine
constexpr int steps_max = 1 << 16;            ///< more parts than the largest package has

tl::unexpected<error> not_configured() {
  return failure(errc::not_found, "updates", "this configuration has no such section");
}

result<release::updater> open(const configuration& settings) {
  const auto identity = load_identity(settings);
  auto plan = detail::update_plan_of(settings, identity ? identity->connector_id : "");
  if (!plan)
    return failure(plan.error());
  plan->settings.lock_wait_ms = lock_wait_ms;
  return release::updater::open(std::move(plan->settings), system_clock().wall());
}

result<update_finding> finding_of(const release::updater& by, const release::offer& what) {
  const auto pin = by.pin();
  if (!pin)
    return failure(pin.error());
  return update_finding{release::to_string(what.what.what), what.taken, what.staged, what.sentence,
                        *pin};
}

result<void> fetch_all(release::updater& by, release::feed& from, release::offer& what) {
  for (int step = 0; step < steps_max; ++step) {
    const auto done = by.fetch(from, what, system_clock().wall());
    if (!done)
      return failure(done.error());
    if (*done == release::staging_folder::progress::done) {
      what.staged = true;
      return {};
    }
  }
  return failure(errc::internal, "length", "a download without an end");
}

} // namespace

std::string to_json(const update_finding& value) {
  return nlohmann::json({{"version", value.version},
                         {"taken", value.taken},
                         {"staged", value.staged},
                         {"sentence", value.sentence},
                         {"pin", value.pin}})
    .dump();
}

result<update_finding> check_update(const configuration& settings) {
  if (!settings.updates)
    return not_configured();
  auto by = open(settings);
  if (!by)
    return failure(by.error());
  const auto feed = detail::open_feed(settings);
  if (!feed)
    return failure(feed.error());
  const auto found = by->look(**feed, system_clock().wall());
  return found ? finding_of(*by, *found) : failure(found.error());
}

result<update_finding> apply_update(const configuration& settings, const std::string& folder) {
  if (!settings.updates)
    return not_configured();
  auto by = open(settings);
  if (!by)
    return failure(by.error());
  auto feed = folder.empty()
    ? detail::open_feed(settings)
    : result<std::unique_ptr<release::feed>>(release::open_folder_feed(folder));
  if (!feed)
    return failure(feed.error());
  auto found = by->look(**feed, system_clock().wall(), true);
  if (!found)
    return failure(found.error());
  if (!found->taken)
    return finding_of(*by, *found);
  if (auto fetched = fetch_all(*by, **feed, *found); !fetched)
    return failure(fetched.error());
  const auto asked = by->want(found->what.what, system_clock().wall());
  if (!asked)
    return failure(asked.error());
  found->sentence = release::to_string(found->what.what)
    + (*asked ? " is staged and asked for" : " is staged and asked for again");
  return finding_of(*by, *found);
}

result<void> pin_update(const configuration& settings, const std::string& pin) {
  if (!settings.updates)
    return not_configured();
  auto by = open(settings);
  return by ? by->set_pin(pin) : failure(by.error());
}

result<std::string> update_history(const configuration& settings) {
  if (!settings.updates)
    return not_configured();
  const auto by = open(settings);
  if (!by)
    return failure(by.error());
  auto out = by->history();
  const auto switched = release::read_history(release::switch_history_path(switch_state_folder));
  // Both begin each line with its time.
  std::vector<std::string> lines;
  for (const auto* const text : {&std::as_const(out), &switched})
    for (std::size_t at = 0; at < text->size();) {
      const auto end = std::min(text->find('\n', at), text->size());
      lines.push_back(text->substr(at, end - at));
      at = end + 1;
    }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const std::string& left, const std::string& right) {
                     return left.substr(0, 20) < right.substr(0, 20);
                   });
  out.clear();
  for (const auto& line : lines)
    out += printable(line, 500) + "\n";
  return out;
}

} // namespace pfx::engine
