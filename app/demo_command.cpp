// `demo`: its options.
#include <memory>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/demo.hpp"
#include "app/sandbox_options.hpp"

namespace pfx::app {

void add_demo(CLI::App& root, exit_code& code) {
  auto* command = root.add_subcommand(
    "demo", "Show the main job on this machine, with its own service and authority");
  auto options = std::make_shared<demo_options>();
  options->mix = mix_default;
  command->add_option("--requests", options->requests, "How many requests")
    ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000}))
    ->capture_default_str();
  command->add_option("--mix", options->mix, mix_words)->capture_default_str();
  command->add_option("--kills", options->kills, "Kill -9 the engine so often, at random moments")
    ->check(CLI::Range(0, 10'000))
    ->capture_default_str();
  command->add_option("--seed", options->seed, "Same seed, same requests, same plan of kills")
    ->capture_default_str();
  command->add_option("--rate", options->rate, "Requests appearing per second; 0 is all at once")
    ->check(CLI::Range(0.0, 1e6))
    ->capture_default_str();
  command
    ->add_option("--time-limit", options->time_limit_s, "Seconds after which it counts as failed")
    ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{86'400}))
    ->capture_default_str();
  command->add_option("--data-dir", options->directory,
                      "An empty folder for everything; kept. Default: a temporary one");
  command->add_flag("--keep", options->keep, "Keep the temporary folder");
  command->add_flag("--json", options->json, "Exactly one JSON object on stdout");
  command->footer(
    "Starts a sandbox and an engine as processes of their own. Kill the engine\n"
    "as you like: "
    "it is started again, and at the end the sandbox's journals tell whether each request was\n"
    "delivered exactly once. Exit code 10 if not.\n\nExamples:\n"
    "  pfxengine demo\n"
    "  pfxengine demo --requests 1000 --mix create-ec=3,create-rsa=1 --kills 5 --json");
  command->callback([options, &code] {
    stop_signals signals(exit_code::stop_deadline);
    code = demo(*options, signals).run();
  });
}

} // namespace pfx::app
