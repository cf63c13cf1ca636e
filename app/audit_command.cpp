// `audit`: what was done, and whether the chain of it is whole.
#include <memory>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/console.hpp"
#include "engine/audit.hpp"

namespace pfx::app {
namespace {

struct audit_options {
  std::string configuration = default_configuration;
  std::size_t last = engine::audit_entries_default;
  bool json = false;
};

std::string line_of(const engine::audit_entry& entry) {
  auto out = std::to_string(entry.sequence) + "  " + to_rfc3339(entry.at) + "  "
    + std::to_string(entry.event);
  if (entry.epoch != 0)
    out += "  the engine started, epoch " + std::to_string(entry.epoch);
  for (const auto& [name, value] :
       {std::pair{"request ", &entry.context}, std::pair{"certificate ", &entry.serial_number},
        std::pair{"", &entry.text}})
    if (!value->empty())
      out.append("  ").append(name).append(printable(*value, 1'000));
  return out;
}

exit_code audit(const audit_options& options) {
  const auto settings = load_to_change(options.configuration);
  if (!settings)
    return exit_code::configuration;
  const auto read = engine::read_audit(*settings, options.last);
  if (!read)
    return refuse(read.error());
  if (options.json) {
    say(engine::to_json(*read));
  } else {
    for (const auto& entry : read->entries)
      say(line_of(entry));
    if (read->fault.empty())
      say(std::to_string(read->checked) + " entries, each hangs on the one before"
          + (read->entries.empty() ? "" : "; head " + read->entries.back().head));
  }
  if (read->fault.empty())
    return exit_code::done;
  complain("the audit is not what was written: " + read->fault);
  return exit_code::store_failed;
}

} // namespace

void add_audit(CLI::App& root, exit_code& code) {
  auto* command = root.add_subcommand("audit", "Print the audit and verify its chain");
  auto options = std::make_shared<audit_options>();
  command->add_option("--config", options->configuration, "Configuration")->capture_default_str();
  command->add_option("--last", options->last, "How many of the newest entries to print")
    ->check(CLI::Range(std::size_t{1}, engine::audit_entries_max))
    ->capture_default_str();
  command->add_flag("--json", options->json, "One JSON object");
  command->footer(
    "Asks the running engine, or reads the store if none runs. All entries are verified, whatever\n"
    "--last says; exit code 5 if one does not hang on the one before. That the end was cut off\n"
    "shows only in the service's last known head.\n\nExample:\n  pfxengine audit --last 100");
  command->callback([options, &code] { code = audit(*options); });
}

} // namespace pfx::app
