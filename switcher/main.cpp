// pfxengine-switch: puts a staged version in the place of the one that runs, or takes it back.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <sys/stat.h>

#include <CLI/CLI.hpp>

#include "core/program_version.hpp"
#include "release/updater.hpp"
#include "switcher/systemd.hpp"

namespace {

using namespace pfx;

/// Kept for ever: units and scripts act on them.
enum exit_code : int { done = 0, usage = 1, refused = 2, returned = 3, broken = 4, internal = 5 };

constexpr int runs_max = 3; ///< of versions that were asked for one after the other

struct options {
  release::switch_settings settings;
  std::string manager = "systemctl";
  std::string unit = "pfxengine.service";
  std::string shipped = program_version();
  std::string hold;
  std::string program = "/usr/bin/pfxengine";
  double ready_s = 120;
  double watch_s = 180;
  double look_every_s = 1;
};

void say(const std::string& text) { std::printf("%s\n", text.c_str()); }

int refuse(const error& what) {
  std::fprintf(stderr, "%s\n", to_string(what).c_str());
  return what.code == errc::unavailable ? broken : refused;
}

result<release::switcher> open(options& from) {
  const auto shipped = release::version_from(from.shipped);
  if (!shipped)
    return failure(shipped.error());
  const auto ms = [](double seconds) { return static_cast<std::int64_t>(seconds * 1'000); };
  from.settings.shipped = *shipped;
  from.settings.ready_ms = ms(from.ready_s);
  from.settings.watch_ms = ms(from.watch_s);
  from.settings.look_every_ms = std::max<std::int64_t>(1, ms(from.look_every_s));
  return release::switcher::open(from.settings);
}

using deed = result<release::switched> (release::switcher::*)(release::service_control&);

int tell(const release::switcher& one, const result<release::switched>& came) {
  if (!came)
    return refuse(came.error());
  const auto runs = release::to_string(one.state().current.what);
  if (*came == release::switched::returned) {
    say("returned to " + runs + ": " + one.state().reason);
    return returned;
  }
  say(*came == release::switched::done ? runs + " runs" : "nothing to do; " + runs + " runs");
  return done;
}

int act(options& from, deed what) {
  auto one = open(from);
  if (!one)
    return refuse(one.error());
  const auto service = switcher::make_service(from.manager, from.unit);
  return tell(*one, ((*one).*what)(*service));
}

/// Once more for what was asked for meanwhile: the path unit sees no change while its service runs.
int run(options& from) {
  auto one = open(from);
  if (!one)
    return refuse(one.error());
  const auto service = switcher::make_service(from.manager, from.unit);
  auto code = tell(*one, one->run(*service));
  for (int more = 1; more < runs_max && code != broken && code != refused && one->asked_for_more();
       ++more)
    code = tell(*one, one->run(*service));
  return code;
}

int adopt(options& from) {
  ::umask(022); // the engine's user runs what is made here
  auto one = open(from);
  if (!one)
    return refuse(one.error());
  const auto newer = one->adopt(from.program);
  if (!newer)
    return refuse(newer.error());
  say(release::to_string(one->state().current.what)
      + (*newer ? " is the version that the link leads to now"
                : " is the version that the link leads to, as before"));
  return done;
}

int release_hold(options& from) {
  const auto what = release::version_from(from.hold);
  if (!what)
    return refuse(what.error());
  auto one = open(from);
  if (!one)
    return refuse(one.error());
  const auto freed = one->release_hold(*what);
  return freed ? done : refuse(freed.error());
}

int tell_state(const options& from) {
  const auto state = release::read_switch_state(from.settings.state_folder);
  if (!state)
    return refuse(state.error());
  std::printf("%s", encode(*state).c_str());
  std::printf(
    "%s", release::read_history(release::switch_history_path(from.settings.state_folder)).c_str());
  return done;
}

void add_settings(CLI::App& root, options& to) {
  auto& s = to.settings;
  s.state_folder = "/var/lib/pfxengine-switch";
  s.update_folder = "/var/lib/pfxengine-updates";
  s.programs_folder = "/opt/pfxengine";
  s.first_root = "/usr/share/pfxengine/1.root";
  s.store_marker = "/var/lib/pfxengine/store/pfxengine-store";
  s.platform = release::this_platform();
  root.add_option("--state", s.state_folder, "Root's own folder")->capture_default_str();
  root.add_option("--updates", s.update_folder, "The engine's update folder")
    ->capture_default_str();
  root.add_option("--programs", s.programs_folder, "Folder of the versions and of the link")
    ->capture_default_str();
  root.add_option("--first-root", s.first_root, "Trust root of the package")->capture_default_str();
  root
    .add_option("--store-marker", s.store_marker, "Tells the store's format; empty: not looked at")
    ->capture_default_str();
  root.add_option("--platform", s.platform, "What releases must be made for")
    ->capture_default_str();
  root.add_option("--shipped", to.shipped, "Version of the package that brought this program")
    ->capture_default_str();
  root.add_option("--manager", to.manager, "The service manager's command")->capture_default_str();
  root.add_option("--unit", to.unit, "The engine's unit")->capture_default_str();
  const auto seconds = CLI::Range(0.001, 86'400.0);
  root.add_option("--ready-seconds", to.ready_s, "From the restart to readiness")
    ->check(seconds)
    ->capture_default_str();
  root.add_option("--watch-seconds", to.watch_s, "For how long it has to go on then")
    ->check(seconds)
    ->capture_default_str();
  root.add_option("--look-every-seconds", to.look_every_s, "Between two looks meanwhile")
    ->check(seconds)
    ->capture_default_str();
}

int parse_and_run(int argc, char** argv) {
  CLI::App root("Switches to the version that the engine staged, or back. Runs as root, needs no "
                "network.");
  root.name("pfxengine-switch");
  root.set_version_flag("--version", "pfxengine-switch " + program_version());
  root.require_subcommand(1);
  root.fallthrough();
  root.footer("Exit codes:\n"
              "  0 done, or nothing to do     3 the new version failed, the one before runs\n"
              "  1 wrong command line         4 the one before does not run either\n"
              "  2 refused, nothing changed   5 a bug\n\nExample:\n  pfxengine-switch run");
  options from;
  int code = done;
  add_settings(root, from);
  auto* running
    = root.add_subcommand("run", "Do what the engine asks for, or go on with what was interrupted");
  running->add_flag("--once", from.settings.wish_once,
                    "Leave a wish alone that was refused before, until it is written anew");
  running->callback([&] { code = run(from); });
  auto* adopting = root.add_subcommand(
    "adopt", "Take the package's own program as the version to run, if it is newer");
  adopting->add_option("PROGRAM", from.program, "The program")->capture_default_str();
  adopting->callback([&] { code = adopt(from); });
  root.add_subcommand("rollback", "Back to the version before; holds the one that runs")
    ->callback([&] { code = act(from, &release::switcher::roll_back); });
  auto* unhold = root.add_subcommand("unhold", "Let a version be tried again");
  unhold->add_option("VERSION", from.hold, "The version")->required();
  unhold->callback([&] { code = release_hold(from); });
  root.add_subcommand("status", "What runs, what ran before, what is held, and the history")
    ->callback([&] { code = tell_state(from); });
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& fault) {
    return root.exit(fault) == 0 ? done : usage;
  }
  return code;
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "%s\n", printable(fault.what()).c_str());
  }
  return internal;
}
