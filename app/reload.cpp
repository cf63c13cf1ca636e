// Compares two configurations setting by setting; restarts nothing by itself.
#include "app/reload.hpp"

#include <algorithm>

namespace pfx::app {

namespace {

constexpr std::size_t named_max = 20; ///< settings in one line of the log

/// The credential that stands in for this file is no change of the file.
engine::configuration comparable(engine::configuration value, const engine::configuration& other) {
  value.master_key_file = other.master_key_file;
  return value;
}

std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), named_max); ++i)
    out += (i == 0 ? "" : ", ") + names[i];
  return names.size() > named_max ? out + ", …" : out;
}

} // namespace

void reloader::reload() const {
  const auto fresh = engine::load_configuration(started_with_.path);
  if (!fresh) {
    for (const auto& fault : fresh.error().faults)
      out_.line("error", "not reloaded: " + to_string(fault));
    return;
  }
  out_.set_level(fresh->log_level);
  auto changed = engine::changed_settings(started_with_, comparable(*fresh, started_with_));
  std::erase(changed, "log.level");
  if (changed.empty())
    out_.line("info", "reloaded: log.level is " + fresh->log_level);
  else
    out_.line("warning",
              "reloaded: log.level is " + fresh->log_level
                + "; changed, and waiting for a restart: " + list_of(changed));
}

} // namespace pfx::app
