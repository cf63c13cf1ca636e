// The control socket's server side: who may ask, what is asked, what is answered. Decides nothing
// about requests; every act is the engine's.
#include <algorithm>
#include <unistd.h>

#include <charconv>

#include "connect/http/server.hpp"
#include "core/limits.hpp"
#include "core/revocation.hpp"
#include "engine/control_json.hpp"

namespace pfx::engine {
namespace {

namespace http = connect::http;

constexpr std::size_t connections_max = 8;
constexpr std::size_t body_bytes_max = 4u << 10;    ///< a note for the audit, escaped
constexpr std::size_t header_bytes_max = 32u << 10; ///< a context, escaped
constexpr std::int64_t idle_timeout_ms = 10'000;
constexpr std::int64_t stop_deadline_ms = 1'000;

int status_of(errc code) noexcept {
  switch (code) {
    case errc::bad_input:
      return 400;
    case errc::policy:
      return 403;
    case errc::not_found:
      return 404;
    case errc::conflict:
      return 409;
    case errc::unavailable:
    case errc::stopping:
      return 503;
    default:
      return 500;
  }
}

http::server_response body_of(std::string json) { return {200, {}, std::move(json)}; }
http::server_response refusal(const error& what) {
  return {status_of(what.code), {}, detail::error_to_json(what)};
}
http::server_response refusal(errc code, std::string field, std::string message) {
  return refusal(error{code, std::move(field), std::move(message)});
}

tl::unexpected<error> not_here() {
  return failure(errc::not_supported, "target", "this engine does not offer that call");
}

/// The value of one query parameter, still encoded; empty if it is not there.
std::string_view parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name)
      return pair.substr(equals + 1);
  }
  return {};
}

struct count_rule {
  const char* name;
  std::size_t when_missing;
  std::size_t most;
};

result<std::size_t> count_in(std::string_view query, const count_rule& rule) {
  const auto word = parameter(query, rule.name);
  if (word.empty())
    return rule.when_missing;
  std::size_t count = 0;
  const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), count);
  if (fault != std::errc{} || end != word.data() + word.size() || count < 1 || count > rule.most)
    return failure(errc::bad_input, rule.name,
                   "must be a number from 1 to " + std::to_string(rule.most));
  return count;
}

http::server_response list(const control_commands& commands, std::string_view query) {
  const auto state = detail::percent_decoded(parameter(query, "state"));
  if (!state)
    return refusal(state.error());
  const auto count = count_in(query, {"count", control_requests_default, control_requests_max});
  if (!count)
    return refusal(count.error());
  const auto flow = detail::percent_decoded(parameter(query, "flow"));
  if (!flow)
    return refusal(flow.error());
  const auto found = commands.requests(*state, *count, *flow);
  return found ? body_of(to_json(*found)) : refusal(found.error());
}

http::server_response audit(const control_commands& commands, const http::server_request& call,
                            std::string_view query) {
  if (call.method == "GET") {
    const auto last = count_in(query, {"last", audit_entries_default, audit_entries_max});
    if (!last)
      return refusal(last.error());
    const auto found = commands.audit ? commands.audit(*last) : not_here();
    return found ? body_of(to_json(*found)) : refusal(found.error());
  }
  if (call.method != "POST")
    return refusal(errc::bad_input, "method", "must be GET or POST");
  const auto note = detail::note_from_json(call.body);
  if (!note)
    return refusal(note.error());
  const result<void> done
    = commands.note_audit ? commands.note_audit(note->event, note->text) : not_here();
  return done ? body_of(R"({"value":true})") : refusal(done.error());
}

result<std::string> context_in(std::string_view part) {
  auto context = detail::percent_decoded(part);
  if (context && (context->empty() || context->size() > revocation_context_bytes_max))
    return failure(errc::bad_input, "context",
                   "must have 1 to " + std::to_string(revocation_context_bytes_max) + " octets");
  return context;
}

http::server_response list_revocations(const control_commands& commands, std::string_view query) {
  const auto state = detail::percent_decoded(parameter(query, "state"));
  if (!state)
    return refusal(state.error());
  const auto count = count_in(query, {"count", control_requests_default, control_requests_max});
  if (!count)
    return refusal(count.error());
  const result<order_page> found
    = commands.revocations ? commands.revocations(*state, *count) : not_here();
  return found ? body_of(to_json(*found)) : refusal(found.error());
}

