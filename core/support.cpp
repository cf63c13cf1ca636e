// Words and dates of support, compared.
#include "core/support.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace pfx::support {

namespace {

constexpr std::array<std::string_view, 4> words = {"", "supported", "warning", "error"};

standing by_dates(const notice& said, std::optional<unix_ms> end, unix_ms now) {
  if (end && now >= *end)
    return standing::unsupported;
  if (said.deprecated_after && now >= *said.deprecated_after)
    return standing::deprecated;
  return standing::unknown;
}

} // namespace

std::string_view word_of(standing value) noexcept { return words[static_cast<std::size_t>(value)]; }

standing standing_of(std::string_view word) noexcept {
  const auto* const found = std::find(words.begin() + 1, words.end(), word);
  return found == words.end() ? standing::unknown : static_cast<standing>(found - words.begin());
}

unix_ms months_later(unix_ms from, int months) noexcept {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds(from)};
  const auto day = floor<days>(at);
  auto date = year_month_day(day) + std::chrono::months(months);
  if (!date.ok())
    date = date.year() / date.month() / last;
  return (sys_days(date) + (at - day)).time_since_epoch().count();
}

verdict judge(const notice& said, std::string_view own_version, unix_ms now) {
  auto end = said.unsupported_after;
  if (!end && said.deprecated_after)
    end = months_later(*said.deprecated_after, months_after_next_release);
  verdict out{std::max(standing_of(said.word), by_dates(said, end, now)), ""};
  if (out.is < standing::deprecated)
    return out;
  const bool over = out.is == standing::unsupported;
  out.sentence = "version " + printable(std::string(own_version), 40)
    + (over ? " is no longer supported" : " is deprecated");
  if (end)
    out.sentence += (over && now >= *end ? " since " : ", and not supported from ")
      + to_rfc3339(*end / 1000 * 1000).substr(0, 10) + (over && now >= *end ? "" : " on");
  if (!said.latest_version.empty() && said.latest_version != own_version)
    out.sentence += "; the newest is " + printable(said.latest_version, 40);
  return out;
}

} // namespace pfx::support
