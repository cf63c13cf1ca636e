// How an answer leaves the server, where a test bed is to misbehave: late, slowly, with a wrong
// length, cut, or not at all. A real service leaves every field as it is. Refuses nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pfx::connect::http {

class stream;
enum class io_status : std::uint8_t;

struct delivery {
  bool silent = false;                    ///< no answer: the connection is cut
  bool close = false;                     ///< no further request on this connection
  std::int64_t wait_ms = 0;               ///< before the first octet
  std::int64_t drip_ms = 0;               ///< the answer is spread over so long
  std::optional<std::size_t> said_length; ///< Content-Length, whatever the body has
  std::optional<std::size_t> cut_at;      ///< octets of the body; then the connection is cut

  [[nodiscard]] bool plain() const noexcept {
    return !silent && !close && wait_ms == 0 && drip_ms == 0 && !said_length && !cut_at;
  }
};

/// Writes an answer's head and body as asked. `closed` if the connection is to be cut, `stopped` as
/// soon as `stop_fd` is readable. `write_timeout_ms` bounds each piece.
[[nodiscard]] io_status deliver(stream& over, std::string_view head, std::string_view body,
                                const delivery& how, int stop_fd, std::int64_t write_timeout_ms);

} // namespace pfx::connect::http
