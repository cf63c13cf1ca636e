// Which feed, which version we are, when a switch may be asked for.
#include "engine/update_plan.hpp"

#include "actors/tasks/https_feed.hpp"
#include "core/program_version.hpp"
#include "engine/files.hpp"

namespace pfx::engine::detail {

namespace {

constexpr std::size_t roots_file_bytes_max = 4u << 20;

} // namespace

result<std::unique_ptr<release::feed>> open_feed(const configuration& settings) {
  const auto& from = *settings.updates;
  if (!from.feed.starts_with("https://"))
    return release::open_folder_feed(from.feed);
  std::string roots;
  if (!from.trusted_roots_file.empty()) {
    const auto octets = read_file(from.trusted_roots_file, roots_file_bytes_max);
    if (!octets)
      return failure(octets.error());
    roots = to_text(*octets);
  }
  return actors::tasks::open_https_feed(from.feed, roots);
}

result<actors::tasks::update_plan> update_plan_of(const configuration& settings,
                                                  const std::string& connector_id) {
  const auto& from = *settings.updates;
  const auto installed = release::version_from(program_version());
  if (!installed)
    return failure(installed.error());
  auto when = release::window::from(from.window);
  if (!when)
    return failure(when.error());
  actors::tasks::update_plan out;
  out.settings.directory = from.directory;
  out.settings.first_root = from.first_root_file;
  out.settings.platform = release::this_platform();
  out.settings.installed = *installed;
  out.settings.connector_id = connector_id;
  out.settings.automatic = from.apply == "automatic";
  out.settings.when = *when;
  out.check_interval_ms = from.check_interval_ms;
  // Its own copy: it is called for as long as the engine runs.
  out.open_feed = [own = settings] { return open_feed(own); };
  return out;
}

} // namespace pfx::engine::detail
