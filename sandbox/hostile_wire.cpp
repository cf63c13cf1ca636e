// The faults of the wire, one by one.
#include "sandbox/hostile_wire.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include "sandbox/intune/tenant.hpp"
#include "sandbox/replies.hpp"

namespace pfx::sandbox {

using connect::http::server_request;
using connect::http::server_response;

namespace {

constexpr const char* page = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>"
                             "<h1>Sign in to this network</h1></body></html>\n";

std::string http_date(unix_ms when) {
  const auto seconds = static_cast<std::time_t>(when / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  constexpr std::array<const char*, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> months
    = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto two = [](int n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  return std::string(days[static_cast<std::size_t>(parts.tm_wday)]) + ", " + two(parts.tm_mday)
    + " " + months[static_cast<std::size_t>(parts.tm_mon)] + " "
    + std::to_string(parts.tm_year + 1900) + " " + two(parts.tm_hour) + ":" + two(parts.tm_min)
    + ":" + two(parts.tm_sec) + " GMT";
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 12
    && text.find_first_not_of("0123456789") == std::string::npos;
}

/// In the words of whose call it is. The tenant's services tell a wait in two headers.
server_response with_status(const fault_rule& rule, const server_request& request) {
  const bool of_tenant = !tenant_call_of(request.target).empty();
  auto out = of_tenant ? service_refusal(rule.status, request)
                       : refuse(rule.status, "FaultOnPurpose", "this call fails on purpose");
  out.headers.erase("Retry-After");
  out.headers.erase("x-ms-retry-after-ms");
  if (rule.retry_after) {
    out.headers["Retry-After"] = *rule.retry_after;
    if (of_tenant && is_number(*rule.retry_after)) {
      out.headers["x-ms-retry-after-ms"] = *rule.retry_after + "000";
    }
  } else if (rule.retry_after_date_s) {
    out.headers["Retry-After"]
      = http_date(system_clock().wall() + *rule.retry_after_date_s * 1'000);
  }
  return out;
}

server_response html_page() {
  auto out = reply(200, page);
  out.headers["Content-Type"] = "text/html; charset=utf-8";
  return out;
}

server_response redirection(const server_request& request) {
  auto out = reply(307, "");
  out.headers["Location"] = "https://localhost:1" + request.target;
  return out;
}

/// What takes the place of the answer, or how the answer is damaged.
server_response damage(const drawn_fault& fault, const server_request& request,
                       server_response answer) {
  const auto& rule = *fault.rule;
  const auto size = answer.body.size();
  switch (rule.kind) {
    case fault_kind::status:
      return with_status(rule, request);
    case fault_kind::html:
      return html_page();
    case fault_kind::redirect:
      return redirection(request);
    case fault_kind::close:
      answer.how.silent = true;
      break;
    case fault_kind::cut:
      answer.how.cut_at = size / 2;
      break;
    case fault_kind::length:
      answer.how.said_length = static_cast<std::size_t>(
        std::max<std::int64_t>(0, static_cast<std::int64_t>(size) + rule.by));
      answer.how.close = true;
      break;
    case fault_kind::drip:
      answer.how.drip_ms = rule.ms;
      break;
    case fault_kind::late:
      answer.how.wait_ms = rule.ms;
      break;
    default:
      break;
  }
  return answer;
}

bool needs_answer(const fault_rule& rule) {
  const bool replaces = rule.kind == fault_kind::status || rule.kind == fault_kind::html
    || rule.kind == fault_kind::redirect || rule.kind == fault_kind::close
    || rule.kind == fault_kind::late;
  return !replaces || rule.handled;
}

} // namespace

std::string call_of(std::string_view target) {
  target = target.substr(0, target.find('?'));
  for (const std::string_view prefix : {"/service/", "/ca/"}) {
    if (target.starts_with(prefix)) {
      return std::string(target.substr(prefix.size()));
    }
  }
  return tenant_call_of(target);
}

connect::http::handler make_hostile(connect::http::handler inner, fault_injector& faults,
                                    journal& log) {
  return [inner = std::move(inner), &faults, &log](const server_request& request) {
    const auto fault = faults.draw(fault_layer::wire, call_of(request.target));
    if (fault) {
      faults.note(fault);
      if (const auto synced = log.sync(); !synced) {
        return refuse(503, "ServiceUnavailable", to_string(synced.error()));
      }
    }
    server_response out;
    if (!fault || needs_answer(*fault.rule)) {
      out = inner(request);
    } else if (fault.is(fault_kind::late)) {
      out = with_status(*fault.rule, request); // nothing was done, and that is said too late
    }
    if (fault.is(fault_kind::certificate)) {
      faults.spoil_handshakes(fault.rule->which, fault.rule->handshakes);
    } else if (fault) {
      out = damage(fault, request, std::move(out));
    }
    out.how.close = out.how.close || faults.handshakes_spoiled(); // the next call shakes hands anew
    return out;
  };
}

} // namespace pfx::sandbox
