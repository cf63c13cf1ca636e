// `update …`: what the feed has, the word that a staged version is wanted, the pin, the history.
// The switch itself is root's (`pfxengine-switch`).
#include <algorithm>
#include <memory>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/console.hpp"
#include "engine/updates.hpp"

namespace pfx::app {
namespace {

constexpr const char* switcher = "pfxengine-switch";

struct update_options {
  std::string configuration = default_configuration;
  std::string folder;
  std::string pin;
  bool none = false;
  bool json = false;
};
using shared_options = std::shared_ptr<update_options>;

/// What does not verify, or is no longer valid, is neither a bug nor a wrong configuration.
exit_code refused(const error& what) {
  const auto code = refuse(what);
  const bool judged = what.code == errc::policy || what.code == errc::crypto;
  return judged ? exit_code::refused : code;
}

exit_code tell(const update_options& options, const result<engine::update_finding>& found) {
  if (!found)
    return refused(found.error());
  if (options.json) {
    say(engine::to_json(*found));
    return exit_code::done;
  }
  say(found->sentence);
  if (!found->pin.empty())
    say("pinned to " + found->pin);
  return exit_code::done;
}

exit_code check(const update_options& options) {
  const auto settings = load_to_change(options.configuration);
  return settings ? tell(options, engine::check_update(*settings)) : exit_code::configuration;
}

exit_code apply(const update_options& options) {
  const auto settings = load_to_change(options.configuration);
  if (!settings)
    return exit_code::configuration;
  const auto found = engine::apply_update(*settings, options.folder);
  if (found && !found->taken) {
    complain(found->sentence);
    return exit_code::refused;
  }
  return tell(options, found);
}

exit_code pin(const update_options& options) {
  const auto settings = load_to_change(options.configuration);
  if (!settings)
    return exit_code::configuration;
  if (options.none != options.pin.empty()) {
    complain("name a version, or --none");
    return exit_code::usage;
  }
  const auto done = engine::pin_update(*settings, options.pin);
  if (!done)
    return refused(done.error());
  say(options.none ? "no pin" : "pinned to " + options.pin);
  return exit_code::done;
}

exit_code history(const update_options& options) {
  const auto settings = load_to_change(options.configuration);
  if (!settings)
    return exit_code::configuration;
  const auto lines = engine::update_history(*settings);
  if (!lines)
    return refused(lines.error());
  for (std::size_t at = 0; at < lines->size();) {
    const auto end = std::min(lines->find('\n', at), lines->size());
    say(std::string_view(*lines).substr(at, end - at));
    at = end + 1;
  }
  return exit_code::done;
}

/// Root's program takes over this process; whoever is not root is told what to run.
exit_code roll_back(const update_options&) {
  if (::geteuid() == 0) {
    static_cast<void>(flush_console());
    ::execlp(switcher, switcher, "rollback", static_cast<char*>(nullptr));
    complain(std::string(switcher) + " cannot be run; is it installed?");
    return exit_code::unavailable;
  }
  complain("the way back is root's: sudo " + std::string(switcher) + " rollback");
  return exit_code::refused;
}

CLI::App* add_named(CLI::App& parent, const char* name, const char* words,
                    const shared_options& options, exit_code& code,
                    exit_code (*act)(const update_options&)) {
  auto* command = parent.add_subcommand(name, words);
  command->add_option("--config", options->configuration, "Configuration")->capture_default_str();
  command->callback([options, &code, act] { code = act(*options); });
  return command;
}

void add_askers(CLI::App& parent, exit_code& code) {
  auto options = std::make_shared<update_options>();
  auto* command = add_named(parent, "check", "What the feed has, and why it is taken or not",
                            options, code, &check);
  command->add_flag("--json", options->json, "One JSON object");
  command->footer("Exit code 9 if what is there is refused: older than what was seen, expired, not "
                  "signed\nby those who must.\n\nExample:\n  pfxengine update check");

  options = std::make_shared<update_options>();
  command = add_named(parent, "apply", "Stage what the feed has, and ask for the switch to it",
                      options, code, &apply);
  command->add_option("--from", options->folder,
                      "Folder with the files of a feed, instead of the configured one");
  command->add_flag("--json", options->json, "One JSON object");
  command->footer("The same checks as by the engine itself, but for the share and the window. "
                  "Root's unit\npfxengine-switch verifies again and switches.\n\nExample:\n"
                  "  pfxengine update apply --from /media/stick/feed");
}

void add_keepers(CLI::App& parent, exit_code& code) {
  auto options = std::make_shared<update_options>();
  add_named(parent, "rollback", "Back to the version before (root)", options, code, &roll_back)
    ->footer("Runs `pfxengine-switch rollback`; what it leaves is held until `pfxengine-switch "
             "unhold`.\n\nExample:\n  sudo pfxengine update rollback");

  options = std::make_shared<update_options>();
  auto* command
    = add_named(parent, "pin", "Take only versions that begin like this", options, code, &pin);
  command->add_option("VERSION", options->pin, "1, 1.2 or 1.2.3");
  command->add_flag("--none", options->none, "Take the pin away");
  command->footer("Example:\n  pfxengine update pin 0.2");

  options = std::make_shared<update_options>();
  add_named(parent, "history", "What was staged, asked for and switched", options, code, &history)
    ->footer("Example:\n  pfxengine update history");
}

} // namespace

void add_update(CLI::App& root, exit_code& code) {
  auto* command = root.add_subcommand("update", "Newer versions of this program");
  command->require_subcommand(1);
  command->footer("Example:\n  pfxengine update check");
  add_askers(*command, code);
  add_keepers(*command, code);
}

} // namespace pfx::app
