// Calls of the uploader: one answer or one unknown for every request of a call.
#include "actors/tasks/service_calls.hpp"

#include <exception>
#include <map>

#include "actors/tasks/crypto_work.hpp"
#include "actors/tasks/vault.hpp"
#include "connect/service/codec.hpp"
#include "core/fault_point.hpp"
#include "crypto/digest.hpp"

namespace pfx::actors::tasks {

namespace {

using namespace connect::service;
using lifecycle::action;
using lifecycle::event;
using lifecycle::event_kind;

/// Another process under our name: everything ends. A refusal of our certificate may pass: it is
/// told, and tried again.
void take_call_error(service_outcomes& out, const call_error& fault) {
  out.retry_after_ms = fault.retry_after_ms;
  out.why = to_string(fault.what);
  if (fault.what.code == errc::stale_epoch) {
    out.halt = fault.what.code;
  }
}

void take_stands(event& out, const recorded& stands) {
  out.succeeded = stands.succeeded;
  out.thumbprint = stands.thumbprint;
  out.result_digest = stands.result_digest;
}

event upload_event(const upload_answer& answer, std::uint64_t lease_number) {
  event out;
  out.lease_number = lease_number;
  out.text = printable(answer.message, 300);
  switch (answer.status) {
    case upload_status::accepted:
      out.kind = event_kind::upload_accepted;
      break;
    case upload_status::already_recorded:
      out.kind = event_kind::upload_recorded;
      break;
    case upload_status::lease_lost:
      out.kind = event_kind::upload_lease_lost;
      break;
    case upload_status::result_missing:
      out.kind = event_kind::upload_missing;
      break;
    case upload_status::rejected:
      out.kind = event_kind::upload_rejected;
      break;
    case upload_status::unknown_request:
      out.kind = event_kind::upload_unknown;
      break;
  }
  take_stands(out, answer.stands);
  return out;
}

event query_event(const query_answer& answer) {
  event out;
  out.lease_number = answer.lease_number;
  switch (answer.state) {
    case query_state::open:
      out.kind = event_kind::query_open;
      break;
    case query_state::leased:
      out.kind = event_kind::query_leased;
      break;
    case query_state::recorded:
      out.kind = event_kind::query_recorded;
      break;
    case query_state::unknown:
      out.kind = event_kind::query_unknown;
      break;
  }
  take_stands(out, answer.stands);
  return out;
}

outcome outcome_of(const task& what, event happened) {
  return {
    .key = what.of->key, .ticket = what.ticket, .what = what.what, .event = std::move(happened)};
}

/// A task that the call did not answer: nobody knows.
outcome unanswered(const task& what, const std::string& why, std::int64_t retry_after_ms) {
  auto happened = lost_answer(what.what, why);
  happened.retry_after_ms = retry_after_ms;
  return outcome_of(what, std::move(happened));
}

/// The bytes of a prepared record, as they were frozen.
result<upload_entry> entry_of(const plant& p, const record& of) {
  if (of.live.lease_until <= p.time->boot()) {
    return failure(errc::unavailable, "", "the lease ran out before the upload");
  }
  upload_entry entry{
    .context = of.key.context, .lease_number = of.lease_number, .result_digest = of.result_digest};
  if (mutated("rebuild-result") && of.result_succeeded) {
    auto rebuilt = build_result(p, of); // the deliberate fault: new salts, new bytes, new digest
    if (rebuilt.kind == event_kind::built) {
      const auto place = storage::store::blob_key(of.key, blob_kind::result);
      auto plain = p.sealer->open({static_cast<std::uint8_t>(blob_kind::result), place},
                                  rebuilt.blobs.front().second);
      if (plain) {
        entry.result_document = to_bytes(plain->view());
        entry.result_digest = rebuilt.result_digest;
        return entry;
      }
    }
  }
  auto document = open_blob(p, of.key, blob_kind::result);
  if (!document) {
    return failure(document.error());
  }
  if (crypto::sha256(document->view()) != of.result_digest) {
    return failure(errc::corrupt, "result", "the stored bytes are not the frozen ones");
  }
  entry.result_document = to_bytes(document->view());
  return entry;
}

/// Contexts to what was asked about them; the service may answer in any order.
template <class Item>
std::map<std::string, const Item*> by_context(const std::vector<Item>& items,
                                              const std::string& (*context)(const Item&)) {
  std::map<std::string, const Item*> out;
  for (const auto& item : items) {
    out.emplace(context(item), &item);
  }
  return out;
}

const std::string& context_of_task(const task& what) { return what.of->key.context; }

template <class Call>
service_outcomes guarded(const std::vector<task>& what, Call call) noexcept {
  try {
    return call();
  } catch (const std::exception& thrown) {
    service_outcomes out;
    out.why = std::string("exception: ") + printable(thrown.what());
    for (const auto& one : what) {
      out.outcomes.push_back(unanswered(one, out.why, 0));
    }
    return out;
  }
}

/// Every task that is still in `open` had no answer in the whole call.
void close_unanswered(service_outcomes& out, const std::map<std::string, const task*>& open) {
  for (const auto& [context, one] : open) {
    out.outcomes.push_back(
      unanswered(*one, out.why.empty() ? "left out of the answer" : out.why, out.retry_after_ms));
  }
}

service_outcomes upload(const plant& p, const std::vector<task>& what) {
  service_outcomes out;
  std::vector<upload_entry> entries;
  auto open = by_context<task>(what, &context_of_task);
  for (const auto& one : what) {
    auto entry = entry_of(p, *one.of);
    if (entry) {
      entries.push_back(std::move(*entry));
    } else {
      const auto code = entry.error().code;
      if (code == errc::corrupt || code == errc::wrong_key || code == errc::not_found) {
        out.halt = errc::store_poisoned; // frozen bytes are gone: an operator has to know
        out.why = to_string(entry.error());
      }
      out.outcomes.push_back(unanswered(one, to_string(entry.error()), 0));
      open.erase(one.of->key.context);
    }
  }
  if (entries.empty()) {
    return out;
  }
  auto answers = p.service->upload(p.caller.current(), entries);
  if (!answers) {
    take_call_error(out, answers.error());
  } else {
    for (const auto& answer : *answers) {
      if (const auto found = open.find(answer.context); found != open.end()) {
        const auto& one = *found->second;
        out.outcomes.push_back(outcome_of(one, upload_event(answer, one.of->lease_number)));
        open.erase(found);
      }
    }
  }
  close_unanswered(out, open);
  return out;
}

service_outcomes query(const plant& p, const std::vector<task>& what) {
  service_outcomes out;
  std::vector<std::string> contexts;
  auto open = by_context<task>(what, &context_of_task);
  for (const auto& one : what) {
    contexts.push_back(one.of->key.context);
  }
  auto answers = p.service->query(p.caller.current(), contexts);
  if (!answers) {
    take_call_error(out, answers.error());
  } else {
    for (const auto& answer : *answers) {
      if (const auto found = open.find(answer.context); found != open.end()) {
        out.outcomes.push_back(outcome_of(*found->second, query_event(answer)));
        open.erase(found);
      }
    }
  }
  close_unanswered(out, open);
  return out;
}

/// The service asked for bytes it has not: the kept ones, or a failure 4005 if they are gone.
upload_entry kept_bytes(const plant& p, const settled_again& one) {
  upload_entry entry{.context = one.key.context,
                     .lease_number = one.lease_number,
                     .result_digest = one.record.result_digest};
  if (auto kept = open_blob(p, one.key, blob_kind::result);
      kept && crypto::sha256(kept->view()) == one.record.result_digest) {
    entry.result_document = to_bytes(kept->view());
    return entry;
  }
  request_result gone;
  gone.code = service_code::conflict;
  gone.message = "was processed before; the result's bytes are no longer kept";
  entry.result_document = encode_result_document(gone);
  entry.result_digest = crypto::sha256(entry.result_document);
  return entry;
}

service_outcomes reacknowledge(const plant& p, const std::vector<settled_again>& what) {
  service_outcomes out;
  std::vector<upload_entry> entries;
  std::map<std::string, const settled_again*> by_name;
  for (const auto& one : what) {
    entries.push_back({one.key.context, one.lease_number, one.record.result_digest, {}});
    by_name.emplace(one.key.context, &one);
  }
  auto answers = p.service->upload(p.caller.current(), entries);
  if (!answers) {
    take_call_error(out, answers.error());
    return out;
  }
  entries.clear();
  for (const auto& answer : *answers) {
    const auto found = by_name.find(answer.context);
    const bool asked_for = answer.status == upload_status::result_missing;
    if (asked_for && found != by_name.end()
        && found->second->record.outcome != settled_as::superseded) {
      entries.push_back(kept_bytes(p, *found->second));
    }
  }
  if (!entries.empty()) {
    if (auto second = p.service->upload(p.caller.current(), entries); !second) {
      take_call_error(out, second.error());
    }
  }
  return out;
}

} // namespace

service_outcomes run_uploads(const plant& p, const std::vector<task>& what) noexcept {
  return guarded(what, [&] { return upload(p, what); });
}

service_outcomes run_queries(const plant& p, const std::vector<task>& what) noexcept {
  return guarded(what, [&] { return query(p, what); });
}

service_outcomes run_renewals(const plant& p, const std::vector<lease_wish>& what) noexcept {
  return guarded({}, [&] {
    service_outcomes out;
    std::vector<lease_claim> claims;
    std::map<std::string, const lease_wish*> open;
    for (const auto& wish : what) {
      claims.push_back({wish.key.context, wish.lease_number});
      open.emplace(wish.key.context, &wish);
    }
    const auto sent = p.time->boot();
    auto answers = p.service->renew_leases(p.caller.current(), p.settings.lease_ms, claims);
    if (!answers) {
      take_call_error(out, answers.error());
      return out;
    }
    for (const auto& answer : *answers) {
      const auto found = open.find(answer.context);
      if (found == open.end()) {
        continue;
      }
      event happened;
      happened.kind = answer.held ? event_kind::lease_renewed : event_kind::lease_lost;
      happened.lease_number = found->second->lease_number;
      happened.lease_until = p.lease_deadline(sent, p.settings.lease_ms);
      out.outcomes.push_back({.key = found->second->key, .event = std::move(happened)});
      open.erase(found);
    }
    return out;
  });
}

service_outcomes run_reacknowledgements(const plant& p,
                                        const std::vector<settled_again>& what) noexcept {
  return guarded({}, [&] { return reacknowledge(p, what); });
}

} // namespace pfx::actors::tasks
