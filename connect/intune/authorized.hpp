// A request with a bearer token, its errors in one form, and the one second attempt with a fresh
// token. Internal to this folder. Refuses to try again for any other reason.
#pragma once

#include "connect/intune/token.hpp"
#include "connect/intune/web.hpp"

namespace pfx::connect::intune {

struct reply {
  std::string body;
  std::string request_id;
};

struct authorized_call {
  web& over;
  token_source& tokens;
  std::string scope;
};

/// Sends `request` under a new client-request-id. 401 and 403 drop the token; then once more with a
/// fresh one and another id. 2xx is an answer, everything else an error.
[[nodiscard]] answer<reply> send_authorized(const authorized_call& by, web_request request);

/// How long the other side asks to be left alone: Retry-After or x-ms-retry-after-ms (which is in
/// milliseconds), the longer one, within limits::asked_wait_ms_max; 0 = it does not.
[[nodiscard]] std::int64_t asked_wait_ms(const http::response& got);

} // namespace pfx::connect::intune
