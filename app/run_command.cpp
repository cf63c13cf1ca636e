// `run`: the engine as a service of this machine. Start, watch, stop; the exit code says why it
// ended.
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdlib>
#include <memory>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/console.hpp"
#include "app/reload.hpp"
#include "app/service_manager.hpp"
#include "app/stop_signals.hpp"
#include "core/program_version.hpp"
#include "engine/control.hpp"
#include "engine/logging.hpp"

namespace pfx::app {
namespace {

constexpr std::chrono::milliseconds tick{200}; ///< between two looks at the engine
constexpr const char* master_key_credential = "master.key";
constexpr std::int64_t status_interval_ms = 1'000; ///< between two looks at its counters

/// Keys in memory reach no core file and no debugger of the same user.
bool close_memory() noexcept {
  const rlimit none{0, 0};
  return ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && ::setrlimit(RLIMIT_CORE, &none) == 0;
}

/// The credential of the service manager, if there is one, stands in for the file that the
/// configuration names: root's, which this user cannot read (systemd.exec, LoadCredential=).
void prefer_credential(engine::configuration& settings) {
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  const auto path = std::string(folder == nullptr ? "" : folder) + "/" + master_key_credential;
  if (folder != nullptr && ::access(path.c_str(), R_OK) == 0)
    settings.master_key_file = path;
}

std::string sentence_of(const engine::status& now) {
  auto text = std::string(name_of(now.state)) + ", " + std::to_string(now.open_requests) + " open, "
    + std::to_string(now.totals.delivered) + " delivered";
  return now.message.empty() ? text : text + ": " + printable(now.message, 200);
}

/// Runs until a signal or until the engine halts by itself; true in the second case.
bool watch(const engine::engine& running, stop_signals& signals, service_manager& manager,
           const reloader& again) {
  boot_ms told_at = 0;
  while (!signals.wait(tick)) {
    if (running.wait_halted(std::chrono::milliseconds(0)))
      return true;
    if (signals.take_reload())
      again.reload();
    const auto now = system_clock().boot();
    const bool watchdog = manager.watchdog_due(now);
    if (!watchdog && now - told_at < status_interval_ms)
      continue;
    manager.say_status(
      sentence_of(running.current())); // an engine that hangs, hangs here: no sign of life
    told_at = now;
    if (watchdog)
      manager.alive(now);
  }
  return false;
}

exit_code finish(engine::engine& running, const engine::configuration& settings,
                 const engine::log& out, bool halted) {
  const auto last = running.current();
  const auto stopped = running.stop(std::chrono::milliseconds(settings.limits.stop_deadline_ms));
  if (halted) {
    out.line("error", "halted by " + std::string(name_of(last.halted_by)) + ": " + last.message);
    return exit_code_of(last.halted_by);
  }
  if (!stopped) {
    out.line("error", to_string(stopped.error()));
    return exit_code_of(stopped.error().code);
  }
  out.line("info",
           "stopped; " + std::to_string(last.totals.delivered) + " delivered since the start");
  return exit_code::done;
}

exit_code serve(const engine::configuration& settings, const engine::log& out,
                stop_signals& signals) {
  service_manager manager;
  auto running = engine::engine::start(settings, out.sink());
  if (!running) {
    out.line("error", to_string(running.error()));
    // No identity is no missing request: it is what `register` makes.
    return running.error().code == errc::not_found ? exit_code::identity
                                                   : exit_code_of(running.error().code);
  }
  bool halted = false;
  {
    const auto control
      = engine::control_server::start(settings.control_socket, engine::commands_of(**running));
    if (!control) {
      out.line("error", to_string(control.error()));
      (void)finish(**running, settings, out, false);
      return exit_code::configuration;
    }
    manager.ready();
    halted = watch(**running, signals, manager, reloader(settings, out));
    manager.stopping();
  }
  return finish(**running, settings, out, halted);
}

/// An operator's word after a halt for good; nothing to resume is nothing wrong.
exit_code resume(const engine::configuration& settings, const engine::log& out) {
  const auto halted = engine::engine::resume(settings);
  if (halted) {
    out.line("warning", "resumed after: " + *halted);
    return exit_code::done;
  }
  if (halted.error().code == errc::not_found) {
    out.line("info", "nothing to resume: " + halted.error().message);
    return exit_code::done;
  }
  out.line("error", to_string(halted.error()));
  return exit_code_of(halted.error().code);
}

exit_code run(const std::string& path, bool resumes) {
  auto settings = load_to_change(path);
  if (!settings)
    return exit_code::configuration;
  prefer_credential(*settings);
  // Started by hand, SIGHUP is a terminal that went away.
  const auto hangup
    = ::isatty(STDERR_FILENO) != 0 ? stop_signals::hangup::stops : stop_signals::hangup::reloads;
  stop_signals signals(exit_code::stop_deadline, hangup);
  const auto out = engine::log::make(settings->log_level, settings->log_format);
  if (!out)
    return refuse(out.error());
  if (!close_memory())
    out->line("warning", "the process can be dumped: prctl or setrlimit failed");
  out->line("info", "pfxengine " + program_version() + " starts with " + settings->path);
  auto code = resumes ? resume(*settings, *out) : exit_code::done;
  if (code == exit_code::done)
    code = serve(*settings, *out, signals);
  out->flush();
  return code;
}

} // namespace

void add_run(CLI::App& root, exit_code& code) {
  auto* command = root.add_subcommand("run", "Run the engine until it is told to stop");
  auto path = std::make_shared<std::string>(default_configuration);
  command->add_option("--config", *path, "Configuration")->capture_default_str();
  auto resumes = std::make_shared<bool>(false);
  command->add_flag("--resume", *resumes,
                    "Go on although a former run halted for good, because another process lived\n"
                    "under this connector's name: be sure that it does so no more");
  command->footer(
    "SIGTERM and SIGINT stop it: what runs is finished or parked,\n"
    "within limits.stopDeadlineSeconds. "
    "A second signal ends it at once; nothing acknowledged is\n"
    "lost by that, nor by kill -9. SIGHUP of a service (no terminal) reads the\n"
    "configuration again: log.level is taken over, the log names what needs a restart.\n"
    "A credential master.key of the service manager goes before masterKeyFile.\n\n"
    "Example:\n  pfxengine run --config /etc/pfxengine/pfxengine.json\n\n"
    + std::string(exit_code_words()));
  command->callback([path, resumes, &code] { code = run(*path, *resumes); });
}

} // namespace pfx::app
