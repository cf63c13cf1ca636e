// Two counters a subject: this hour's and the last one's, which counts for the share of it that
// lies less than an hour back.
#include "actors/tasks/use_limits.hpp"

#include <algorithm>

namespace pfx::actors::tasks {

namespace {

constexpr std::int64_t hour_ms = 3'600'000;

error too_often(std::string field) {
  return {errc::unavailable, std::move(field), "was used as often as an hour allows; try later"};
}

} // namespace

use_limits::hour& use_limits::at(const std::string& subject, boot_ms now) {
  auto& one = uses_[subject];
  const auto number = now / hour_ms;
  if (one.number < number) { // never backwards: who looked at the clock earlier counts here too
    one.before = one.number + 1 == number ? one.now : 0;
    one.now = 0;
    one.number = number;
  }
  return one;
}

void use_limits::forget_old(boot_ms now) {
  const auto number = now / hour_ms;
  std::erase_if(uses_, [number](const auto& one) { return one.second.number + 1 < number; });
}

result<void> use_limits::take(const std::vector<std::string>& secrets,
                              const std::vector<std::string>& recipients, boot_ms now) {
  const std::lock_guard lock(mutex_);
  if (uses_.size() + recipients.size() + secrets.size() > subjects_max) {
    forget_old(now);
    if (uses_.size() + recipients.size() + secrets.size() > subjects_max) {
      return failure(too_often("thumbprint"));
    }
  }
  const auto full = [now](const hour& one, std::size_t most) {
    const auto left = hour_ms - std::max<std::int64_t>(now - one.number * hour_ms, 0);
    const auto faded = one.before * static_cast<std::size_t>(left) / hour_ms;
    return one.now + faded >= most;
  };
  for (const auto& one : secrets) {
    if (full(at("t" + one, now), per_thumbprint_)) {
      return failure(too_often("thumbprint"));
    }
  }
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    if (full(at("r" + recipients[i], now), per_recipient_)) {
      return failure(too_often("recipients[" + std::to_string(i) + "].certificate"));
    }
  }
  for (const auto& one : secrets) {
    ++at("t" + one, now).now;
  }
  for (const auto& one : recipients) {
    ++at("r" + one, now).now;
  }
  return {};
}

void use_limits::give_back(const std::vector<std::string>& secrets,
                           const std::vector<std::string>& recipients, boot_ms now) {
  const std::lock_guard lock(mutex_);
  const auto less = [&](const std::string& subject) {
    auto& one = at(subject, now);
    auto& count = one.now > 0 ? one.now : one.before; // the hour may have ended meanwhile
    count -= count > 0 ? 1 : 0;
  };
  for (const auto& one : secrets) {
    less("t" + one);
  }
  for (const auto& one : recipients) {
    less("r" + one);
  }
}

} // namespace pfx::actors::tasks
