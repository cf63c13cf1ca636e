// The tests behind the forms. None of them asks a resolver or the file system.
#include "engine/settings_forms.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace pfx::engine::detail {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 39 && std::ranges::all_of(text, is_digit)
    && (text.size() == 1 || text.front() != '0');
}

bool is_https_url(std::string_view text) {
  constexpr std::string_view scheme = "https://";
  if (!text.starts_with(scheme))
    return false;
  text.remove_prefix(scheme.size());
  const auto host = text.substr(0, text.find('/'));
  return !host.empty() && host.find('@') == std::string_view::npos
    && text.find_first_of("?#\\ \"<>") == std::string_view::npos;
}

bool is_https_url_or_none(std::string_view text) { return text.empty() || is_https_url(text); }

/// The prefix is mandatory: without it nobody knows what is spoken to the proxy.
bool is_proxy_url(std::string_view text) {
  if (text.starts_with("https://"))
    text.remove_prefix(8);
  else if (text.starts_with("http://"))
    text.remove_prefix(7);
  else
    return false;
  const auto colon = text.rfind(':');
  return colon != std::string_view::npos && colon > 0 && is_number(text.substr(colon + 1))
    && text.find_first_of("@/?#\\ \"<>") == std::string_view::npos;
}

bool is_day(std::string_view text) {
  return text.empty()
    || (text.size() == 10 && from_rfc3339(std::string(text) + "T00:00:00Z").has_value());
}

/// anyExtendedKeyUsage would open every purpose, so it is no purpose that can be named.
bool is_purpose(std::string_view text) {
  return text.find('.') != std::string_view::npos && text.front() >= '0' && text.front() <= '2'
    && text[1] == '.' && text != "2.5.29.37.0" && each_part(text, '.', is_number);
}

bool is_security_identifier_domain(std::string_view text) {
  constexpr std::string_view prefix = "S-1-5-21-";
  if (!text.starts_with(prefix))
    return false;
  text.remove_prefix(prefix.size());
  return std::ranges::count(text, '-') == 2 && each_part(text, '-', is_number);
}

bool is_address_range(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos)
    return false;
  const std::string address(text.substr(0, slash));
  const auto tail = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, fault] = std::from_chars(tail.data(), tail.data() + tail.size(), length);
  if (fault != std::errc{} || end != tail.data() + tail.size())
    return false;
  in6_addr room{};
  if (::inet_pton(AF_INET, address.c_str(), &room) == 1)
    return length <= 32;
  return ::inet_pton(AF_INET6, address.c_str(), &room) == 1 && length <= 128;
}

bool is_domain_suffix(std::string_view text) {
  if (text.starts_with('.'))
    text.remove_prefix(1);
  return each_part(text, '.', [](std::string_view label) {
    return !label.empty() && label.size() <= 63
      && std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; });
  });
}

bool is_short_word(std::string_view text) { return !text.empty() && text.size() <= 128; }

} // namespace

const form https_url{"^https://[^/?#@\\s]+(/[^?#\\s]*)?$",
                     "must be an https:// address without user, query or fragment", is_https_url};
const form https_url_or_none{"^(https://[^/?#@\\s]+(/[^?#\\s]*)?)?$",
                             "must be an https:// address without user, query or fragment",
                             is_https_url_or_none};
const form proxy_url{"^https?://[^/?#@\\s]+:[0-9]+$",
                     "must be http://host:port or https://host:port, nothing behind it; name and "
                     "password stand in userFile",
                     is_proxy_url};
const form day{"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", "must be a day such as 2027-01-31", is_day};
const form purpose{"^[0-2](\\.(0|[1-9][0-9]*))+$",
                   "must be a dotted object identifier, and not anyExtendedKeyUsage", is_purpose};
const form sid_domain{"^S-1-5-21-[0-9]+-[0-9]+-[0-9]+$",
                      "must be the identifier of a domain, S-1-5-21-a-b-c",
                      is_security_identifier_domain};
const form address_range{"^[0-9A-Fa-f.:]+/[0-9]{1,3}$",
                         "must be a range of addresses such as 10.0.0.0/8", is_address_range};
const form domain_suffix{"^\\.?[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*$",
                         "must be a DNS name, with a leading dot for all names below it",
                         is_domain_suffix};
const form short_word{"^.{1,128}$", "must have 1 to 128 characters", is_short_word};

std::vector<std::string_view> split_choices(std::string_view choices) {
  std::vector<std::string_view> words;
  each_part(choices, '|', [&words](std::string_view word) {
    words.push_back(word);
    return true;
  });
  return words;
}

} // namespace pfx::engine::detail
