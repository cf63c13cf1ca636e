// Answers that are late, slow or cut. Waits end when the server stops.
#include "connect/http/delivery.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include <poll.h>

#include "connect/http/stream.hpp"

namespace pfx::connect::http {

namespace {

constexpr std::size_t drops_max = 50; ///< pieces of an answer that drips

/// False if the server stops meanwhile.
bool rest(int stop_fd, std::int64_t ms) {
  const auto end = steady_ms() + ms;
  for (auto left = ms; left > 0; left = end - steady_ms()) {
    pollfd stop{stop_fd, POLLIN, 0};
    const int ready = ::poll(&stop, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (ready > 0 || (ready < 0 && errno != EINTR))
      return false;
  }
  return true;
}

} // namespace

io_status deliver(stream& over, std::string_view head, std::string_view body, const delivery& how,
                  int stop_fd, std::int64_t write_timeout_ms) {
  if (!rest(stop_fd, how.wait_ms))
    return io_status::stopped;
  if (how.silent)
    return io_status::closed;
  std::string whole(head);
  whole += body.substr(0, how.cut_at.value_or(body.size()));
  const std::size_t drops
    = how.drip_ms > 0 ? std::clamp<std::size_t>(whole.size(), 1, drops_max) : 1;
  const std::size_t step = (whole.size() + drops - 1) / drops;
  for (std::size_t at = 0; at < whole.size(); at += step) {
    if (at > 0 && !rest(stop_fd, how.drip_ms / static_cast<std::int64_t>(drops)))
      return io_status::stopped;
    const auto sent
      = over.write_all(std::string_view(whole).substr(at, step), steady_ms() + write_timeout_ms);
    if (sent != io_status::done)
      return sent;
  }
  return how.cut_at ? io_status::closed : io_status::done;
}

} // namespace pfx::connect::http
