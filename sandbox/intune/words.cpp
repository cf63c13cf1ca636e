// Refusals as texts.
#include "sandbox/intune/words.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include <nlohmann/json.hpp>

#include "crypto/random.hpp"

namespace pfx::sandbox {

using json = nlohmann::ordered_json;

namespace {

std::string dumped(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

int digit_of(char c) {
  return c >= '0' && c <= '9' ? c - '0'
    : c >= 'a' && c <= 'f'    ? c - 'a' + 10
    : c >= 'A' && c <= 'F'    ? c - 'A' + 10
                              : -1;
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+') {
      out += ' ';
    } else if (text[at] != '%') {
      out += text[at];
    } else {
      const int high = at + 2 < text.size() ? digit_of(text[at + 1]) : -1;
      const int low = at + 2 < text.size() ? digit_of(text[at + 2]) : -1;
      if (high < 0 || low < 0) {
        return std::nullopt;
      }
      out += static_cast<char>(high * 16 + low);
      at += 2;
    }
  }
  return out;
}

const char* code_of(int status) {
  switch (status) {
    case 400:
      return "BadRequest";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 429:
      return "TooManyRequests";
    case 503:
      return "ServiceUnavailable";
    default:
      return "InternalError";
  }
}

} // namespace

std::string header(const server_request& of, const std::string& name) {
  const auto at = of.headers.find(name);
  return at == of.headers.end() ? std::string() : at->second;
}

std::optional<std::map<std::string, std::string>> read_form(std::string_view body) {
  std::map<std::string, std::string> out;
  while (!body.empty()) {
    const auto part = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(part.size() + 1, body.size()));
    if (part.empty()) {
      continue;
    }
    const auto equals = std::min(part.find('='), part.size());
    auto name = unescaped(part.substr(0, equals));
    auto value = unescaped(part.substr(std::min(equals + 1, part.size())));
    if (!name || !value || out.size() == form_fields_max
        || !out.emplace(std::move(*name), std::move(*value)).second) {
      return std::nullopt;
    }
  }
  return out;
}

std::string spoken_time(unix_ms when) {
  const auto seconds = static_cast<std::time_t>(when / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%SZ", &parts)};
}

server_response as_response(const oauth_refusal& what, unix_ms now) {
  const auto trace = crypto::random_uuid();
  const auto correlation = crypto::random_uuid();
  const auto time = spoken_time(now);
  server_response out;
  out.status = what.status;
  out.headers["Cache-Control"] = "no-store, no-cache";
  out.body = dumped({{"error", what.error},
                     {"error_description",
                      "AADSTS" + std::to_string(what.aadsts) + ": " + what.text + " Trace ID: "
                        + trace + " Correlation ID: " + correlation + " Timestamp: " + time},
                     {"error_codes", json::array({what.aadsts})},
                     {"timestamp", time},
                     {"trace_id", trace},
                     {"correlation_id", correlation}});
  return out;
}

server_response graph_refusal(int status, std::string_view code, std::string_view message,
                              const server_request& to) {
  server_response out;
  out.status = status;
  out.body = dumped({{"error",
                      {{"code", code},
                       {"message", message},
                       {"innerError",
                        {{"date", spoken_time(system_clock().wall())},
                         {"request-id", crypto::random_uuid()},
                         {"client-request-id", header(to, "client-request-id")}}}}}});
  return out;
}

server_response service_refusal(int status, const server_request& to, std::int64_t retry_after_ms) {
  const bool later = status == 429 || status == 503;
  const auto seconds = (retry_after_ms + 999) / 1000;
  server_response out;
  out.status = status;
  const auto inner = dumped(
    {{"_version", 3},
     {"Message",
      "An error has occurred - Operation ID (for customer support): " + crypto::random_uuid()
        + " - Activity ID: " + header(to, "client-request-id") + " - Url: " + to.target},
     {"CustomApiErrorPhrase", ""},
     {"RetryAfter", later ? json(seconds) : json(nullptr)},
     {"ErrorSourceService", ""},
     {"HttpHeaders", "{}"}});
  out.body = dumped({{"error", {{"code", code_of(status)}, {"message", inner}}}});
  if (status == 401) {
    out.headers["WWW-Authenticate"] = "Bearer error=\"invalid_token\"";
  } else if (later) {
    out.headers["Retry-After"] = std::to_string(seconds);
    out.headers["x-ms-retry-after-ms"] = std::to_string(retry_after_ms);
  }
  return out;
}

} // namespace pfx::sandbox
