// The demo as numbered steps, then a loop, then the end. Trusts the journals, never the engine.
#include "app/demo.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <poll.h>

#include "app/connector_file.hpp"
#include "app/console.hpp"
#include "app/sandbox_options.hpp"
#include "engine/identity.hpp"

namespace pfx::app {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t ready_patience_ms
  = 120'000;                                      ///< the sandbox makes keys and certificates first
constexpr std::int64_t stop_patience_ms = 30'000; ///< longer than limits.stopDeadlineSeconds
constexpr std::int64_t verdict_patience_ms
  = 120'000;                         ///< the judge opens what it has not opened yet
constexpr std::int64_t lease_s = 15; ///< what a killed engine held is back so soon
constexpr std::int64_t rest_ms = 50;
constexpr std::uint64_t restarts_max = 100'000;
constexpr std::int64_t kill_delay_ms_max = 1'000;
constexpr std::int64_t kill_age_ms_min = 50; ///< of the engine; many die while they start
constexpr double kill_share_max = 0.9;       ///< later there may be nothing left to disturb

std::string text_of(double value) {
  const auto whole = json_object({{"", value}});
  return whole.substr(4, whole.size() - 5);
}

std::string end_words(const child_end& how) {
  return how.signal != 0 ? "was ended by signal " + std::to_string(how.signal)
                         : "ended with exit code " + std::to_string(how.exit_code);
}

std::string last_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string last;
  for (std::string line; std::getline(file, line);)
    if (!line.empty())
      last = std::move(line);
  return printable(last, 400);
}

} // namespace

demo::demo(demo_options options, stop_signals& signals)
    : options_(std::move(options)), signals_(signals), bar_(false), dice_(options_.seed) {
  std::uniform_real_distribution<double> share(0, kill_share_max);
  for (std::uint64_t i = 0; i < options_.kills; ++i)
    kill_shares_.push_back(share(dice_));
  std::ranges::sort(kill_shares_, std::greater{});
  if (!kill_shares_.empty())
    kill_shares_.back() = 0; // the first one while it starts
}

bool demo::fault(std::string text) {
  facts_.faults.push_back(std::move(text));
  return false;
}

std::string demo::log_of(const std::string& who) const {
  return (fs::path(directory_) / (who + ".log")).string();
}

exit_code demo::run() {
  began_ = system_clock().boot();
  const bool sound = make_directory() && start_sandbox() && await_sandbox() && make_connector()
    && start_engine() && follow();
  bar_.end();
  if (!sound && facts_.faults.empty())
    (void)fault("interrupted");
  stop_engine();
  stop_sandbox();
  facts_.seconds = static_cast<double>(system_clock().boot() - began_) / 1'000;
  return conclude();
}

std::string demo::ended(const std::string& who, const child_end& how) const {
  return "the " + who + " " + end_words(how) + ": " + last_line_of(log_of(who));
}

// -- steps ------

