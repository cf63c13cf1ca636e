// `store`: what an operator does to the store of a stopped engine.
#include <memory>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/console.hpp"
#include "app/report.hpp"
#include "engine/store_tools.hpp"

namespace pfx::app {
namespace {

struct store_options {
  std::string configuration = default_configuration;
  std::string path;
  bool sure = false;
};

exit_code tell(const result<engine::store_report>& done, const char* what) {
  if (!done)
    return refuse(done.error());
  say(std::string(what) + ": " + std::to_string(done->open_requests) + " open and "
      + std::to_string(done->settled_requests) + " settled requests, " + std::to_string(done->blobs)
      + " sealed blobs, " + std::to_string(done->surplus_certificates) + " surplus certificates, "
      + std::to_string(done->audit_lines) + " audit lines in one chain");
  for (const auto& sentence : done->words)
    say(sentence);
  return exit_code::done;
}

using tool = result<engine::store_report> (*)(const engine::configuration&, const store_options&);

void add(CLI::App& under, exit_code& code, const char* name, const char* sentence,
         const char* path_words, const char* done_word, tool work) {
  auto options = std::make_shared<store_options>();
  auto* command = under.add_subcommand(name, sentence);
  command->add_option("--config", options->configuration, "Configuration")->capture_default_str();
  if (path_words != nullptr)
    command->add_option("folder", options->path, path_words)->required();
  command->callback([options, &code, done_word, work] {
    const auto settings = load_to_change(options->configuration);
    code = settings ? tell(work(*settings, *options), done_word) : exit_code::configuration;
  });
}

} // namespace

void add_store(CLI::App& root, exit_code& code) {
  auto* command = root.add_subcommand("store", "Check, copy, restore or repair the durable queue");
  command->require_subcommand(1);
  command->footer(
    "The engine must be stopped. Nothing is thrown away: what was in the way is renamed.\n"
    "After a restore or a repair the next start asks the service about everything first.\n\n"
    "Examples:\n  pfxengine store verify\n  pfxengine store backup /var/backups/pfxengine-1");
  add(*command, code, "verify", "Read every table and record, and the audit chain", nullptr,
      "whole", [](const engine::configuration& settings, const store_options&) {
        return engine::verify_store(settings);
      });
  add(*command, code, "backup", "Make a copy of the store", "Where; must not exist", "copied",
      [](const engine::configuration& settings, const store_options& options) {
        return engine::back_up_store(settings, options.path);
      });
  add(*command, code, "restore", "Put a copy in the store's place", "A backup", "restored",
      [](const engine::configuration& settings, const store_options& options) {
        return engine::restore_store(settings, options.path);
      });
  add(*command, code, "repair", "Save what is readable of a damaged store", nullptr, "repaired",
      [](const engine::configuration& settings, const store_options&) {
        return engine::repair_store(settings);
      });
}

} // namespace pfx::app
