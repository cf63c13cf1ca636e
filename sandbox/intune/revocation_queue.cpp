// Downloads, cool-downs and reports.
#include "sandbox/intune/revocation_queue.hpp"

#include <algorithm>

#include "sandbox/dice.hpp"

namespace pfx::sandbox {

namespace {

constexpr std::uint64_t redelivery_stream = 0x0d3e7;
constexpr std::uint16_t first_retryable = 4100;

bool fits(const queued_order& one, const std::optional<std::string>& filter) {
  return !filter
    || (one.ca_configuration ? *one.ca_configuration == *filter : one.issuer_name == filter);
}

bool same(const order_report& left, const order_report& right) {
  return left.succeeded == right.succeeded && left.code == right.code
    && left.message == right.message;
}

} // namespace

std::string_view name_of(report_end value) noexcept {
  switch (value) {
    case report_end::recorded:
      return "recorded";
    case report_end::again:
      return "again";
    case report_end::otherwise:
      return "otherwise";
    case report_end::sent_back:
      return "sentBack";
  }
  return "";
}

bool revocation_queue::add(queued_order what) {
  const auto at = standings_.size();
  if (!by_context_.emplace(what.context, at).second) {
    return false;
  }
  standings_.push_back({std::move(what), 0, 0, {}, false, false});
  open_.insert(at);
  ++counts_.orders;
  ++counts_.open;
  return true;
}

std::vector<handed_order> revocation_queue::download(std::size_t most,
                                                     const std::optional<std::string>& filter,
                                                     boot_ms now) {
  std::vector<handed_order> out;
  if (now < cool_until_) {
    return out;
  }
  std::size_t looked_at = 0;
  for (auto next = open_.begin(); next != open_.end() && looked_at < most; ++next) {
    auto& it = standings_[*next];
    if (now < it.cool_until) {
      continue;
    }
    ++looked_at;
    if (!fits(it.order, filter)) {
      continue;
    }
    it.cool_until = now + options_.cool_down_ms;
    counts_.handed_out += it.hand_outs == 0 ? 1 : 0;
    ++counts_.hand_outs;
    if (it.stands && !it.redelivered) {
      it.redelivered = true;
      ++counts_.redelivered;
    }
    out.push_back({&it.order, ++it.hand_outs, it.stands.has_value()});
  }
  if (options_.whole_queue_cools && !out.empty()) {
    cool_until_ = now + options_.cool_down_ms;
  }
  return out;
}

std::optional<std::vector<report_end>> revocation_queue::upload(
  const std::vector<order_report>& reports, boot_ms now) {
  std::vector<std::size_t> places;
  for (const auto& one : reports) {
    const auto at = by_context_.find(one.context);
    if (at == by_context_.end()) {
      return std::nullopt;
    }
    places.push_back(at->second);
  }
  std::vector<report_end> out;
  for (std::size_t n = 0; n < reports.size(); ++n) {
    out.push_back(take(places[n], reports[n], now));
  }
  return out;
}

report_end revocation_queue::take(std::size_t at, const order_report& report, boot_ms now) {
  auto& it = standings_[at];
  if (it.stands) {
    if (it.redelivered && it.redeliver) {
      it.redeliver = false;
      open_.erase(at);
      ++counts_.acknowledged;
      --counts_.redelivery_open;
    }
    return same(*it.stands, report) ? report_end::again : report_end::otherwise;
  }
  if (static_cast<std::uint16_t>(report.code) >= first_retryable) {
    it.cool_until = std::max(it.cool_until, now);
    return report_end::sent_back;
  }
  it.stands = report;
  ++counts_.recorded;
  --counts_.open;
  it.redeliver = dice(options_.seed ^ redelivery_stream, at).share() < options_.redeliver_share;
  if (it.redeliver) {
    ++counts_.redelivery_open;
  } else {
    open_.erase(at);
  }
  return report_end::recorded;
}

void revocation_queue::forget_cool_down() {
  cool_until_ = 0;
  for (const auto at : open_) {
    standings_[at].cool_until = 0;
  }
}

} // namespace pfx::sandbox
