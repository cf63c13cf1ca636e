// Paths to answers. Every header that a cache needs, and no cache longer than cache_seconds_max: a
// revocation shall be seen soon.
#include "connect/ca/publication.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "crypto/digest.hpp"
#include "crypto/ocsp.hpp"

namespace pfx::connect::ca {

namespace {

constexpr std::int64_t cache_seconds_max = 300;
constexpr std::size_t name_characters_max = 64;
constexpr std::size_t connections_max = 64;
constexpr std::size_t header_bytes_max = 32u << 10; // an OCSP request by GET is in there
constexpr std::int64_t idle_timeout_ms = 10'000;
constexpr std::int64_t request_timeout_ms = 10'000;
constexpr std::size_t tag_characters = 32;
constexpr const char* ocsp_response_type = "application/ocsp-response";

using http::server_request;
using http::server_response;

/// IMF-fixdate (RFC 9110 5.6.7).
std::string http_date(unix_ms moment) {
  constexpr std::array<const char*, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> months
    = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = static_cast<std::time_t>(moment / 1000);
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) {
    return {};
  }
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                 days[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                                 months[static_cast<std::size_t>(parts.tm_mon)],
                                 parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return {text.data(), static_cast<std::size_t>(size)};
}

server_response words(int status, const char* text) {
  server_response out;
  out.status = status;
  out.headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}};
  out.body = std::string(text) + "\n";
  return out;
}

server_response busy() {
  auto out = words(503, "not now");
  out.headers["Retry-After"] = "5";
  return out;
}

server_response not_allowed(const char* methods) {
  auto out = words(405, "not by this method");
  out.headers["Allow"] = methods;
  return out;
}

bool is_read(const server_request& request) {
  return request.method == "GET" || request.method == "HEAD";
}

/// Something that holds from one moment to another, under a tag of its own.
struct dated {
  std::string body;
  const char* type = "";
  std::string tag;
  unix_ms since = 0;
  unix_ms until = 0; ///< 0 = for as long as one likes
};

server_response cached(const server_request& request, dated what, unix_ms now) {
  const auto left = what.until == 0 ? cache_seconds_max : (what.until - now) / 1000;
  const auto age = std::clamp<std::int64_t>(left, 0, cache_seconds_max);
  const auto tag = "\"" + what.tag + "\"";
  server_response out;
  out.headers = {
    {"Content-Type", what.type},
    {"Cache-Control", "max-age=" + std::to_string(age) + ", public, no-transform, must-revalidate"},
    {"ETag", tag},
    {"Last-Modified", http_date(what.since)},
    {"Date", http_date(now)},
    {"Expires", http_date(now + age * 1000)}};
  const auto known = request.headers.find("if-none-match");
  if (known != request.headers.end() && known->second.find(tag) != std::string::npos) {
    out.status = 304;
    return out;
  }
  out.body = std::move(what.body);
  return out;
}

std::string tag_of(const bytes& octets) {
  return to_hex(crypto::sha256(octets)).substr(0, tag_characters);
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    const auto octet = from_hex(text.substr(at + 1, 2));
    if (!octet || octet->size() != 1) {
      return std::nullopt;
    }
    out += static_cast<char>(octet->front());
    at += 2;
  }
  return out;
}

/// base64 (RFC 6960 A.1), also with the alphabet for addresses and without its padding, as some
/// clients have it.
std::optional<bytes> request_in(std::string_view path) {
  if (path.size() > 4 * crypto::ocsp_request_bytes_max) {
    return std::nullopt;
  }
  auto text = percent_decoded(path);
  if (!text) {
    return std::nullopt;
  }
  std::replace(text->begin(), text->end(), '-', '+');
  std::replace(text->begin(), text->end(), '_', '/');
  text->append((4 - text->size() % 4) % 4, '=');
  auto octets = crypto::from_base64(*text);
  return octets ? std::optional<bytes>(std::move(*octets)) : std::nullopt;
}

class publication {
public:
  publication(publisher& ca, const std::string& name, const clock& time)
      : ca_(ca), clock_(time), crl_path_("/ca/" + name + ".crl"),
        issuer_path_("/ca/" + name + ".cer"), ocsp_path_("/ocsp/" + name) {}

