// `connection test`: the way to the tenant, step by step, without an engine.
#include <memory>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/console.hpp"
#include "engine/connection_check.hpp"

namespace pfx::app {
namespace {

struct test_options {
  std::string configuration = default_configuration;
  bool json = false;
};

void print(const engine::connection_step& step) {
  std::string head(name_of(step.outcome));
  head.resize(9, ' ');
  say(head + step.name + ": " + printable(step.tried, 600));
  if (!step.found.empty())
    say("         " + printable(step.found, 1'000));
  if (!step.advice.empty())
    say("         what to do: " + step.advice);
}

exit_code test(const test_options& options) {
  const auto settings = load_or_complain(options.configuration);
  if (!settings)
    return exit_code::configuration;
  const auto report = engine::test_connection(*settings);
  if (options.json)
    say(engine::to_json(report));
  else
    for (const auto& step : report.steps)
      print(step);
  if (report.passed())
    return exit_code::done;
  return report.steps.size() == 1 ? exit_code::configuration : exit_code_of(report.first_fault());
}

} // namespace

void add_connection(CLI::App& root, exit_code& code) {
  auto* command = root.add_subcommand("connection", "Look at the way to the tenant of Intune");
  command->require_subcommand(1);
  command->footer("Example:\n  pfxengine connection test");
  auto options = std::make_shared<test_options>();
  auto* testing = command->add_subcommand(
    "test", "Sign-in, permissions, addresses, proxy and TLS: each step, and what to do about it");
  testing->add_option("--config", options->configuration, "Configuration")->capture_default_str();
  testing->add_flag("--json", options->json, "One JSON object");
  testing->footer("Spends no challenge, takes no revocation order, needs no running engine.\n"
                  "Exit code 0 if every step passed; 2, 6, 8 or 9 for the first that did not.\n\n"
                  "Example:\n  pfxengine connection test --json | jq .steps");
  testing->callback([options, &code] { code = test(*options); });
}

} // namespace pfx::app
