// One request in, one answer out, over a stream. Internal to connect/http.
// Refuses bodies and headers over the limits, encodings other than gzip and what Beast's parser
// refuses.
#pragma once

#include <memory>

#include "connect/http/server.hpp"
#include "connect/http/stream.hpp"

namespace pfx::connect::http {

/// What became of reading a request.
struct incoming {
  enum class what : std::uint8_t {
    request, ///< whole: `value` holds it
    refuse,  ///< answer with `refusal`, then close
    end,     ///< the connection is of no more use
  };
  what is = what::end;
  server_request value;
  server_response refusal;
  bool keep_alive = false;
};

/// The octets of one connection between its requests. Used by one thread.
class exchange {
public:
  exchange(stream& over, const server_options& options);
  ~exchange();

  /// True if octets of a next request are here already.
  [[nodiscard]] bool has_input() const noexcept;
  [[nodiscard]] incoming read();
  /// `stop_fd` ends the waits of an answer that is not delivered plainly.
  [[nodiscard]] io_status write(server_response answer, bool keep_alive, bool head_only,
                                int stop_fd = -1);

private:
  struct state;
  std::unique_ptr<state> state_;
};

/// {"error":{"code","message"}} with the status; both words are ours, nothing foreign in them.
[[nodiscard]] server_response refusal_of(int status, std::string_view code,
                                         std::string_view message);

} // namespace pfx::connect::http
