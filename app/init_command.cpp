// `init` and `register`: from nothing to a connector that the service knows.
#include <cstdio>
#include <memory>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/console.hpp"
#include "core/program_version.hpp"
#include "engine/identity.hpp"
#include "engine/owner.hpp"

namespace pfx::app {
namespace {

constexpr std::size_t code_bytes_max = 1'024;

/// What the package makes for the engine.
constexpr const char* service_user = "pfxengine";

exit_code init(engine::init_order& order) {
  // On a machine with the package installed the three commands of the README are enough.
  if (order.user.empty() && ::geteuid() == 0 && order.configuration_path == default_configuration
      && engine::user_exists(service_user))
    order.user = service_user;
  const auto done = engine::initialise(order);
  if (!done)
    return refuse(done.error());
  for (const auto& line : *done)
    say(line);
  say("\nNext:\n"
      "  1. put the roots of device certificates where recipients.trustFile says, and open in\n"
      "     the configuration what may be issued\n"
      "  2. pfxengine register CODE --config "
      + order.configuration_path + "\n  3. pfxengine config check --config "
      + order.configuration_path);
  return exit_code::done;
}

/// "-": the first line of stdin, so that the code stands in no list of processes.
std::string read_code(const std::string& given) {
  if (given != "-")
    return given;
  std::string line(code_bytes_max, '\0');
  if (std::fgets(line.data(), static_cast<int>(line.size()), stdin) == nullptr)
    return {};
  line.resize(line.find_first_of(std::string_view("\r\n\0", 3)));
  return line;
}

struct register_options {
  std::string configuration = default_configuration;
  std::string code;
  std::string name;
};

exit_code register_connector(register_options& options) {
  const auto settings = load_to_change(options.configuration);
  if (!settings)
    return exit_code::configuration;
  engine::register_settings order{read_code(options.code), options.name};
  const auto id = engine::register_with_service(*settings, order);
  wipe(order.code);
  wipe(options.code);
  if (!id)
    return refuse(id.error());
  say("registered as " + printable(*id) + "; the identity is in " + settings->identity_file);
  return exit_code::done;
}

} // namespace

void add_init(CLI::App& root, exit_code& code) {
  auto* command
    = root.add_subcommand("init", "Make a data directory, a master key and a configuration");
  auto order = std::make_shared<engine::init_order>();
  order->configuration_path = default_configuration;
  order->data_directory = "/var/lib/pfxengine";
  command->add_option("--config", order->configuration_path, "Configuration to write")
    ->capture_default_str();
  command->add_option("--data-dir", order->data_directory, "Folder of the durable queue")
    ->capture_default_str();
  command->add_option("--url", order->service_url, "The service, https://…")->required();
  command->add_option("--tenant", order->tenant, "Name of the tenant; never change it later")
    ->required();
  command->add_option("--roots", order->trusted_roots_file,
                      "PEM: who the service must be; default: the system's");
  command->add_option("--user", order->user,
                      "User that the engine will run as (root only); default: pfxengine, where the "
                      "package made it and the configuration is the default one");
  command->footer("Overwrites nothing; run it again and it makes what is missing.\n\nExample:\n"
                  "  pfxengine init --url https://service.example.test/pfx --tenant example");
  command->callback([order, &code] { code = init(*order); });
}

void add_register(CLI::App& root, exit_code& code) {
  auto* command = root.add_subcommand("register", "Introduce this connector to the service");
  auto options = std::make_shared<register_options>();
  command
    ->add_option("CODE", options->code,
                 "One-time code from the service's administrator; - reads it from stdin")
    ->required();
  command->add_option("--config", options->configuration, "Configuration")->capture_default_str();
  command->add_option("--name", options->name, "The connector's name; default: the machine's");
  command->footer(
    "Makes a key, has it certified by the service, keeps both (the key sealed). After a lost\n"
    "answer run it again: the same key is used. An identity is never overwritten.\n\nExample:\n"
    "  pfxengine register 7PXM-3KQA --name office-1");
  command->callback([options, &code] { code = register_connector(*options); });
}

void add_version(CLI::App& root, exit_code& code) {
  auto* command = root.add_subcommand("version", "Print the version");
  command->footer("Example:\n  pfxengine version");
  command->callback([&code] {
    say("pfxengine " + program_version());
    code = exit_code::done;
  });
}

} // namespace pfx::app
