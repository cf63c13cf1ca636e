// The program's commands, one function each that adds it to the command line. A command sets `code`
// when it ran; parsing errors never reach it.
#pragma once

#include "app/exit_code.hpp"

namespace CLI {
class App;
}

namespace pfx::app {

inline constexpr const char* default_configuration = "/etc/pfxengine/pfxengine.json";

void add_init(CLI::App& root, exit_code& code);
void add_register(CLI::App& root, exit_code& code);
void add_run(CLI::App& root, exit_code& code);
void add_config(CLI::App& root, exit_code& code);
void add_status(CLI::App& root, exit_code& code);
void add_requests(CLI::App& root, exit_code& code);
void add_revocations(CLI::App& root, exit_code& code);
void add_connection(CLI::App& root, exit_code& code);
void add_key(CLI::App& root, exit_code& code);
void add_master_key(CLI::App& root, exit_code& code);
void add_audit(CLI::App& root, exit_code& code);
void add_store(CLI::App& root, exit_code& code);
void add_release(CLI::App& root, exit_code& code);
void add_update(CLI::App& root, exit_code& code);
void add_sandbox(CLI::App& root, exit_code& code);
void add_demo(CLI::App& root, exit_code& code);
void add_doctor(CLI::App& root, exit_code& code);
void add_completion(CLI::App& root, exit_code& code);
void add_version(CLI::App& root, exit_code& code);

} // namespace pfx::app
