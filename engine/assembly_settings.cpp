// What the configuration says, put into the words of the actors. Opens nothing.
#include <algorithm>
#include <thread>

#include "connect/http/header_text.hpp"
#include "core/program_version.hpp"
#include "engine/assembly.hpp"

namespace pfx::engine::detail {

namespace {

actors::tasks::issuance_policy issuance_of(const issuance_settings& from) {
  actors::tasks::issuance_policy out;
  for (const auto& ca : from.authorities) {
    out.authorities.push_back({ca.name, ca.templates});
  }
  for (const auto& word : from.name_types) {
    if (const auto type = name_type_of(word)) {
      out.name_types.push_back(*type);
    }
  }
  for (const auto& word : from.key_algorithms) {
    if (const auto algorithm = key_algorithm_of(word)) {
      out.key_algorithms.push_back(*algorithm);
    }
  }
  out.name_suffixes = from.name_suffixes;
  out.ip_ranges = from.ip_ranges;
  out.directory_name_suffixes = from.directory_name_suffixes;
  out.security_identifier_domains = from.security_identifier_domains;
  out.extended_key_usages = from.extended_key_usages;
  out.validity_days_max = from.validity_days_max;
  return out;
}

} // namespace

void take_settings(assembly& a) {
  const auto& from = a.settings;
  auto& to = a.plant.settings;
  to.tenant = from.service.tenant;
  to.connector_version = program_version();
  to.poll_interval_ms = from.service.poll_interval_ms;
  to.lease_ms = from.service.lease_ms;
  to.anchor_file = from.anchor_file;
  to.requests_max = from.service.requests_max;
  to.open_requests_max = from.limits.open_requests_max;
  to.crypto_workers = from.limits.crypto_threads != 0
    ? from.limits.crypto_threads
    : std::max<std::size_t>(1, std::thread::hardware_concurrency());
  to.issuer_calls_max = std::max<std::size_t>(1, from.limits.io_threads * 2 / 3);
  to.result_retention_ms = from.limits.result_retention_days * 24 * 3600 * 1000;
  if (from.intune) {
    to.revocation_tenant = connect::http::lower(from.intune->tenant);
    to.revocation_interval_ms = from.intune->poll_interval_ms;
    to.revocations_max = from.intune->orders_max;
    to.revocations_hour_max = from.intune->orders_per_hour;
    to.revocation_retry_ms = from.intune->retry_ms;
  }
  auto& rules = a.plant.rules;
  rules.attempts_max = from.limits.attempts_max;
  rules.quarantine_ms = from.limits.quarantine_ms;
  for (const auto& ca : from.authorities) {
    rules.ca_settle_ms = &ca == &from.authorities.front()
      ? ca.settle_ms
      : std::max(rules.ca_settle_ms, ca.settle_ms);
    rules.pending_deadline_ms = &ca == &from.authorities.front()
      ? ca.pending_deadline_ms
      : std::max(rules.pending_deadline_ms, ca.pending_deadline_ms);
  }
  a.plant.issuance = issuance_of(from.issuance);
}

} // namespace pfx::engine::detail
