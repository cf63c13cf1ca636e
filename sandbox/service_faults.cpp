// What the desk gets wrong on purpose. The books are never wrong: a lease that is lost is lost in
// the ledger, and only texts of answers are spoiled.
#include <algorithm>

#include "sandbox/hostile_desk.hpp"
#include "sandbox/replies.hpp"
#include "sandbox/service.hpp"

namespace pfx::sandbox {

void request_service::meddle(const drawn_fault& fault, const std::string& body) {
  const bool again = fault.is(fault_kind::again);
  if (!again && !fault.is(fault_kind::lease_taken)) {
    return;
  }
  const std::scoped_lock lock(mutex_);
  const auto now = system_clock().boot();
  auto choice = fault.choice;
  auto victims = books_.at_work(now);
  // Rather those that the call is about.
  const auto named = std::ranges::partition(
    victims, [&](const std::string& one) { return body.find(one) != std::string::npos; });
  if (const auto count = static_cast<std::size_t>(named.begin() - victims.begin()); count > 0) {
    victims.resize(count);
  }
  std::vector<line> lines;
  for (std::uint64_t n = 0; n < fault.rule->count && !victims.empty(); ++n) {
    const auto at = victims.begin() + static_cast<std::ptrdiff_t>(choice.below(victims.size()));
    if (again) {
      books_.offer_again(*at);
    } else {
      books_.lose(*at, now, lines);
    }
    options_.faults->note(fault, "context", *at);
    victims.erase(at);
  }
  for (const auto& one : lines) {
    log_.append(one);
  }
}

connect::http::server_response request_service::spoiled(drawn_fault fault, response answer) {
  if (answer.status != 200 || fault.call != "PfxRequests/download") {
    return answer;
  }
  std::string contexts;
  auto body = spoil_download(fault, answer.body, contexts);
  if (!body) {
    return answer;
  }
  options_.faults->note(fault, "contexts", contexts);
  if (const auto synced = log_.sync(); !synced) {
    return refuse(503, "ServiceUnavailable", to_string(synced.error()));
  }
  answer.body = std::move(*body);
  return answer;
}

} // namespace pfx::sandbox
