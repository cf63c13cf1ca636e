// Downloads and check-ins: what comes in from the service, read, sealed and judged as a whole.
#include <exception>

#include "actors/tasks/service_calls.hpp"
#include "actors/tasks/vault.hpp"

namespace pfx::actors::tasks {

namespace {

using namespace connect::service;

/// Nothing if the request could not be sealed: it stays with the service and comes again.
std::optional<arrival> read_offer(const plant& p, const offer& from, boot_ms sent) {
  arrival out;
  out.key = {p.settings.tenant, flow::pfx, from.context};
  out.fingerprint = from.fingerprint;
  out.lease_number = from.lease_number;
  out.lease_until = p.lease_deadline(sent, from.lease_ms);
  if (!from.request) {
    out.fault = from.request.error();
    return out;
  }
  const auto& request = *from.request;
  out.kind = request.kind;
  out.expires_at = request.expires;
  if (request.kind == request_kind::unknown) {
    out.fault = error{errc::not_supported, "kind",
                      "this version does not process " + printable(request.kind_word)};
    return out;
  }
  out.authority = request.create.authority; // none takes part in an import
  auto sealed = seal_blob(p, out.key, blob_kind::request, encode(request));
  if (!sealed) {
    return std::nullopt;
  }
  out.sealed_request = std::move(*sealed);
  return out;
}

} // namespace

arrivals run_download(const plant& p, std::size_t requests_max) noexcept {
  arrivals out;
  try {
    p.announcement.keep_current(p);
    const auto sent = p.time->boot();
    auto answer
      = p.service->download(p.caller.current(),
                            {.requests_max = requests_max,
                             .kinds = {request_kind::pfx_create, request_kind::pfx_import},
                             .lease_ms = p.settings.lease_ms});
    if (!answer) {
      const auto& fault = answer.error();
      out.failed = true;
      out.too_large = fault.what.code == errc::too_large;
      out.retry_after_ms = fault.retry_after_ms;
      out.why = to_string(fault.what);
      if (fault.what.code == errc::stale_epoch) {
        out.halt = fault.what.code;
      }
      return out;
    }
    for (const auto& one : answer->offers) {
      if (auto read = read_offer(p, one, sent)) {
        out.list.push_back(std::move(*read));
      }
    }
    for (const auto& lost : answer->unanswerable) {
      out.why = "entries that nobody can answer: " + to_string(lost);
    }
    out.more = answer->more;
  } catch (const std::exception& thrown) {
    out.failed = true;
    out.why = std::string("exception: ") + printable(thrown.what());
  }
  return out;
}

check_in_outcome run_check_in(const plant& p, bool reconciled) noexcept {
  check_in_outcome out;
  try {
    auto answer = p.service->check_in(p.caller.current(),
                                      {.connector_version = p.settings.connector_version,
                                       .at = p.anchor.current(),
                                       .reconciled = reconciled});
    if (!answer) {
      const auto& fault = answer.error();
      out.code = fault.what.code;
      out.why = to_string(fault.what);
      out.highest_epoch = fault.highest_epoch;
      out.retry_after_ms = fault.retry_after_ms;
      return out;
    }
    out.accepted = true;
    out.lifecycle = answer->lifecycle;
    out.latest_version = answer->latest_version;
    if (answer->last_known && answer->last_known->audit_head.present()) {
      bool in_our_chain = false;
      const auto& known = *answer->last_known;
      auto read = p.store->each_audit(
        known.sequence, [&](std::uint64_t at, const digest& head, const bytes&) {
          in_our_chain = at == known.sequence && head == known.audit_head;
          return false;
        });
      out.reconcile = !read || !in_our_chain;
    }
  } catch (const std::exception& thrown) {
    out.code = errc::internal;
    out.why = printable(thrown.what());
  }
  return out;
}

} // namespace pfx::actors::tasks
