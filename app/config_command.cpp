// `config check`, `config schema`, `config doc`: everything about the configuration file.
#include <memory>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/console.hpp"

namespace pfx::app {
namespace {

exit_code check(const std::string& path) {
  const auto settings = load_or_complain(path);
  if (!settings)
    return exit_code::configuration;
  const auto faults = engine::check_configuration(*settings);
  if (!faults.empty()) {
    complain_all(path, faults);
    return exit_code::configuration;
  }
  say(printable(path, 512) + ": no faults");
  if (settings->issuance.authorities.empty())
    say("note: issuance names no authority, so every request for a certificate will be refused");
  for (const auto& sentence : engine::configuration_notes(*settings))
    say("note: " + sentence);
  return exit_code::done;
}

/// Both texts end with their own newline.
exit_code print(std::string text) {
  text.pop_back();
  say(text);
  return exit_code::done;
}

} // namespace

void add_config(CLI::App& root, exit_code& code) {
  auto* command = root.add_subcommand("config", "Check the configuration, or explain it");
  command->require_subcommand(1);
  command->footer("Example:\n  pfxengine config check --config /etc/pfxengine/pfxengine.json");

  auto path = std::make_shared<std::string>(default_configuration);
  auto* checking = command->add_subcommand("check", "Read it and everything it names; call nobody");
  checking->add_option("--config", *path, "Configuration")->capture_default_str();
  checking->footer(
    "All faults are told at once, each with the setting's name. Exit code 2 if there are any.\n\n"
    "Example:\n  pfxengine config check --config pfxengine.json");
  checking->callback([path, &code] { code = check(*path); });

  auto* schema = command->add_subcommand("schema", "Print the JSON Schema (2020-12) of the file");
  schema->footer("Example:\n  pfxengine config schema > pfxengine.schema.json");
  schema->callback([&code] { code = print(engine::configuration_schema()); });

  auto* document
    = command->add_subcommand("doc", "Print every setting: type, default, meaning (Markdown)");
  document->footer("Example:\n  pfxengine config doc | less");
  document->callback([&code] { code = print(engine::configuration_document()); });
}

} // namespace pfx::app