  [[nodiscard]] server_response serve(const server_request& request) const {
    const std::string_view target = request.target;
    const auto path = target.substr(0, target.find('?'));
    if (path == crl_path_) {
      return is_read(request) ? list(request) : not_allowed("GET, HEAD");
    }
    if (path == issuer_path_) {
      return is_read(request) ? issuer(request) : not_allowed("GET, HEAD");
    }
    if (path == ocsp_path_ || path == ocsp_path_ + "/") {
      return request.method == "POST" ? by_post(request) : not_allowed("POST");
    }
    if (path.starts_with(ocsp_path_ + "/")) {
      return is_read(request) ? by_get(request, path.substr(ocsp_path_.size() + 1))
                              : not_allowed("GET, HEAD");
    }
    return words(404, "no such thing");
  }

private:
  [[nodiscard]] server_response list(const server_request& request) const {
    const auto now = ca_.current_crl();
    if (!now) {
      return busy();
    }
    const auto& it = **now;
    return cached(request,
                  {to_text(it.der), "application/pkix-crl", it.tag, it.this_update, it.next_update},
                  clock_.wall());
  }

  [[nodiscard]] server_response issuer(const server_request& request) const {
    const auto& der = ca_.certificate();
    const auto now = clock_.wall();
    return cached(request, {to_text(der), "application/pkix-cert", tag_of(der), now, 0}, now);
  }

  /// What was asked in a body may hold a nonce; no cache keeps answers to POST.
  [[nodiscard]] server_response by_post(const server_request& request) const {
    const auto type = request.headers.find("content-type");
    if (type == request.headers.end() || !type->second.starts_with("application/ocsp-request")) {
      return words(415, "application/ocsp-request is what is taken here");
    }
    return fresh(ca_.answer_ocsp(as_bytes(request.body)));
  }

  [[nodiscard]] server_response by_get(const server_request& request, std::string_view text) const {
    const auto octets = request_in(text);
    const auto reply = ca_.answer_ocsp(octets ? byte_view(*octets) : byte_view());
    if (!reply.cacheable) {
      return fresh(reply);
    }
    return cached(request,
                  {to_text(reply.der), ocsp_response_type, tag_of(reply.der), reply.this_update,
                   reply.next_update},
                  clock_.wall());
  }

  [[nodiscard]] server_response fresh(const status_reply& reply) const {
    server_response out;
    out.headers = {{"Content-Type", ocsp_response_type},
                   {"Cache-Control", "no-store"},
                   {"Date", http_date(clock_.wall())}};
    out.body = to_text(reply.der);
    return out;
  }

  publisher& ca_;
  const clock& clock_;
  std::string crl_path_;
  std::string issuer_path_;
  std::string ocsp_path_;
};

http::server_options server_options_of(const publication_options& from) {
  http::server_options out;
  out.address = from.address;
  out.port = from.port;
  out.plain_public_data = true;
  out.connections_max = connections_max;
  out.body_bytes_max = crypto::ocsp_request_bytes_max;
  out.header_bytes_max = header_bytes_max;
  out.idle_timeout_ms = idle_timeout_ms;
  out.request_timeout_ms = request_timeout_ms;
  return out;
}

} // namespace

std::string publication_name(std::string_view authority_name) {
  std::string out(authority_name.substr(0, name_characters_max));
  for (auto& c : out) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
      || c == '.' || c == '_';
    c = plain ? c : '-';
  }
  if (out.find_first_not_of('.') == std::string::npos) {
    return "ca"; // nothing, or a path step of its own
  }
  return out;
}

http::handler make_publication_handler(publisher& ca, const std::string& name, const clock& time) {
  return
    [it = publication(ca, name, time)](const server_request& request) { return it.serve(request); };
}

result<std::unique_ptr<publication_point>> publication_point::open(publication_options options) {
  const auto& time = options.time != nullptr ? *options.time : system_clock();
  std::unique_ptr<publication_point> made(new publication_point(time));
  made->name_ = publication_name(options.authority_name);
  const auto* self = made.get();
  auto server
    = http::server::start(server_options_of(options),
                          [self](const server_request& request) { return self->serve(request); });
  if (!server) {
    return failure(server.error());
  }
  made->server_ = std::move(*server);
  std::string base = options.base_url;
  if (base.empty()) {
    const bool v6 = options.address.find(':') != std::string::npos;
    base = "http://" + (v6 ? "[" + options.address + "]" : options.address) + ":"
      + std::to_string(made->server_->port());
  }
  made->locations_ = {base + "/ca/" + made->name_ + ".crl", base + "/ocsp/" + made->name_,
                      base + "/ca/" + made->name_ + ".cer"};
  if (auto checked = crypto::encode_status_locations(made->locations_); !checked) {
    return failure(errc::bad_input, "base_url", "is no address that begins with http://");
  }
  return made;
}

void publication_point::attach(publisher& ca) {
  handle_ = make_publication_handler(ca, name_, clock_);
  attached_.store(true, std::memory_order_release);
}

server_response publication_point::serve(const server_request& request) const {
  return attached_.load(std::memory_order_acquire) ? handle_(request) : busy();
}

} // namespace pfx::connect::ca