/// `rest`: "" for the list, or "/{context}/approve".
http::server_response revocations(const control_commands& commands, const std::string& method,
                                  std::string_view rest, std::string_view query) {
  if (rest.empty())
    return method == "GET" ? list_revocations(commands, query)
                           : refusal(errc::bad_input, "method", "must be GET");
  rest.remove_prefix(1);
  const auto slash = rest.find('/');
  const auto verb = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  if (verb != "approve" && verb != "reject")
    return refusal(errc::not_found, "target", "there is no such call");
  const auto context = context_in(rest.substr(0, slash));
  if (!context)
    return refusal(context.error());
  if (method != "POST")
    return refusal(errc::bad_input, "method", "must be POST");
  const result<void> done = commands.decide_revocation
    ? commands.decide_revocation(*context, verb == "approve")
    : not_here();
  return done ? body_of(R"({"value":true})") : refusal(done.error());
}

http::server_response one(const control_commands& commands, const std::string& method,
                          std::string_view rest, std::string_view query) {
  const auto slash = rest.find('/');
  const auto context = context_in(rest.substr(0, slash));
  if (!context)
    return refusal(context.error());
  if (slash == std::string_view::npos) {
    if (method != "GET")
      return refusal(errc::bad_input, "method", "must be GET");
    const auto flow = detail::percent_decoded(parameter(query, "flow"));
    if (!flow)
      return refusal(flow.error());
    const auto found = commands.show(*context, *flow);
    return found ? body_of(to_json(*found)) : refusal(found.error());
  }
  const auto verb = rest.substr(slash + 1);
  if (verb != "retry" && verb != "giveUp")
    return refusal(errc::not_found, "target", "there is no such call");
  if (method != "POST")
    return refusal(errc::bad_input, "method", "must be POST");
  const auto done = verb == "retry" ? commands.retry(*context) : commands.give_up(*context);
  return done ? body_of(R"({"value":true})") : refusal(done.error());
}

http::server_response answer(const control_commands& commands, const http::server_request& call) {
  // The socket's mode lets nobody else in; this is the second lock, for a folder that was opened
  // up.
  if (call.from.user_id != 0 && call.from.user_id != static_cast<std::int64_t>(::geteuid()))
    return refusal(errc::policy, "peer", "only the engine's own user and root may ask");
  const std::string_view target = call.target;
  const auto path = target.substr(0, target.find('?'));
  const auto query
    = path.size() < target.size() ? target.substr(path.size() + 1) : std::string_view{};
  constexpr std::string_view requests = "/requests";
  if (path.starts_with(requests) && path.size() > requests.size() + 1
      && path[requests.size()] == '/')
    return one(commands, call.method, path.substr(requests.size() + 1), query);
  constexpr std::string_view orders = "/revocations";
  if (path == orders || path.starts_with(std::string(orders) + "/"))
    return revocations(commands, call.method, path.substr(orders.size()), query);
  if (path == "/audit")
    return audit(commands, call, query);
  if (path != "/status" && path != requests)
    return refusal(errc::not_found, "target", "there is no such call");
  if (call.method != "GET")
    return refusal(errc::bad_input, "method", "must be GET");
  return path == requests ? list(commands, query) : body_of(to_json(commands.current()));
}

} // namespace

struct control_server::state {
  std::unique_ptr<http::server> server;
};

control_server::control_server(std::unique_ptr<state> s) noexcept : state_(std::move(s)) {}
control_server::control_server(control_server&&) noexcept = default;
control_server::~control_server() {
  if (state_ != nullptr && state_->server != nullptr)
    state_->server->stop(stop_deadline_ms);
}

result<control_server> control_server::start(const std::string& socket_path,
                                             control_commands commands) {
  http::server_options options;
  options.unix_socket = socket_path;
  options.connections_max = connections_max;
  options.body_bytes_max = body_bytes_max;
  options.header_bytes_max = header_bytes_max;
  options.idle_timeout_ms = idle_timeout_ms;
  auto server = http::server::start(
    std::move(options),
    [kept = std::move(commands)](const http::server_request& call) { return answer(kept, call); });
  if (!server)
    return failure(server.error());
  return control_server(std::make_unique<state>(state{std::move(*server)}));
}

} // namespace pfx::engine
