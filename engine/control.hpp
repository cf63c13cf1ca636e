// The control socket: HTTP and JSON over a Unix socket, for our own user and root alone. The server
// side runs inside the engine's process, the client side in the program's commands.
//   GET  /status                          one status object
//   GET  /requests?state=S&count=N&flow=F {"value":[summary…]}, oldest first
//   GET  /requests/{context}?flow=F       {"summary":{…},"lines":[…]}
//   POST /requests/{context}/retry        {"value":true}
//   POST /requests/{context}/giveUp       {"value":true}
//   GET  /revocations?state=S&count=N     {"value":[order…],"more":false}, oldest first
//   POST /revocations/{context}/approve   {"value":true}
//   POST /revocations/{context}/reject    {"value":true}
//   GET  /audit?last=N                    {"value":[entry…],"checked","fault"}
//   POST /audit {"event","text"}          {"value":true}; events of commands alone (6001-6099)
// {context} is percent-encoded. Errors: an HTTP status with {"error":{"code","field","message"}}.
#pragma once

#include <functional>
#include <memory>

#include "engine/audit.hpp"
#include "engine/engine.hpp"

namespace pfx::engine {

/// What the socket can ask for; each may be called from several threads at once.
struct control_commands {
  std::function<status()> current;
  std::function<result<request_page>(const std::string& state, std::size_t count_max,
                                     const std::string& flow)>
    requests;
  std::function<result<request_timeline>(const std::string& context, const std::string& flow)> show;
  std::function<result<order_page>(const std::string& state, std::size_t count_max)> revocations;
  std::function<result<void>(const std::string& context, bool approve)> decide_revocation;
  std::function<result<void>(const std::string& context)> retry;
  std::function<result<void>(const std::string& context)> give_up;
  std::function<result<audit_excerpt>(std::size_t last)> audit;
  std::function<result<void>(std::uint16_t event, const std::string& text)> note_audit;
};
/// `which` must outlive the server that gets them.
[[nodiscard]] control_commands commands_of(engine& which);

inline constexpr std::size_t control_requests_max = 1'000; ///< of one list
inline constexpr std::size_t control_requests_default = 100;

/// Listens until it ends. Owner: whoever owns the engine; it must end before the engine does.
class control_server {
public:
  /// errc::conflict or errc::io with the path if another process listens there.
  [[nodiscard]] static result<control_server> start(const std::string& socket_path,
                                                    control_commands commands);
  control_server(control_server&&) noexcept;
  ~control_server();

private:
  struct state;
  explicit control_server(std::unique_ptr<state> s) noexcept;
  std::unique_ptr<state> state_;
};

/// Asks a running engine. errc::unavailable if nobody listens; else the engine's own errors.
class control_client {
public:
  [[nodiscard]] static result<control_client> make(const std::string& socket_path);
  control_client(control_client&&) noexcept;
  ~control_client();

  /// As the engine wrote it: one JSON object.
  [[nodiscard]] result<std::string> status_text() const;
  [[nodiscard]] result<status> current() const;
  [[nodiscard]] result<request_page> requests(const std::string& state, std::size_t count_max,
                                              const std::string& flow = {}) const;
  [[nodiscard]] result<request_timeline> show(const std::string& context,
                                              const std::string& flow = {}) const;
  [[nodiscard]] result<order_page> revocations(const std::string& state,
                                               std::size_t count_max) const;
  [[nodiscard]] result<void> decide_revocation(const std::string& context, bool approve) const;
  [[nodiscard]] result<void> retry(const std::string& context) const;
  [[nodiscard]] result<void> give_up(const std::string& context) const;
  [[nodiscard]] result<audit_excerpt> audit(std::size_t last) const;
  /// Durable when it returns. errc::unavailable only if nobody was reached.
  [[nodiscard]] result<void> note_audit(std::uint16_t event, const std::string& text) const;

private:
  struct state;
  explicit control_client(std::unique_ptr<state> s) noexcept;
  std::unique_ptr<state> state_;
};

/// For `--json`: one JSON object each, as on the socket.
[[nodiscard]] std::string to_json(const request_page& values);
[[nodiscard]] std::string to_json(const request_timeline& value);
[[nodiscard]] std::string to_json(const order_page& values);

} // namespace pfx::engine
