// What commands have in common that ask a running engine over its control socket.
#pragma once

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/console.hpp"
#include "engine/control.hpp"

namespace pfx::app {

struct control_options {
  std::string configuration = default_configuration;
  std::string socket;
  bool json = false;
  std::string state;
  std::string flow;
  std::string context;
  std::size_t count = engine::control_requests_default;
};
using shared_options = std::shared_ptr<control_options>;

inline void add_common(CLI::App& command, const shared_options& options) {
  command
    .add_option("--config", options->configuration,
                "Configuration; tells where the control socket is")
    ->capture_default_str();
  command.add_option("--socket", options->socket,
                     "The control socket itself; no configuration is read then");
}

/// Finds the engine and asks; `ask` gets the client and tells the exit code.
template <class Ask>
exit_code with_engine(const control_options& options, Ask ask) {
  auto socket = options.socket;
  if (socket.empty()) {
    const auto settings = load_or_complain(options.configuration);
    if (!settings)
      return exit_code::configuration;
    socket = settings->control_socket;
  }
  const auto client = engine::control_client::make(socket);
  return client ? ask(*client) : refuse(client.error());
}

inline std::string moment(unix_ms at) { return at == 0 ? "-" : to_rfc3339(at); }

inline std::string row(std::string_view name, std::string_view value) {
  std::string line(name);
  line.resize(std::max<std::size_t>(line.size() + 1, 18), ' ');
  return line.append(value);
}

} // namespace pfx::app
