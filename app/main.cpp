// pfxengine: the program. Parses the command line, runs one command, ends with its exit code.
#include <csignal>
#include <exception>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/console.hpp"
#include "core/program_version.hpp"

namespace {

using pfx::app::exit_code;

exit_code parse_and_run(int argc, char** argv) {
  CLI::App root(
    "Certificate connector engine: takes PKCS#12 requests from a management service, has "
    "them certified, and delivers each exactly once.");
  root.name("pfxengine");
  root.set_version_flag("--version", "pfxengine " + pfx::program_version());
  root.require_subcommand(1);
  root.footer("See it work, with a service, an authority and devices on this machine:\n"
              "  pfxengine demo\n\n"
              + std::string(pfx::app::exit_code_words()));
  auto code = exit_code::done;
  for (auto* add :
       {pfx::app::add_init, pfx::app::add_register, pfx::app::add_run, pfx::app::add_config,
        pfx::app::add_status, pfx::app::add_requests, pfx::app::add_revocations,
        pfx::app::add_connection, pfx::app::add_key, pfx::app::add_master_key, pfx::app::add_audit,
        pfx::app::add_store, pfx::app::add_release, pfx::app::add_update, pfx::app::add_sandbox,
        pfx::app::add_demo, pfx::app::add_doctor, pfx::app::add_completion, pfx::app::add_version})
    add(root, code);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& fault) {
    // Help and version come here too, with code 0.
    return root.exit(fault) == 0 ? exit_code::done : exit_code::usage;
  }
  return code;
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN); // a reader that went away is an error of the write, not our end
  auto code = exit_code::internal;
  try {
    code = parse_and_run(argc, argv);
  } catch (const std::exception& fault) {
    pfx::app::complain(pfx::printable(fault.what()));
  }
  if (!pfx::app::flush_console() && code == exit_code::done) {
    if (pfx::app::reader_left()) { // as every tool ends whose reader has seen enough
      std::signal(SIGPIPE, SIG_DFL);
      std::raise(SIGPIPE);
    }
    pfx::app::complain("what was printed could not be written");
    code = exit_code::internal;
  }
  return static_cast<int>(code);
}
