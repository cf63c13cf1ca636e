// `doctor`: everything that can be wrong around the engine, and what to do about it.
#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/console.hpp"
#include "engine/doctor.hpp"

namespace pfx::app {
namespace {

void print(const std::vector<engine::finding>& all) {
  for (const auto& one : all) {
    auto area = one.area;
    area.resize(std::max<std::size_t>(area.size() + 1, 15), ' ');
    auto how = std::string(name_of(one.how));
    how.resize(std::max<std::size_t>(how.size() + 1, 9), ' ');
    say(how + area + one.what);
    if (!one.advice.empty())
      say(std::string(24, ' ') + "-> " + one.advice);
  }
}

exit_code look(const std::string& path, bool json) {
  const auto settings = load_to_change(path); // as the engine's user: its rights are what counts
  if (!settings)
    return exit_code::configuration;
  const auto all = engine::diagnose(*settings);
  if (json)
    say(engine::to_json(all));
  else
    print(all);
  const bool sound
    = std::ranges::none_of(all, [](const auto& one) { return one.how == engine::verdict::fault; });
  return sound ? exit_code::done : exit_code::refused;
}

} // namespace

void add_doctor(CLI::App& root, exit_code& code) {
  auto* command = root.add_subcommand("doctor", "Look at everything around the engine, and advise");
  auto path = std::make_shared<std::string>(default_configuration);
  auto json = std::make_shared<bool>(false);
  command->add_option("--config", *path, "Configuration")->capture_default_str();
  command->add_flag("--json", *json, "One JSON object");
  command->footer(
    "Looks at the configuration, rights, disk, clock, keys, the service, the authorities\n"
    "and the running engine. Changes nothing; the service and each authority are called\n"
    "once, without a certificate. Exit code 9 if anything is at fault.\n\n"
    "Example:\n  pfxengine doctor");
  command->callback([path, json, &code] { code = look(*path, *json); });
}

} // namespace pfx::app
