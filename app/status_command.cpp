// `status` and `requests`: questions to a running engine over its control socket.
#include <memory>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/engine_question.hpp"
#include "engine/status.hpp"

namespace pfx::app {
namespace {

void print_status(const engine::status& now) {
  say(row("state",
          std::string(name_of(now.state)) + (now.message.empty() ? "" : ": " + now.message)));
  if (now.halted_by != engine::halt_reason::none)
    say(row("halted by", name_of(now.halted_by)));
  say(row("version", now.version + (now.lifecycle.empty() ? "" : " (" + now.lifecycle + ")")));
  say(row("connector", printable(now.connector_id)));
  say(row("epoch", std::to_string(now.epoch)));
  say(row("started", moment(now.started_at)));
  say(row("last poll", moment(now.last_poll_at)));
  say(row("open requests", std::to_string(now.open_requests)));
  for (const auto& [state, count] : now.open_by_state)
    if (count > 0)
      say(row("  " + state, std::to_string(count)));
  say(row("delivered", std::to_string(now.totals.delivered) + " since the start"));
  say(row("failed", std::to_string(now.totals.failed)));
  say(row("superseded", std::to_string(now.totals.superseded)));
  say(row("redelivered", std::to_string(now.totals.redelivered)));
  say(row("surplus revoked",
          std::to_string(now.totals.surplus_revoked) + " of "
            + std::to_string(now.totals.surplus_found)));
  if (now.takes_orders) {
    say(row("last order poll", moment(now.last_order_poll_at)));
    say(row("orders revoked",
            std::to_string(now.totals.orders_revoked) + " of "
              + std::to_string(now.totals.orders_received) + " received, "
              + std::to_string(now.totals.orders_failed) + " failed"));
    say(row("orders reported", std::to_string(now.totals.orders_reported)));
    for (const auto& [state, count] : now.orders_by_state)
      if (count > 0)
        say(row("  " + state, std::to_string(count)));
  }
  say(row("free space",
          std::to_string(now.free_bytes >> 20) + " MiB"
            + (now.below_free_space_floor ? ", BELOW THE FLOOR" : "")));
  for (const auto& sentence : now.attention)
    say(row("attention", printable(sentence, 1'000)));
  if (now.store_poisoned)
    say(row("store", "a write failed: nothing is accepted any more"));
  if (!now.secrets_locked)
    say(row("secrets", "not all in locked memory; raise the limit of locked memory"));
}

/// A monitor that looks at nothing but the exit code must hear of it, too.
exit_code exit_code_of_support(std::string_view lifecycle) {
  return lifecycle == "error" ? exit_code::unsupported
    : lifecycle == "warning"  ? exit_code::deprecated
                              : exit_code::done;
}

exit_code status(const control_options& options) {
  return with_engine(options, [&](const engine::control_client& client) {
    if (options.json) {
      const auto text = client.status_text();
      if (!text)
        return refuse(text.error());
      say(*text);
      const auto read = engine::status_from_json(*text);
      return read ? exit_code_of_support(read->lifecycle) : refuse(read.error());
    }
    const auto now = client.current();
    if (!now)
      return refuse(now.error());
    print_status(*now);
    return exit_code_of_support(now->lifecycle);
  });
}

exit_code list(const control_options& options) {
  return with_engine(options, [&](const engine::control_client& client) {
    const auto found = client.requests(options.state, options.count, options.flow);
    if (!found)
      return refuse(found.error());
    if (options.json) {
      say(engine::to_json(*found));
      return exit_code::done;
    }
    for (const auto& each : found->requests)
      say(row(printable(each.context, 512),
              each.state + (each.outcome.empty() ? "" : " " + each.outcome) + "  "
                + moment(each.settled_at != 0 ? each.settled_at : each.received_at)
                + (each.reason.empty() ? "" : "  " + printable(each.reason, 200))));
    if (found->more)
      complain("there are more; --count and --state choose others");
    else if (found->requests.empty())
      complain("there is no such request");
    return exit_code::done;
  });
}

std::string line_of(const engine::request_timeline::line& line) {
  auto text
    = moment(line.at) + "  " + std::to_string(line.event) + "  " + row(line.state, line.text);
  if (line.duration_ms > 0)
    text += " (" + std::to_string(line.duration_ms) + " ms)";
  if (!line.call_id.empty())
    text += " call=" + line.call_id;
  return text;
}

exit_code show(const control_options& options) {
  return with_engine(options, [&](const engine::control_client& client) {
    const auto found = client.show(options.context, options.flow);
    if (!found)
      return refuse(found.error());
    if (options.json) {
      say(engine::to_json(*found));
      return exit_code::done;
    }
    const auto& summary = found->summary;
    say(row("request", printable(summary.context, 512)));
    say(row("state", summary.state + (summary.outcome.empty() ? "" : ", " + summary.outcome)));
    if (!summary.reason.empty())
      say(row("because", printable(summary.reason, 1'000)));
    say(row("kind", summary.kind));
    say(row("attempts", std::to_string(summary.attempts)));
    say(row("received", moment(summary.received_at)));
    if (summary.kind != "revocation") { // orders have neither
      say(row("lease number", std::to_string(summary.lease_number)));
      say(row("expires", moment(summary.expires_at)));
    }
    for (const auto& line : found->lines)
      say(line_of(line));
    return exit_code::done;
  });
}

exit_code act(const control_options& options, bool retry) {
  return with_engine(options, [&](const engine::control_client& client) {
    const auto done = retry ? client.retry(options.context) : client.give_up(options.context);
    if (!done)
      return refuse(done.error());
    say(retry ? "it will be tried again" : "it will be ended with a failure");
    return exit_code::done;
  });
}

CLI::App* add_context_command(CLI::App& parent, const char* name, const char* sentence,
                              const shared_options& options) {
  auto* command = parent.add_subcommand(name, sentence);
  add_common(*command, options);
  command->add_option("ID", options->context, "The requestContext")->required();
  return command;
}

} // namespace

void add_status(CLI::App& root, exit_code& code) {
  auto* command = root.add_subcommand("status", "Ask a running engine how it is");
  auto options = std::make_shared<control_options>();
  add_common(*command, options);
  command->add_flag("--json", options->json, "One JSON object");
  command->footer("Exit code 8 if no engine is running.\n\n"
                  "Example:\n  pfxengine status --json | jq .openByState");
  command->callback([options, &code] { code = status(*options); });
}

void add_requests(CLI::App& root, exit_code& code) {
  auto* command = root.add_subcommand("requests", "See requests, and decide about those put aside");
  command->require_subcommand(1);
  command->footer("Example:\n  pfxengine requests list --state quarantined");
  auto options = std::make_shared<control_options>();

  auto* listing = command->add_subcommand("list", "Requests, oldest first");
  add_common(*listing, options);
  listing->add_option(
    "--state", options->state,
    "Only these: received working submitting pending issued prepared closing quarantined "
    "abandoned settled; default: all open ones");
  listing->add_option("--count", options->count, "At most so many")
    ->check(CLI::Range(std::size_t{1}, engine::control_requests_max))
    ->capture_default_str();
  listing
    ->add_option("--flow", options->flow,
                 "pfx, or revocation: orders, whose states are received held revoking answered "
                 "reported")
    ->check(CLI::IsMember({"pfx", "revocation"}));
  listing->add_flag("--json", options->json, "One JSON object");
  listing->footer("Example:\n  pfxengine requests list --state quarantined --count 20");
  listing->callback([options, &code] { code = list(*options); });

  auto* showing = add_context_command(
    *command, "show", "The story of one request, and why it is where it is", options);
  showing->add_option("--flow", options->flow, "pfx or revocation; default: whichever has this ID")
    ->check(CLI::IsMember({"pfx", "revocation"}));
  showing->add_flag("--json", options->json, "One JSON object");
  showing->footer("Example:\n  pfxengine requests show 8a1f0c62");
  showing->callback([options, &code] { code = show(*options); });

  auto* retrying = add_context_command(
    *command, "retry", "Give one that was put aside another round of attempts", options);
  retrying->footer("Example:\n  pfxengine requests retry 8a1f0c62");
  retrying->callback([options, &code] { code = act(*options, true); });

  auto* giving_up = add_context_command(*command, "give-up",
                                        "End one that was put aside with a failure", options);
  giving_up->footer(
    "Final: the service learns of the failure, and certificates of the request are revoked.\n\n"
    "Example:\n  pfxengine requests give-up 8a1f0c62");
  giving_up->callback([options, &code] { code = act(*options, false); });
}

} // namespace pfx::app
