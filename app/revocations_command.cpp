// `revocations`: the orders of a tenant, and an operator's word on those that are held.
#include "app/engine_question.hpp"
#include "core/revocation.hpp"

namespace pfx::app {
namespace {

std::string line_of(const engine::order_summary& one) {
  auto text = row(printable(one.context, revocation_context_bytes_max), one.state);
  text += (one.outcome.empty() ? "" : " " + one.outcome) + "  "
    + moment(one.answered_at != 0 ? one.answered_at : one.received_at) + "  serial "
    + one.serial_number;
  if (!one.authority.empty())
    text += " (" + one.certificate + " of " + printable(one.authority, 128) + ")";
  if (!one.crl_number.empty())
    text += "  CRL " + one.crl_number;
  return one.reason.empty() ? text : text + "  " + printable(one.reason, 200);
}

exit_code list(const control_options& options) {
  return with_engine(options, [&](const engine::control_client& client) {
    const auto found = client.revocations(options.state, options.count);
    if (!found)
      return refuse(found.error());
    if (options.json) {
      say(engine::to_json(*found));
      return exit_code::done;
    }
    for (const auto& each : found->orders)
      say(line_of(each));
    if (found->more)
      complain("there are more; --count and --state choose others");
    else if (found->orders.empty())
      complain("there is no such order");
    return exit_code::done;
  });
}

exit_code decide(const control_options& options, bool approve) {
  return with_engine(options, [&](const engine::control_client& client) {
    const auto done = client.decide_revocation(options.context, approve);
    if (!done)
      return refuse(done.error());
    say(options.json ? R"({"value":true})"
          : approve  ? "it will be carried out, whatever the hour's limit"
                     : "it will be reported as refused, and nothing is revoked");
    return exit_code::done;
  });
}

} // namespace

void add_revocations(CLI::App& root, exit_code& code) {
  auto* command
    = root.add_subcommand("revocations", "See revocation orders, and decide about those held back");
  command->require_subcommand(1);
  command->footer("More orders than intune.revocations.perHour are held until somebody decides.\n\n"
                  "Example:\n  pfxengine revocations list --state held");
  auto options = std::make_shared<control_options>();

  auto* listing = command->add_subcommand("list", "Orders, oldest first");
  add_common(*listing, options);
  listing
    ->add_option(
      "--state", options->state,
      "Only these: received held revoking answered reported unreported; default: all open "
      "ones")
    ->check(CLI::IsMember({"received", "held", "revoking", "answered", "reported", "unreported"}));
  listing->add_option("--count", options->count, "At most so many")
    ->check(CLI::Range(std::size_t{1}, engine::control_requests_max))
    ->capture_default_str();
  listing->add_flag("--json", options->json, "One JSON object");
  listing->footer("Example:\n  pfxengine revocations list --state held --count 1000");
  listing->callback([options, &code] { code = list(*options); });

  const auto add_word = [&](const char* name, const char* sentence, bool approve) {
    auto* word = command->add_subcommand(name, sentence);
    add_common(*word, options);
    word->add_option("ID", options->context, "The requestContext")->required();
    word->add_flag("--json", options->json, "One JSON object");
    word->footer(std::string("A line of the audit says so before it happens.\n\n"
                             "Example:\n  pfxengine revocations ")
                 + name + " 8a1f0c62");
    word->callback([options, &code, approve] { code = decide(*options, approve); });
  };
  add_word("approve", "Have an order that is held carried out", true);
  add_word("reject",
           "Refuse an order that is held, or whose CA is not configured; final for the service",
           false);
}

} // namespace pfx::app
