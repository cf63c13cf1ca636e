// Header values as values.
#include "connect/http/header_text.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

#include <curl/curl.h>

#include "core/limits.hpp"

namespace pfx::connect::http {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view blank = " \t\r\n";
  auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

bool is_header_text(std::string_view text) noexcept {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

std::optional<std::int64_t> read_retry_after(std::string_view text, unix_ms now) {
  std::string_view value = trimmed(text);
  if (value.empty())
    return std::nullopt;
  if (value.find_first_not_of("0123456789") == std::string_view::npos) {
    std::int64_t seconds = 0;
    auto [end, fault] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (fault != std::errc{} || seconds > limits::asked_wait_ms_max / 1'000)
      return limits::asked_wait_ms_max;
    return seconds * 1'000;
  }
  std::time_t moment = ::curl_getdate(std::string(value).c_str(), nullptr);
  if (moment == -1)
    return std::nullopt;
  std::int64_t wait = static_cast<std::int64_t>(moment) * 1'000 - now;
  return std::clamp<std::int64_t>(wait, 0, limits::asked_wait_ms_max);
}

} // namespace pfx::connect::http
