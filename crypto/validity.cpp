// Moving moments by days, months and years.
#include "crypto/issue.hpp"

#include <algorithm>
#include <chrono>

namespace pfx::crypto {

namespace {

/// 9999-12-31T23:59:59Z: the last moment that a certificate can name (RFC 5280 4.1.2.5).
constexpr unix_ms last_moment = 253'402'300'799'000;
constexpr std::int64_t day_ms = 86'400'000;

unix_ms add_months(unix_ms start, std::int64_t months) {
  using namespace std::chrono;
  const sys_time<milliseconds> from{milliseconds(start)};
  const auto midnight = floor<days>(from);
  const year_month_day date(midnight);
  const auto total
    = static_cast<std::int64_t>(int(date.year())) * 12 + unsigned(date.month()) - 1 + months;
  if (total / 12 > 9999)
    return last_moment;
  const year_month target
    = year(static_cast<int>(total / 12)) / month(static_cast<unsigned>(total % 12) + 1);
  const day last = year_month_day_last(target.year(), month_day_last(target.month())).day();
  const sys_days moved = target / std::min(date.day(), last);
  return duration_cast<milliseconds>(moved.time_since_epoch() + (from - midnight)).count();
}

} // namespace

unix_ms add_validity(unix_ms start, const validity_period& period) {
  const auto value = static_cast<std::int64_t>(period.value);
  unix_ms moved = start;
  switch (period.unit) {
    case validity_unit::days:
      moved = start + value * day_ms;
      break; // < 2^59 ms, cannot overflow
    case validity_unit::months:
      moved = add_months(start, value);
      break;
    case validity_unit::years:
      moved = add_months(start, value * 12);
      break;
  }
  return std::min(moved, last_moment);
}

} // namespace pfx::crypto
