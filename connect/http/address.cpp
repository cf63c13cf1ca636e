// Addresses, character by character.
#include "connect/http/address.hpp"

#include <algorithm>
#include <charconv>

#include "connect/http/header_text.hpp"

namespace pfx::connect::http {

namespace {

constexpr std::string_view scheme = "https://";
constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view host_characters = "abcdefghijklmnopqrstuvwxyz0123456789-.";
/// RFC 3986 3.3 and 3.4 without what is left to schemes of one's own.
constexpr std::string_view path_characters
  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/%";

bool only(std::string_view text, std::string_view of) {
  return text.find_first_not_of(of) == std::string_view::npos;
}

/// Names as they stand in certificates, and four decimal numbers with dots. "127.1", "0x7f.1" and
/// their kin mean different hosts to different parsers.
bool is_host(std::string_view host) {
  if (host.empty() || host.size() > 253 || !only(host, host_characters) || host.front() == '.'
      || host.front() == '-' || host.find("..") != std::string_view::npos)
    return false;
  const auto last
    = host.substr(host.rfind('.') == std::string_view::npos ? 0 : host.rfind('.') + 1);
  if (last.find_first_of(letters) == 0)
    return last.back() != '-';
  return only(host, "0123456789.") && std::count(host.begin(), host.end(), '.') == 3;
}

} // namespace

std::string address::origin() const {
  return std::string(scheme) + host + (port == 443 ? "" : ":" + std::to_string(port));
}

result<address> parse_address(std::string_view text, std::string_view field) {
  auto fail = [field](const char* sentence) {
    return failure(errc::bad_input, std::string(field), sentence);
  };
  if (text.size() > address_characters_max)
    return fail("is too long for an address");
  if (lower(text.substr(0, scheme.size())) != scheme)
    return fail("must begin with https://");
  text.remove_prefix(scheme.size());
  const auto end = std::min(text.find_first_of("/?#"), text.size());
  std::string_view authority = text.substr(0, end);
  std::string_view rest = text.substr(end);
  address out;
  if (const auto colon = authority.find(':'); colon != std::string_view::npos) {
    const auto digits = authority.substr(colon + 1);
    const auto [stop, fault]
      = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
    if (fault != std::errc{} || stop != digits.data() + digits.size() || out.port == 0)
      return fail("has no port between 1 and 65535 behind its colon");
    authority = authority.substr(0, colon);
  }
  out.host = lower(authority);
  if (out.host.ends_with('.'))
    out.host.pop_back();
  if (!is_host(out.host))
    return fail("names no host that can be called");
  const auto mark = std::min(rest.find('?'), rest.size());
  std::string_view path = rest.substr(0, mark);
  while (path.ends_with('/'))
    path.remove_suffix(1);
  out.path = path;
  out.query = rest.substr(mark);
  if (!only(out.path, path_characters)
      || (!out.query.empty() && !only(std::string_view(out.query).substr(1), path_characters)))
    return fail("has a character that no address of ours may have");
  if ((out.path + "/").find("/../") != std::string::npos
      || (out.path + "/").find("/./") != std::string::npos)
    return fail("has a dot for a folder in its path");
  return out;
}

bool is_within(std::string_view host, std::string_view domain) noexcept {
  if (domain.empty() || !host.ends_with(domain))
    return false;
  return host.size() == domain.size() || host[host.size() - domain.size() - 1] == '.';
}

} // namespace pfx::connect::http
