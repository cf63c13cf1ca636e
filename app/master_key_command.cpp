// `master-key rotate`: another key under everything that is sealed.
#include <memory>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/console.hpp"
#include "engine/rotation.hpp"

namespace pfx::app {
namespace {

struct rotate_options {
  std::string configuration = default_configuration;
  std::string new_key_file;
  std::string old_key_file;
};

/// Paths as the administrator knows them, in place of those of copies in memory.
class known_paths {
public:
  explicit known_paths(const rotate_options& options) {
    if (const auto settings = engine::load_configuration(options.configuration))
      master_key_ = settings->master_key_file;
    new_key_ = options.new_key_file;
    old_key_ = options.old_key_file;
  }
  [[nodiscard]] std::string said(std::string text, const engine::configuration& settings,
                                 const rotate_options& now) const {
    const std::pair<const std::string&, const std::string&> changed[]
      = {{settings.master_key_file, master_key_},
         {now.new_key_file, new_key_},
         {now.old_key_file, old_key_}};
    for (const auto& [copy, known] : changed)
      if (copy != known && !copy.empty())
        if (const auto at = text.find(copy); at != std::string::npos)
          text.replace(at, copy.size(), printable(known, 512));
    return text;
  }

private:
  std::string master_key_, new_key_, old_key_;
};

exit_code rotate(rotate_options& options) {
  const known_paths known(options);
  const auto settings
    = load_to_change(options.configuration, {&options.new_key_file, &options.old_key_file});
  if (!settings)
    return exit_code::configuration;
  const auto done = engine::rotate_master_key(
    *settings,
    {.new_key_file = options.new_key_file, .at_step = {}, .old_key_file = options.old_key_file});
  if (!done) {
    auto fault = done.error();
    fault.message = known.said(fault.message, *settings, options);
    return refuse(fault);
  }
  if (done->resumed)
    say("an interrupted rotation was finished");
  say("sealed again: " + std::to_string(done->records) + " records, " + std::to_string(done->keys)
      + " connector keys, " + (done->identity ? "the identity's key" : "no identity"));
  say("master key " + done->old_key_id + " replaced by " + done->new_key_id);
  for (const auto& sentence : done->left)
    say("to do: " + known.said(sentence, *settings, options));
  return exit_code::done;
}

} // namespace

void add_master_key(CLI::App& root, exit_code& code) {
  auto* command = root.add_subcommand("master-key", "The key that seals everything at rest");
  command->require_subcommand(1);
  command->footer("Example:\n  pfxengine master-key rotate");

  auto options = std::make_shared<rotate_options>();
  auto* rotating = command->add_subcommand("rotate", "Seal everything under a new key");
  rotating->add_option("--config", options->configuration, "Configuration")->capture_default_str();
  rotating->add_option("--new-key", options->new_key_file,
                       "File with the new key (64 hexadecimal digits, mode 0600); default: a new "
                       "one is made");
  rotating->add_option("--old-key", options->old_key_file,
                       "File with the key before, to finish an interrupted rotation whose new key "
                       "was put in its place too early");
  rotating->footer(
    "Stop the engine first. After an interruption, whatever the moment, run it again: it goes on\n"
    "where it ended, and until then no other command works. Where the master key is a credential\n"
    "of the service manager, or root's while the engine runs as another user, it cannot be\n"
    "replaced from here: --new-key is needed then, and the last word says what to do;\n"
    "CREDENTIALS_DIRECTORY tells where a credential lies.\n\n"
    "Example:\n  systemctl stop pfxengine && pfxengine master-key rotate && systemctl start "
    "pfxengine");
  rotating->callback([options, &code] { code = rotate(*options); });
}

} // namespace pfx::app
