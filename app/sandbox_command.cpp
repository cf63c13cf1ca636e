// `sandbox`: the other side of the wire on this machine, for trying a connector out; and its judge.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/connector_file.hpp"
#include "app/console.hpp"
#include "app/report.hpp"
#include "app/sandbox_options.hpp"
#include "app/stop_signals.hpp"
#include "core/clock.hpp"
#include "sandbox/sandbox.hpp"

namespace pfx::app {
namespace {

constexpr std::chrono::milliseconds tick{100};
constexpr std::int64_t progress_interval_ms = 200;

struct sandbox_order {
  sandbox::options options;
  std::string mix = mix_default;
  std::string extra;
  std::uint64_t poison = 0;
  std::uint64_t poison_imports = 0;
  double lease_seconds = 60;
  std::optional<std::uint64_t> orders;
  double cool_down_seconds = 60;
  double token_seconds = 3'599;
  std::string format = "auto";
  std::string connector_folder;
  std::string faults_file;
  bool stay = false;
};

/// Tells machines and people of what happens, in the form that was asked for.
class narrator {
public:
  explicit narrator(const std::string& format)
      : format_(format != "auto"                 ? format
                  : ::isatty(STDOUT_FILENO) != 0 ? "text"
                                                 : "json") {}

  void tell(const std::string& event, fields all) const {
    if (format_ == "json") {
      all.insert(all.begin(), field{"event", event});
      say(json_object(all));
    } else if (format_ == "plain") {
      say(plain_line(event, all));
    } else if (event != "progress") {
      say(event);
      for (const auto& each : all) {
        if (const auto* text = std::get_if<std::string>(&each.value))
          say("  " + each.name + " " + *text);
        if (const auto* texts = std::get_if<block>(&each.value))
          for (const auto& [name, value] : *texts)
            say("  " + each.name + "." + name + " " + value);
      }
    }
    (void)flush_console();
  }
  [[nodiscard]] bool for_people() const noexcept { return format_ == "text"; }

private:
  std::string format_;
};

sandbox_address address_of(const sandbox::sandbox& box, const sandbox::options& options) {
  return {box.url(),
          box.ca_url(),
          options.authority_name,
          options.tenant,
          box.server_roots_path(),
          box.ca_root_path(),
          box.device_roots_path(),
          options.lease_ms,
          box.intune()};
}

/// What a client of the tenant has to be told, by the names of the engine's configuration.
block block_of(const sandbox::intune_address& at) {
  return {{"loginUrl", at.login_url},     {"graphUrl", at.graph_url},
          {"tenant", at.tenant},          {"clientId", at.client_id},
          {"secretFile", at.secret_file}, {"certificateFile", at.certificate_file},
          {"keyFile", at.key_file},       {"trustedRootsFile", at.trusted_roots}};
}

fields fields_of(const sandbox_address& where, const sandbox::sandbox& box,
                 const std::string& directory) {
  return {{"serviceUrl", where.service_url},
          {"caUrl", where.ca_url},
          {"crlUrl", box.crl_url()},
          {"ocspUrl", box.ocsp_url()},
          {"issuerUrl", box.issuer_url()},
          {"caName", where.ca_name},
          {"tenant", where.tenant},
          {"serverRoots", where.server_roots},
          {"caRoots", where.ca_roots},
          {"deviceRoots", where.device_roots},
          {"registrationCode", box.registration_code()},
          {"intune", block_of(box.intune())},
          {"directory", directory},
          {"description", box.description_path()},
          {"pid", static_cast<std::uint64_t>(::getpid())}};
}

fields fields_of(const sandbox::summary& now) {
  return {{"requests", now.requests},
          {"handedOut", now.handed_out},
          {"delivered", now.delivered},
          {"imported", now.imported},
          {"failed", now.failed},
          {"expectedFailures", now.expected_failures},
          {"redelivered", now.redelivered},
          {"certificates", now.certificates},
          {"ordersMade", now.orders.made},
          {"ordersReported", now.orders.reported},
          {"requestsPerSecond", now.requests_per_second}};
}

/// Until a signal, or until all is done and nobody asked to stay.
void follow(const sandbox::sandbox& box, const narrator& out, stop_signals& signals, bool stay) {
  bool told = false;
  boot_ms last = 0;
  while (!signals.wait(tick)) {
    const auto now = system_clock().boot();
    if (!told && box.finished()) {
      told = true;
      out.tell("finished", fields_of(box.progress()));
    }
    if (told && !stay)
      return;
    if (!told && now - last >= progress_interval_ms) {
      last = now;
      out.tell("progress", fields_of(box.progress()));
    }
  }
}

exit_code tell_verdict(const sandbox::summary& verdict, const narrator& out) {
  if (out.for_people())
    say(verdict.to_json());
  else
    out.tell("verdict",
             {{"clean", verdict.clean()},
              {"lost", verdict.lost},
              {"duplicates", verdict.duplicates},
              {"faults", verdict.faults}});
  return verdict.clean() ? exit_code::done : exit_code::verdict;
}

result<void> make_key(const std::string& configuration) {
  const auto settings = engine::load_configuration(configuration);
  return settings ? make_import_key(*settings)
                  : result<void>(failure(settings.error().faults.front()));
}

/// What is handed out beside the mix, in this order.
result<std::vector<std::string>> extra_of(const sandbox_order& order) {
  const auto counts = read_mix(order.extra);
  if (!counts)
    return failure(counts.error());
  std::vector<std::string> out;
  for (const auto& [kind, count] : *counts)
    out.insert(out.end(), static_cast<std::size_t>(count), kind);
  out.insert(out.end(), order.poison, "poison");
  out.insert(out.end(), order.poison_imports, "poison-import");
  return out;
}

exit_code serve(sandbox_order order) {
  const auto mix = read_mix(order.mix);
  const auto extra = extra_of(order);
  if (!mix || !extra)
    return refuse(mix ? extra.error() : mix.error());
  auto& options = order.options;
  if (!order.faults_file.empty()) {
    auto plan = sandbox::load_fault_plan(order.faults_file);
    if (!plan) {
      complain_all(order.faults_file, plan.error().faults);
      return exit_code::configuration;
    }
    options.faults = std::move(*plan);
  }
  options.mix = *mix;
  options.extra = *extra;
  options.lease_ms = static_cast<std::int64_t>(order.lease_seconds * 1'000);
  auto& tenant = options.intune;
  tenant.cool_down_ms = static_cast<std::int64_t>(order.cool_down_seconds * 1'000);
  tenant.token_life_ms = static_cast<std::int64_t>(order.token_seconds * 1'000);
  if (order.orders) {
    tenant.orders_max = *order.orders;
    tenant.revoke_share = tenant.revoke_share > 0 ? tenant.revoke_share : 1;
  }
  options.directory = std::filesystem::absolute(options.directory).lexically_normal().string();
  stop_signals signals(exit_code::stop_deadline);
  const auto box = sandbox::sandbox::start(options);
  if (!box)
    return refuse(box.error());
  const narrator out(order.format);
  const auto where = address_of(**box, options);
  auto all = fields_of(where, **box, options.directory);
  if (!order.connector_folder.empty()) {
    const auto folder
      = std::filesystem::absolute(order.connector_folder).lexically_normal().string();
    const auto path = write_connector(where, folder);
    if (!path)
      return refuse(path.error());
    const bool imports = needs_import_key(order.mix)
      || std::ranges::any_of(options.extra, sandbox::needs_import_key);
    if (const auto made = imports ? make_key(*path) : result<void>(); !made)
      return refuse(made.error());
    all.push_back({"connectorConfiguration", *path});
  }
  out.tell("ready", all);
  follow(**box, out, signals, order.stay);
  const auto verdict = (*box)->verdict();
  (*box)->stop();
  return verdict ? tell_verdict(*verdict, out) : refuse(verdict.error());
}

exit_code judge(const std::string& directory) {
  const auto verdict = sandbox::judge(directory);
  if (!verdict)
    return refuse(verdict.error());
  say(verdict->to_json());
  return verdict->clean() ? exit_code::done : exit_code::verdict;
}

void add_options(CLI::App& command, sandbox_order& order) {
  auto& options = order.options;
  options.directory = "pfx-sandbox";
  command
    .add_option("--dir", options.directory, "Folder for journals, keys, deliveries; a new one")
    ->capture_default_str();
  command.add_option("--address", options.address, "Address to listen on")->capture_default_str();
  command.add_option("--port", options.port, "Port; 0 is any free one")->capture_default_str();
  command.add_option("--public-port", options.public_port, "Port of CRLs and OCSP, plain HTTP");
  command.add_option("--requests", options.requests, "How many requests")->capture_default_str();
  command.add_option("--mix", order.mix, mix_words)->capture_default_str();
  command.add_option("--extra", order.extra, "So many requests more, KIND=COUNT,…");
  command
    .add_option("--poison", order.poison, "So many requests more that are meant to kill an engine")
    ->check(CLI::Range(0, 10'000))
    ->capture_default_str();
  command
    .add_option("--poison-imports", order.poison_imports,
                "So many imports more that are meant to kill an engine")
    ->check(CLI::Range(0, 10'000))
    ->capture_default_str();
  command.add_option("--seed", options.seed, "Same seed, same requests")->capture_default_str();
  command.add_option("--devices", options.devices, "How many devices")->capture_default_str();
  add_connector_notice(command, options);
  command.add_option("--tenant", options.tenant, "The connectors' tenant")->capture_default_str();
  command
    .add_option("--rate", options.feed_per_second,
                "Requests appearing per second; 0 is all at once")
    ->check(CLI::Range(0.0, 1e6))
    ->capture_default_str();
  command.add_option("--lease", order.lease_seconds, "The longest lease granted, seconds")
    ->check(CLI::Range(0.1, 86'400.0))
    ->capture_default_str();
  command
    .add_option("--redeliver-share", options.redeliver_share,
                "Share of recorded requests handed out again")
    ->check(CLI::Range(0.0, 1.0))
    ->capture_default_str();
  command
    .add_option("--judge-share", options.judge_share,
                "Share of results that are opened and examined")
    ->check(CLI::Range(0.0, 1.0))
    ->capture_default_str();
  command
    .add_option("--codes", options.registration_codes,
                "How many connectors may register, each with a code of its own")
    ->check(CLI::Range(1, 1'000))
    ->capture_default_str();
  command.add_flag("--keep-deliveries", options.keep_deliveries,
                   "Write each result where other tools can open it");
}

/// What makes life hard for an engine.
void add_hardships(CLI::App& command, sandbox_order& order) {
  auto& options = order.options;
  command
    .add_option("--pending-answers", options.ca_pending_answers,
                "How often the authority answers \"pending\" before it issues")
    ->capture_default_str();
  command
    .add_option("--pending-share", options.pending_share, "Of the requests, for --pending-answers")
    ->check(CLI::Range(0.0, 1.0))
    ->capture_default_str();
  command
    .add_option("--reject-share", options.reject_share,
                "Of the requests, whose first success is answered \"rejected\"")
    ->check(CLI::Range(0.0, 1.0))
    ->capture_default_str();
  command
    .add_option("--lose-lease-share", options.lose_lease_share,
                "Of the requests, whose first lease somebody else takes at once")
    ->check(CLI::Range(0.0, 1.0))
    ->capture_default_str();
  command.add_option("--faults", order.faults_file,
                     "File of faults to commit on purpose: JSON, // comments allowed");
}

void add_tenant_options(CLI::App& command, sandbox_order& order) {
  auto& tenant = order.options.intune;
  command
    .add_option("--orders", order.orders,
                "How many revocation orders at most, for recorded certificates")
    ->check(CLI::Range(0, 1'000'000));
  command
    .add_option("--revoke-share", tenant.revoke_share,
                "Share of recorded certificates that are ordered revoked; with --orders all")
    ->check(CLI::Range(0.0, 1.0));
  command
    .add_option("--cool-down", order.cool_down_seconds,
                "Seconds for which an order that was handed out is kept back; Intune's is 3600")
    ->check(CLI::Range(0.0, 86'400.0))
    ->capture_default_str();
  command.add_flag("--whole-queue-cools", tenant.whole_queue_cools,
                   "After a download no order at all is handed out for that long");
  command.add_option("--token-life", order.token_seconds, "Seconds that a token lives")
    ->check(CLI::Range(1.0, 86'400.0))
    ->capture_default_str();
  command.add_flag("--assertions-again", tenant.assertions_again,
                   "An assertion is good until it ends, not once: MSAL keeps its own");
  command.add_flag("--odd-directory", tenant.odd_directory,
                   "The tenant's list of services in pages, in odd case, one of them twice");
  command
    .add_option("--scep-challenges", tenant.scep_challenges,
                "How many SCEP challenges to make; they are in sandbox.json")
    ->check(CLI::Range(0, 10'000))
    ->capture_default_str();
}

} // namespace

void add_sandbox(CLI::App& root, exit_code& code) {
  auto* command = root.add_subcommand(
    "sandbox", "A service, an authority, devices and a judge on this machine");
  auto order = std::make_shared<sandbox_order>();
  add_options(*command, *order);
  add_hardships(*command, *order);
  add_tenant_options(*command, *order);
  command->add_option("--connector", order->connector_folder,
                      "Make a connector's folder: configuration, data directory, master key");
  command
    ->add_option("--format", order->format,
                 "Lines on stdout: text, json or plain; auto is text on a terminal, else json")
    ->check(CLI::IsMember({"auto", "text", "json", "plain"}))
    ->capture_default_str();
  command->add_flag("--stay", order->stay,
                    "Keep serving when all requests are done, until a signal");
  command->footer(
    "Prints what a connector needs, then how it goes, then the judge's verdict.\n\nExample:\n"
    "  pfxengine sandbox --dir box --connector office &\n"
    "  pfxengine register CODE --config office/pfxengine.json\n"
    "  pfxengine run --config office/pfxengine.json");
  command->callback([command, order, &code] {
    if (command->get_subcommands().empty())
      code = serve(*order);
  });

  auto directory = std::make_shared<std::string>();
  auto* judging
    = command->add_subcommand("judge", "Judge a folder of an earlier run by its journals alone");
  judging->add_option("DIR", *directory, "The sandbox's folder")->required();
  judging->footer("Prints one JSON object. Exit code 10 if anything is wrong.\n\n"
                  "Example:\n  pfxengine sandbox judge box");
  judging->callback([directory, &code] { code = judge(*directory); });
}

} // namespace pfx::app
