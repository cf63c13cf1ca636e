// What the public services of a tenant say when they refuse: the forms of OAuth2, of Graph and of
// the Intune services, each as others published it. And forms (HTML 4.01 17.13.4) read. Decides
// nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "connect/http/server.hpp"
#include "core/clock.hpp"

namespace pfx::sandbox {

using connect::http::server_request;
using connect::http::server_response;

/// A header by its name in lower case; empty if it is not there.
[[nodiscard]] std::string header(const server_request& of, const std::string& name);

inline constexpr std::size_t form_fields_max = 64;
/// The fields of application/x-www-form-urlencoded. Nothing if an escape is malformed, a field
/// stands twice (RFC 6749 3.2) or there are too many.
[[nodiscard]] std::optional<std::map<std::string, std::string>> read_form(std::string_view body);

/// "2026-11-01 12:00:00Z"
[[nodiscard]] std::string spoken_time(unix_ms when);

/// RFC 6749 5.2 with the additions of Microsoft Entra: error_codes, timestamp, trace_id,
/// correlation_id.
struct oauth_refusal {
  int status = 400;
  const char* error = "invalid_request";
  int aadsts = 0;
  std::string text;
};
[[nodiscard]] server_response as_response(const oauth_refusal& what, unix_ms now);

/// {"error":{"code","message","innerError":{…}}}
[[nodiscard]] server_response graph_refusal(int status, std::string_view code,
                                            std::string_view message, const server_request& to);

/// The opaque form: what was wrong is not said, the message is JSON in a string. 401 carries
/// WWW-Authenticate; 429 and 503 both Retry-After and x-ms-retry-after-ms.
[[nodiscard]] server_response service_refusal(int status, const server_request& to,
                                              std::int64_t retry_after_ms = 0);

} // namespace pfx::sandbox
