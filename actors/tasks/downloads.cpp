// Downloads and check-ins: what comes in from the service, read, sealed and judged as a whole.
#include <algorithm>
#include <exception>

#include "actors/tasks/service_calls.hpp"
#include "actors/tasks/upkeep.hpp"
#include "actors/tasks/vault.hpp"

namespace pfx::actors::tasks {

namespace {

using namespace connect::service;

arrival read_offer(const plant& p, offer& from, boot_ms sent) {
  arrival out;
  out.key = {p.settings.tenant, flow::pfx, from.context};
  out.fingerprint = from.fingerprint;
  out.lease_number = from.lease_number;
  out.lease_until = p.lease_deadline(sent, from.lease_ms);
  if (!from.request) {
    out.fault = from.request.error();
    return out;
  }
  auto& request = *from.request;
  out.kind = request.kind;
  out.expires_at = request.expires;
  if (request.kind == request_kind::unknown) {
    out.fault = error{errc::not_supported, "kind",
                      "this version does not process " + printable(request.kind_word)};
    return out;
  }
  out.authority = request.create.authority; // none takes part in an import
  out.plain = std::move(request);
  return out;
}

/// False if it could not be sealed.
bool seal(const plant& p, arrival& one, const std::map<request_key, settled_record>& settled) {
  if (one.plain && !settled.contains(one.key)) {
    auto sealed = seal_blob(p, one.key, blob_kind::request, encode(*one.plain));
    if (!sealed) {
      return false;
    }
    one.sealed_request = std::move(*sealed);
  }
  one.plain.reset();
  return true;
}

} // namespace

arrivals run_download(const plant& p, const demand& wish) noexcept {
  arrivals out;
  std::vector<request_kind> kinds{request_kind::pfx_create};
  if (wish.imports) {
    kinds.push_back(request_kind::pfx_import);
  }
  try {
    p.announcement.keep_current(p);
    const auto sent = p.time->boot();
    auto answer = p.service->download(
      p.caller.current(),
      {.requests_max = wish.requests, .kinds = kinds, .lease_ms = p.settings.lease_ms});
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
    for (auto& one : answer->offers) {
      out.list.push_back(read_offer(p, one, sent));
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

void seal_arrivals(const plant& p, std::vector<arrival>& list,
                   const std::map<request_key, settled_record>& settled) noexcept {
  try {
    std::erase_if(list, [&](arrival& one) { return !seal(p, one, settled); });
  } catch (const std::exception&) { // no memory: none of them was taken
    list.clear();
  }
}

namespace {

/// The CA whose transaction ids are walked. A service that does not say which leaves no doubt only
/// where there is one CA; an import has none, and a walk over it finds nothing.
std::string authority_of(const plant& p, const query_answer& from) {
  if (!from.authority.empty() || p.authorities.size() != 1) {
    return from.authority;
  }
  return from.stands.succeeded && !from.stands.thumbprint.present() ? ""
                                                                    : p.authorities.begin()->first;
}

} // namespace

handed_page run_handed_to_me(const plant& p, const std::string& after) noexcept {
  handed_page out;
  try {
    auto answer = p.service->query_handed_to_me(p.caller.current(), after);
    if (!answer) {
      const auto& fault = answer.error();
      out.recorded.failed = true;
      out.recorded.retry_after_ms = fault.retry_after_ms;
      out.recorded.why = to_string(fault.what);
      out.recorded.halt = fault.what.code == errc::stale_epoch ? fault.what.code : errc::none;
      return out;
    }
    for (const auto& one : answer->answers) {
      out.last = one.context;
      if (one.state == query_state::recorded) {
        arrival known;
        known.key = {p.settings.tenant, flow::pfx, one.context};
        known.lease_number = one.lease_number;
        known.authority = authority_of(p, one);
        known.stands = one.stands;
        out.recorded.list.push_back(std::move(known));
      }
    }
    out.recorded.more = answer->more && !answer->answers.empty();
  } catch (const std::exception& thrown) {
    out.recorded.failed = true;
    out.recorded.why = std::string("exception: ") + printable(thrown.what());
  }
  return out;
}

namespace {

std::string health_of(const plant& p) {
  return p.upkeep != nullptr ? p.upkeep->health_json() : std::string("{}");
}

} // namespace

check_in_outcome run_check_in(const plant& p, bool reconciled) noexcept {
  check_in_outcome out;
  try {
    auto answer = p.service->check_in(p.caller.current(),
                                      {.connector_version = p.settings.connector_version,
                                       .at = p.anchor.current(),
                                       .reconciled = reconciled,
                                       .health_json = health_of(p)});
    if (!answer) {
      const auto& fault = answer.error();
      out.code = fault.what.code;
      out.why = to_string(fault.what);
      out.highest_epoch = fault.highest_epoch;
      out.retry_after_ms = fault.retry_after_ms;
      return out;
    }
    out.accepted = true;
    out.about_us = {answer->lifecycle, answer->latest_version, answer->deprecated_after,
                    answer->unsupported_after};
    if (!reconciled && answer->last_known && answer->last_known->audit_head.present()) {
      const auto ours = in_our_chain(*p.store, *answer->last_known);
      if (!ours) { // a disk that fails must not look like another process under our name
        out.accepted = false;
        out.code = ours.error().code;
        out.why = to_string(ours.error());
        return out;
      }
      out.reconcile = !*ours;
    }
  } catch (const std::exception& thrown) {
    out.code = errc::internal;
    out.why = printable(thrown.what());
  }
  return out;
}

} // namespace pfx::actors::tasks
