// The box as others see it. Everything in it is in sandbox_state.cpp.
#include "sandbox/sandbox.hpp"

#include <algorithm>

#include "sandbox/options_check.hpp"
#include "sandbox/sandbox_state.hpp"

namespace pfx::sandbox {

namespace {

constexpr std::size_t extra_max = 1'000'000;

} // namespace

sandbox::sandbox(std::unique_ptr<state> s) : state_(std::move(s)) {}
sandbox::~sandbox() = default;

result<std::unique_ptr<sandbox>> sandbox::start(options how) {
  if (auto checked = check(how); !checked) {
    return failure(checked.error());
  }
  try {
    auto made = std::make_unique<state>();
    made->how = std::move(how);
    if (auto begun = made->begin(); !begun) {
      return failure(begun.error());
    }
    return std::unique_ptr<sandbox>(new sandbox(std::move(made)));
  } catch (const std::exception& caught) {
    return failure(errc::io, "directory", printable(caught.what(), 300));
  }
}

std::string sandbox::url() const { return state_->endpoint("/service"); }
std::string sandbox::ca_url() const { return state_->endpoint("/ca"); }
std::string sandbox::crl_url() const { return state_->public_point->locations().crl; }
std::string sandbox::ocsp_url() const { return state_->public_point->locations().ocsp; }
std::string sandbox::issuer_url() const { return state_->public_point->locations().issuer; }
std::uint16_t sandbox::port() const { return state_->server->port(); }
std::string sandbox::registration_code() const { return state_->codes.front(); }
std::vector<std::string> sandbox::registration_codes() const { return state_->codes; }
std::string sandbox::server_roots_path() const { return state_->path("server-root.pem"); }
std::string sandbox::device_roots_path() const { return state_->path("device-root.pem"); }
std::string sandbox::ca_root_path() const { return state_->path("ca-root.pem"); }
std::string sandbox::description_path() const { return state_->path("sandbox.json"); }

result<std::string> sandbox::enqueue(const std::string& kind) {
  if (!order_book::knows(kind)) {
    return failure(errc::bad_input, "kind", "is unknown: " + printable(kind));
  }
  std::uint64_t index = 0;
  {
    const std::scoped_lock lock(state_->extra_mutex);
    if (state_->extra.size() >= extra_max) {
      return failure(errc::too_large, "extra", "has too many requests");
    }
    index = state_->how.requests + state_->extra.size();
    state_->extra.push_back(kind);
  }
  const auto made = state_->order_of(index);
  state_->service->enqueue(made, state_->how.authority_name);
  if (auto synced = state_->log->sync(); !synced) {
    return failure(synced.error());
  }
  return made.context;
}

intune_address sandbox::intune() const { return state_->tenant_address(); }

summary sandbox::progress() const {
  const auto books = state_->service->counts();
  const auto judged = state_->judges->so_far();
  const auto certificates = state_->watch.so_far();
  summary out;
  out.requests = books.requests;
  out.handed_out = books.handed_out;
  out.delivered = books.delivered;
  out.imported = books.imported;
  out.expected_failures = judged.expected_failures;
  out.failed = books.failed - std::min(books.failed, judged.expected_failures);
  out.redelivered = books.redelivered;
  out.acknowledged = books.acknowledged;
  out.waiting = books.requests - books.handed_out;
  out.takeovers = books.takeovers;
  out.certificates = certificates.issued;
  out.revoked_certificates = certificates.revoked;
  out.surplus_certificates = certificates.loose;
  out.judged = judged.judged;
  out.connectors = state_->desk->connectors();
  const auto ordered = state_->tenant->counts();
  out.orders.made = ordered.orders;
  out.orders.handed_out = ordered.handed_out;
  out.orders.hand_outs = ordered.hand_outs;
  out.orders.reported = ordered.recorded;
  out.faults_total = judged.faults;
  out.faults = judged.first_faults;
  const auto elapsed = system_clock().boot() - state_->started;
  out.requests_per_second
    = elapsed > 0 ? 1000.0 * static_cast<double>(books.recorded) / static_cast<double>(elapsed) : 0;
  return out;
}

bool sandbox::finished() const {
  const auto& how = state_->how;
  if (how.time_limit_ms > 0 && system_clock().boot() - state_->started >= how.time_limit_ms) {
    return true;
  }
  const auto books = state_->service->counts();
  return state_->feeding->finished() && books.open == 0 && books.redelivery_open == 0
    && state_->judges->idle() && state_->tenant->quiet() && state_->watch.so_far().loose == 0;
}

result<summary> sandbox::verdict() {
  state_->judges->drain();
  if (auto synced = state_->log->sync(); !synced) {
    return failure(synced.error());
  }
  return judge(state_->how.directory);
}

void sandbox::stop() { state_->stop(); }

} // namespace pfx::sandbox
