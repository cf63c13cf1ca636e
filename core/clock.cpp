// The machine's clocks, and RFC 3339 read strictly. Refuses leap seconds: Unix time has no place
// for them, and a certificate's end must not silently move.
#include "core/clock.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <optional>

namespace pfx {

namespace {

constexpr std::int64_t ms_per_second = 1000;
constexpr std::int64_t ms_per_day = 86'400 * ms_per_second;
constexpr unix_ms year_0000_ms = -62'167'219'200'000; ///< 0000-01-01T00:00:00Z
constexpr unix_ms year_9999_ms = 253'402'300'799'999; ///< 9999-12-31T23:59:59.999Z

std::int64_t read_clock(clockid_t id) noexcept {
  ::timespec now{};
  ::clock_gettime(id, &now);
  return static_cast<std::int64_t>(now.tv_sec) * ms_per_second + now.tv_nsec / 1'000'000;
}

class machine_clock final : public clock {
public:
  [[nodiscard]] unix_ms wall() const override { return read_clock(CLOCK_REALTIME); }
  [[nodiscard]] boot_ms boot() const override { return read_clock(CLOCK_BOOTTIME); }
};

/// Reads a text from the left; the first fault sticks.
class scanner {
public:
  explicit scanner(std::string_view text) noexcept : rest_(text) {}

  /// Exactly `count` digits.
  int digits(std::size_t count) noexcept {
    if (rest_.size() < count) {
      ok_ = false;
      return 0;
    }
    int value = 0;
    for (const char c : rest_.substr(0, count)) {
      ok_ = ok_ && c >= '0' && c <= '9';
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return ok_ ? value : 0;
  }

  /// Takes the next character if it is one of `set`; 0 if not.
  char any_of(std::string_view set) noexcept {
    if (rest_.empty() || set.find(rest_.front()) == std::string_view::npos) {
      return 0;
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  void need(std::string_view set) noexcept { ok_ = any_of(set) != 0 && ok_; }
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool done() const noexcept { return ok_ && rest_.empty(); }

private:
  std::string_view rest_;
  bool ok_ = true;
};

/// The digits behind the point, as milliseconds; finer ones are cut off. Empty without a digit.
std::optional<int> fraction_ms(scanner& in) noexcept {
  int value = 0;
  int weight = 100;
  bool seen = false;
  while (const char c = in.any_of("0123456789")) {
    value += (c - '0') * weight;
    weight /= 10;
    seen = true;
  }
  return seen ? std::optional<int>(value) : std::nullopt;
}

/// "Z" or "+hh:mm", as minutes to subtract; empty if it is neither.
std::optional<int> offset_minutes(scanner& in) noexcept {
  if (in.any_of("Zz") != 0) {
    return 0;
  }
  const char sign = in.any_of("+-");
  if (sign == 0) {
    return std::nullopt;
  }
  const int hours = in.digits(2);
  in.need(":");
  const int minutes = in.digits(2);
  if (!in.ok() || hours > 23 || minutes > 59) {
    return std::nullopt;
  }
  const int total = hours * 60 + minutes;
  return sign == '-' ? -total : total;
}

auto refused(const char* sentence) { return failure(errc::bad_input, "", sentence); }

/// Days since 1970-01-01, or empty for a day that the calendar does not have.
std::optional<std::int64_t> days_of(int year, int month, int day) noexcept {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) {
    return std::nullopt;
  }
  return std::chrono::sys_days(date).time_since_epoch().count();
}

} // namespace

const clock& system_clock() noexcept {
  static const machine_clock the;
  return the;
}

std::string to_rfc3339(unix_ms moment) {
  // The form has four digits for the year; what lies beyond is shown as the nearest end.
  moment = moment < year_0000_ms ? year_0000_ms : moment > year_9999_ms ? year_9999_ms : moment;
  const auto since = std::chrono::milliseconds(moment);
  const auto day = std::chrono::floor<std::chrono::days>(
    std::chrono::sys_time<std::chrono::milliseconds>(since));
  const std::chrono::year_month_day date(day);
  const std::int64_t left = moment - day.time_since_epoch().count() * ms_per_day;
  const std::int64_t seconds = left / ms_per_second;
  std::array<char, 48> out{};
  std::snprintf(out.data(), out.size(), "%04d-%02u-%02uT%02d:%02d:%02d", int(date.year()),
                unsigned(date.month()), unsigned(date.day()), static_cast<int>(seconds / 3600),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  std::string text(out.data());
  if (left % ms_per_second != 0) {
    std::snprintf(out.data(), out.size(), ".%03d", static_cast<int>(left % ms_per_second));
    text += out.data();
  }
  return text + "Z";
}

// RFC 3339, 5.6: date-time = full-date "T" full-time; "T" and "Z" may be lower case.
result<unix_ms> from_rfc3339(std::string_view text) {
  scanner in(text);
  const int year = in.digits(4);
  in.need("-");
  const int month = in.digits(2);
  in.need("-");
  const int day = in.digits(2);
  in.need("Tt");
  const int hour = in.digits(2);
  in.need(":");
  const int minute = in.digits(2);
  in.need(":");
  const int second = in.digits(2);
  if (!in.ok()) {
    return refused("is no RFC 3339 time, for example 2026-11-01T12:00:00Z");
  }
  const auto fraction = in.any_of(".") != 0 ? fraction_ms(in) : std::optional<int>(0);
  const auto offset = fraction ? offset_minutes(in) : std::nullopt;
  if (!offset || !in.done()) {
    return refused("must end with Z or an offset such as +01:00, after an optional fraction");
  }
  const auto days = days_of(year, month, day);
  if (!days) {
    return refused("names a day that the calendar does not have");
  }
  if (second == 60) {
    return refused("names a leap second (:60), which is not accepted; use :59 or the next second");
  }
  if (hour > 23 || minute > 59 || second > 59) {
    return refused("names an hour, minute or second that the day does not have");
  }
  const std::int64_t seconds = (hour * 60 + minute - *offset) * 60 + second;
  return *days * ms_per_day + seconds * ms_per_second + *fraction;
}

} // namespace pfx
