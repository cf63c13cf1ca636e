// The control socket's client side, used by `pfxengine status` and `pfxengine requests`.
#include "connect/http/client.hpp"
#include "engine/control_json.hpp"
#include "engine/status.hpp"

namespace pfx::engine {
namespace {

namespace http = connect::http;

constexpr std::int64_t call_timeout_ms = 15'000;
constexpr std::size_t body_bytes_max = 8u << 20; ///< a list of 1,000 requests with long reasons

} // namespace

struct control_client::state {
  std::string socket_path;
  std::unique_ptr<http::client> client;

  [[nodiscard]] result<std::string> body(result<http::response> answer) const {
    if (!answer && answer.error().code == errc::unavailable)
      return failure(errc::unavailable, printable(socket_path, 512),
                     "no engine listens there; is `pfxengine run` running?");
    if (!answer)
      return failure(answer.error());
    if (answer->status != 200)
      return failure(detail::error_from_json(answer->body, answer->status));
    return std::move(answer->body);
  }
  [[nodiscard]] result<std::string> get(const std::string& target) const {
    return body(client->get(target));
  }
  [[nodiscard]] result<void> act(const std::string& context, const char* verb) const {
    auto done
      = body(client->post("/requests/" + detail::percent_encoded(context) + "/" + verb, "{}"));
    if (!done)
      return failure(done.error());
    return {};
  }
};

control_client::control_client(std::unique_ptr<state> s) noexcept : state_(std::move(s)) {}
control_client::control_client(control_client&&) noexcept = default;
control_client::~control_client() = default;

result<control_client> control_client::make(const std::string& socket_path) {
  http::client_options options;
  options.base_url = "http://localhost";
  options.unix_socket = socket_path;
  options.call_timeout_ms = call_timeout_ms;
  options.body_bytes_max = body_bytes_max;
  options.connections_max = 1;
  auto client = http::client::make(std::move(options));
  if (!client)
    return failure(client.error());
  return control_client(std::make_unique<state>(state{socket_path, std::move(*client)}));
}

result<std::string> control_client::status_text() const { return state_->get("/status"); }

result<status> control_client::current() const {
  const auto text = status_text();
  if (!text)
    return failure(text.error());
  return status_from_json(*text);
}

result<request_page> control_client::requests(const std::string& wanted, std::size_t count_max,
                                              const std::string& flow) const {
  const auto text
    = state_->get("/requests?state=" + detail::percent_encoded(wanted) + "&count="
                  + std::to_string(count_max) + "&flow=" + detail::percent_encoded(flow));
  if (!text)
    return failure(text.error());
  return detail::requests_from_json(*text);
}

result<order_page> control_client::revocations(const std::string& wanted,
                                               std::size_t count_max) const {
  const auto text = state_->get("/revocations?state=" + detail::percent_encoded(wanted)
                                + "&count=" + std::to_string(count_max));
  if (!text)
    return failure(text.error());
  return detail::orders_from_json(*text);
}

result<void> control_client::decide_revocation(const std::string& context, bool approve) const {
  const auto done = state_->body(state_->client->post(
    "/revocations/" + detail::percent_encoded(context) + (approve ? "/approve" : "/reject"), "{}"));
  if (!done)
    return failure(done.error());
  return {};
}

result<request_timeline> control_client::show(const std::string& context,
                                              const std::string& flow) const {
  const auto text = state_->get("/requests/" + detail::percent_encoded(context)
                                + "?flow=" + detail::percent_encoded(flow));
  if (!text)
    return failure(text.error());
  return detail::timeline_from_json(*text);
}

result<void> control_client::retry(const std::string& context) const {
  return state_->act(context, "retry");
}
result<void> control_client::give_up(const std::string& context) const {
  return state_->act(context, "giveUp");
}

result<audit_excerpt> control_client::audit(std::size_t last) const {
  const auto text = state_->get("/audit?last=" + std::to_string(last));
  if (!text)
    return failure(text.error());
  return detail::excerpt_from_json(*text);
}

result<void> control_client::note_audit(std::uint16_t event, const std::string& text) const {
  const auto done = state_->body(state_->client->post("/audit", detail::note_to_json(event, text)));
  if (!done)
    return failure(done.error());
  return {};
}

} // namespace pfx::engine