bool demo::make_directory() {
  temporary_ = options_.directory.empty();
  std::error_code wrong;
  if (temporary_) {
    auto name = (fs::temp_directory_path(wrong) / "pfxengine-demo.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      return fault("no temporary directory can be made");
    directory_ = name;
    return true;
  }
  directory_ = fs::absolute(options_.directory).lexically_normal().string();
  fs::create_directories(directory_, wrong);
  if (wrong || !fs::is_empty(directory_, wrong))
    return fault(printable(directory_, 512) + " is not an empty folder");
  return true;
}

bool demo::start_sandbox() {
  child_order order;
  order.arguments = {"sandbox",    "--stay",
                     "--format",   "plain",
                     "--dir",      (fs::path(directory_) / "sandbox").string(),
                     "--requests", std::to_string(options_.requests),
                     "--mix",      options_.mix,
                     "--seed",     std::to_string(options_.seed),
                     "--rate",     text_of(options_.rate),
                     "--lease",    std::to_string(lease_s)};
  order.stderr_path = log_of("sandbox");
  order.read_stdout = true;
  auto started = child_process::start(order);
  if (!started)
    return fault(to_string(started.error()));
  sandbox_ = std::move(*started);
  return true;
}

bool demo::await_sandbox() {
  const auto until = system_clock().boot() + ready_patience_ms;
  while (address_.event.empty()) {
    if (signals_.wait(std::chrono::milliseconds(0)))
      return false;
    rest();
    read_sandbox();
    if (const auto end = sandbox_.wait(0); end && address_.event.empty())
      return fault(ended("sandbox", *end));
    if (system_clock().boot() > until)
      return fault("the sandbox is not ready after " + std::to_string(ready_patience_ms / 1'000)
                   + " s");
  }
  return true;
}

bool demo::make_connector() {
  const sandbox_address where{address_.text("serviceUrl"),  address_.text("caUrl"),
                              address_.text("caName"),      address_.text("tenant"),
                              address_.text("serverRoots"), address_.text("caRoots"),
                              address_.text("deviceRoots"), lease_s * 1'000};
  const auto path = write_connector(where, (fs::path(directory_) / "connector").string());
  if (!path)
    return fault(to_string(path.error()));
  configuration_ = *path;
  const auto settings = engine::load_configuration(configuration_);
  if (!settings)
    return fault(to_string(settings.error().faults.front()));
  const auto id
    = engine::register_with_service(*settings, {address_.text("registrationCode"), "demo"});
  if (!id)
    return fault("registration: " + to_string(id.error()));
  if (needs_import_key(options_.mix)) {
    if (const auto made = make_import_key(*settings); !made)
      return fault("connector key: " + to_string(made.error()));
  }
  bar_.note("registered as " + printable(*id) + " with " + where.service_url);
  return true;
}

bool demo::start_engine() {
  child_order order;
  order.arguments = {"run", "--config", configuration_};
  order.stderr_path = log_of("engine");
  auto started = child_process::start(order);
  if (!started)
    return fault(to_string(started.error()));
  engine_ = std::move(*started);
  engine_began_ = system_clock().boot();
  if (facts_.engine_restarts == 0)
    bar_.note("the engine runs as process " + std::to_string(engine_.pid())
              + ": kill -9 it if you like");
  return true;
}

bool demo::follow() {
  const auto until = began_ + static_cast<std::int64_t>(options_.time_limit_s) * 1'000;
  while (!finished_ || kills_left()) {
    if (signals_.wait(std::chrono::milliseconds(0)))
      return false;
    rest();
    read_sandbox();
    if (const auto end = sandbox_.wait(0); end)
      return fault(ended("sandbox", *end));
    if (!watch_engine())
      return false;
    kill_now_and_then();
    if (system_clock().boot() > until)
      return fault("the time limit of " + std::to_string(options_.time_limit_s) + " s passed");
  }
  return true;
}

// -- while it runs ------

/// Only kill -9 is part of the game; an engine that ends in any other way is broken.
bool demo::watch_engine() {
  const auto end = engine_.wait(0);
  if (!end)
    return true;
  if (end->signal != SIGKILL)
    return fault(ended("engine", *end));
  if (++facts_.engine_restarts > restarts_max)
    return fault("the engine was killed too often");
  return start_engine();
}

void demo::kill_now_and_then() {
  const auto now = system_clock().boot();
  if (kill_at_ == 0 && !kill_shares_.empty() && done_share() >= kill_shares_.back()) {
    kill_shares_.pop_back();
    kill_at_ = std::max(now, engine_began_ + kill_age_ms_min)
      + std::uniform_int_distribution<std::int64_t>(0, kill_delay_ms_max)(dice_);
  }
  if (kill_at_ == 0 || now < kill_at_ || !engine_.running())
    return;
  kill_at_ = 0;
  ++facts_.kills;
  engine_.signal(SIGKILL);
}

/// Those that come after everything was delivered disturb less, but not nothing: what was
/// acknowledged must stay so.
bool demo::kills_left() const {
  return kill_at_ != 0 || !kill_shares_.empty() || !engine_.running();
}

double demo::done_share() const {
  const auto done = progress_.number("delivered") + progress_.number("failed")
    + progress_.number("expectedFailures");
  return static_cast<double>(done)
    / static_cast<double>(std::max<std::uint64_t>(1, options_.requests));
}

void demo::read_sandbox() {
  for (const auto& line : sandbox_.lines())
    read_line(line);
}

void demo::read_line(const std::string& line) {
  auto words = read_plain_line(line);
  if (words.event == "ready") {
    address_ = std::move(words);
  } else if (words.event == "progress" || words.event == "finished") {
    finished_ = finished_ || words.event == "finished";
    progress_ = std::move(words);
    bar_.show(done_share(),
              progress_.text("delivered") + " of " + std::to_string(options_.requests)
                + " delivered, " + progress_.text("requestsPerSecond") + "/s, engine "
                + std::to_string(engine_.pid()) + ", " + std::to_string(facts_.engine_restarts)
                + " restarts");
  }
}

/// Until something happens, a little while at most.
void demo::rest() {
  std::array<pollfd, 2> ready{pollfd{sandbox_.stdout_fd(), POLLIN, 0},
                              pollfd{engine_.end_fd(), POLLIN, 0}};
  (void)::poll(ready.data(), ready.size(), rest_ms);
}

// -- the end ------

void demo::stop_engine() {
  if (!engine_.running())
    return;
  engine_.signal(SIGTERM);
  const auto end = engine_.wait(stop_patience_ms);
  if (!end)
    (void)fault("the engine did not stop within " + std::to_string(stop_patience_ms / 1'000)
                + " s");
  else if (end->signal == SIGKILL)
    ++facts_.engine_restarts; // somebody was faster; nothing is left to restart it for
  else if (end->exit_code != 0)
    (void)fault(ended("engine", *end));
}

/// Reads on while it waits: a full pipe would keep the sandbox from ending.
void demo::stop_sandbox() {
  if (!sandbox_.running())
    return;
  sandbox_.signal(SIGTERM);
  const auto until = system_clock().boot() + verdict_patience_ms;
  while (sandbox_.running() && system_clock().boot() < until) {
    (void)sandbox_.lines();
    (void)sandbox_.wait(rest_ms);
  }
  if (sandbox_.running())
    (void)fault("the sandbox did not stop");
}

exit_code demo::conclude() {
  sandbox::summary verdict;
  if (!address_.event.empty()) {
    auto judged = sandbox::judge((fs::path(directory_) / "sandbox").string());
    if (judged)
      verdict = std::move(*judged);
    else
      (void)fault("no verdict: " + to_string(judged.error()));
  }
  const bool good = is_good(verdict, facts_);
  clean_up(good);
  const bool began = engine_began_ != 0;
  if (options_.json)
    say(json_object(fields_of(verdict, facts_)));
  else if (began)
    say(table_of(verdict, facts_));
  else
    for (const auto& each : facts_.faults)
      complain(each);
  if (!began)
    return exit_code::configuration;
  return good ? exit_code::done : exit_code::verdict;
}

void demo::clean_up(bool good) {
  if (std::error_code wrong; directory_.empty() || !fs::exists(directory_, wrong))
    return;
  if (!temporary_ || options_.keep || (!good && engine_began_ != 0))
    return complain("kept " + printable(directory_, 512));
  std::error_code wrong;
  fs::remove_all(directory_, wrong);
  if (wrong)
    complain("could not remove " + printable(directory_, 512) + ": " + wrong.message());
}

} // namespace pfx::app
