// Tokens into headers, HTTP statuses into errors.
#include "connect/intune/authorized.hpp"

#include <algorithm>
#include <charconv>

#include "connect/http/header_text.hpp"
#include "connect/intune/codec.hpp"
#include "core/limits.hpp"
#include "crypto/random.hpp"

namespace pfx::connect::intune {

namespace {

/// 408, 429 and 503 say that nothing was done; 404 that we called at the wrong door, and there may
/// be another one by now; other failures of a server may come after the deed.
errc errc_of(int status) {
  switch (status) {
    case 401:
    case 403:
      return errc::unauthorized;
    case 404:
    case 408:
    case 410:
    case 429:
    case 503:
      return errc::unavailable;
    case 409:
      return errc::conflict;
    case 413:
      return errc::too_large;
    default:
      return status >= 500 ? errc::unknown_outcome : errc::bad_input;
  }
}

call_error error_of(const http::response& got, const std::string& id) {
  call_error out;
  out.status = got.status;
  out.request_id = id;
  const std::string tail = "HTTP " + std::to_string(got.status) + " (client-request-id " + id + ")";
  if (got.status >= 300 && got.status < 400) {
    out.what = {errc::bad_input, "", "redirects are refused, " + tail};
    return out;
  }
  const auto said = decode_fault(got.body);
  out.service_code = said.code;
  out.retry_after_ms = asked_wait_ms(got);
  out.what = {errc_of(got.status), "", tail};
  if (!said.code.empty() || !said.message.empty())
    out.what.message += ": " + said.code + (said.code.empty() ? "" : " ") + said.message;
  return out;
}

/// One attempt; the header that holds the token is wiped behind it.
answer<reply> send_once(web& over, web_request& request, const bearer& token) {
  const std::string id = crypto::random_uuid();
  std::string& authorization = request.options.headers["Authorization"];
  authorization.reserve(8 + token->size());
  authorization = "Bearer ";
  authorization += token->text();
  request.options.headers["client-request-id"] = id;
  auto got = over.send(request);
  wipe(authorization);
  if (!got)
    return tl::unexpected(call_error{got.error(), 0, {}, id, 0});
  if (got->status < 200 || got->status > 299)
    return tl::unexpected(error_of(*got, id));
  return reply{std::move(got->body), id};
}

} // namespace

std::int64_t asked_wait_ms(const http::response& got) {
  std::int64_t out = got.retry_after_ms.value_or(0);
  auto found = got.headers.find("x-ms-retry-after-ms");
  if (found == got.headers.end())
    return out;
  const auto text = http::trimmed(found->second);
  std::int64_t wait = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), wait);
  if (end != text.data() + text.size() || text.empty() || text.front() == '-')
    return out;
  if (fault != std::errc{})
    wait = limits::asked_wait_ms_max; // more than 64 bits
  return std::max(out, std::min(wait, limits::asked_wait_ms_max));
}

answer<reply> send_authorized(const authorized_call& by, web_request request) {
  for (bool again : {true, false}) {
    auto token = by.tokens.token(by.scope);
    if (!token)
      return tl::unexpected(std::move(token.error()));
    auto got = send_once(by.over, request, *token);
    // Without a status it was TLS or the proxy that refused, and the token is none of their matter.
    const bool refused = !got && (got.error().status == 401 || got.error().status == 403);
    if (refused)
      by.tokens.drop(by.scope, *token);
    if (!refused || !again)
      return got;
  }
  return refusal({errc::internal, "", "unreachable"});
}

} // namespace pfx::connect::intune
