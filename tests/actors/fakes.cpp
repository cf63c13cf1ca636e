// A management service and a CA in memory, with answers that can be lost on order.
#include "tests/actors/harness.hpp"

#include <algorithm>

#include "connect/service/codec.hpp"
#include "crypto/digest.hpp"
#include "crypto/random.hpp"

namespace pfx::test {

using namespace connect::service;
using connect::ca::ca_answer;
using connect::ca::ca_status;

namespace {

call_error refused(errc code) { return {.what = {code, "", "as the test ordered"}}; }

call_error stale_epoch(std::uint64_t highest) {
  auto out = refused(errc::stale_epoch);
  out.highest_epoch = highest;
  return out;
}

} // namespace

// -- service ------

bool fake_service::all_recorded() const {
  for (const auto& [context, one] : requests) {
    if (!one.stands) {
      return false;
    }
  }
  return true;
}

answer<check_in_answer> fake_service::check_in(const caller& who, const check_in_order& order) {
  calls.emplace_back("check_in");
  if (stale || who.epoch < epoch_seen) {
    return tl::unexpected(stale_epoch(std::max(epoch_seen, who.epoch)));
  }
  epoch_seen = who.epoch;
  reconciled.push_back(order.reconciled);
  health.push_back(order.health_json);
  check_in_answer out;
  out.last_known = anchor;
  out.lifecycle = "supported";
  anchor = order.at;
  return out;
}

answer<download_answer> fake_service::download(const caller&, const download_order& order) {
  calls.emplace_back("download");
  if (stale) {
    return tl::unexpected(stale_epoch(99));
  }
  download_answer out;
  out.offers = std::exchange(raw_offers, {});
  for (auto& [context, one] : requests) {
    const bool open = !one.stands && one.lease_until <= time_.now;
    if (std::find(order.kinds.begin(), order.kinds.end(), one.request.kind) == order.kinds.end()) {
      continue;
    }
    const bool again = hand_out_again.erase(context) != 0;
    if ((!again && !open) || out.offers.size() >= order.requests_max) {
      continue;
    }
    one.lease_until = time_.now + order.lease_ms;
    connect::service::offer entry;
    entry.context = context;
    entry.lease_number = ++one.lease_number;
    entry.lease_ms = order.lease_ms;
    entry.fingerprint = crypto::sha256(encode(one.request));
    entry.request = one.request;
    out.offers.push_back(std::move(entry));
  }
  return out;
}

answer<bool> fake_service::import_keys(const caller&, const std::vector<import_key>& keys) {
  calls.emplace_back("import_keys");
  for (const auto& key : keys) {
    if (foreign_keys.contains(key.key_name)) {
      return tl::unexpected(refused(errc::conflict));
    }
  }
  announced.push_back(keys);
  return true;
}

answer<std::vector<lease_answer>> fake_service::renew_leases(
  const caller&, std::int64_t lease_ms, const std::vector<lease_claim>& claims) {
  calls.emplace_back("renew");
  std::vector<lease_answer> out;
  for (const auto& claim : claims) {
    auto& one = requests[claim.context];
    const bool held
      = !one.stands && claim.lease_number == one.lease_number && one.lease_until > time_.now;
    if (held) {
      one.lease_until = time_.now + lease_ms;
    }
    out.push_back({claim.context, held});
  }
  return out;
}

upload_answer fake_service::take(const upload_entry& entry) {
  upload_answer out;
  out.context = entry.context;
  const auto found = requests.find(entry.context);
  if (found == requests.end()) {
    out.status = upload_status::unknown_request;
    return out;
  }
  auto& one = found->second;
  if (one.stands) {
    out.status = upload_status::already_recorded;
    out.stands = *one.stands;
    reacknowledged += entry.result_document.empty() ? 1 : 0;
    return out;
  }
  if (entry.result_document.empty()) {
    out.status = upload_status::result_missing;
    return out;
  }
  one.digests_seen.push_back(entry.result_digest);
  if (entry.lease_number != one.lease_number) {
    out.status = upload_status::lease_lost;
    return out;
  }
  auto document = decode_result_document(entry.result_document);
  if (!document || (reject > 0 && document->succeeded)) {
    reject -= reject > 0 ? 1 : 0;
    out.status = upload_status::rejected;
    out.message = "the test says no";
    return out;
  }
  one.document = entry.result_document;
  one.stands = recorded{entry.result_digest, document->succeeded,
                        document->certificate ? document->certificate->thumbprint : digest{}, "me"};
  out.status = upload_status::accepted;
  out.stands = *one.stands;
  return out;
}

answer<std::vector<upload_answer>> fake_service::upload(const caller&,
                                                        const std::vector<upload_entry>& entries) {
  calls.emplace_back("upload");
  if (stale) {
    return tl::unexpected(stale_epoch(99));
  }
  std::vector<upload_answer> out;
  for (const auto& entry : entries) {
    if (on_upload) {
      on_upload(entry);
    }
    out.push_back(take(entry));
  }
  if (lose_upload_answers > 0) {
    --lose_upload_answers;
    return tl::unexpected(refused(errc::unknown_outcome));
  }
  return out;
}

answer<std::vector<query_answer>> fake_service::query(const caller&,
                                                      const std::vector<std::string>& contexts) {
  calls.emplace_back("query");
  std::vector<query_answer> out;
  for (const auto& context : contexts) {
    query_answer one;
    one.context = context;
    const auto found = requests.find(context);
    if (found != requests.end()) {
      const auto& kept_one = found->second;
      one.lease_number = kept_one.lease_number;
      one.state = kept_one.stands          ? query_state::recorded
        : kept_one.lease_until > time_.now ? query_state::leased
                                           : query_state::open;
      one.stands = kept_one.stands.value_or(recorded{});
    }
    out.push_back(std::move(one));
  }
  return out;
}

answer<query_page> fake_service::query_handed_to_me(const caller& who, const std::string& after) {
  calls.emplace_back("handed_to_me");
  if (stale) {
    return tl::unexpected(stale_epoch(99));
  }
  if (fail_pages > 0) {
    --fail_pages;
    return tl::unexpected(refused(errc::unavailable));
  }
  std::vector<std::string> contexts;
  query_page out;
  for (auto at = requests.upper_bound(after); at != requests.end(); ++at) {
    if (at->second.lease_number == 0) {
      continue;
    }
    if (contexts.size() == page_size) {
      out.more = true;
      break;
    }
    contexts.push_back(at->first);
  }
  out.answers = query(who, contexts).value();
  for (auto& one : out.answers) {
    one.authority = requests.at(one.context).request.create.authority;
  }
  return out;
}

answer<bytes> fake_service::renew_certificate(const caller&, byte_view) {
  return tl::unexpected(refused(errc::not_supported));
}

// -- CA ------

ca_answer fake_authority::issue(const connect::ca::submission& what) {
  ca_answer out;
  auto csr = crypto::parse_csr(what.certificate_request);
  if (!csr) {
    out.status = ca_status::refused;
    out.reason = to_string(csr.error());
    return out;
  }
  auto signed_one = crypto::sign_certificate(identity_,
                                             {.subject = csr->subject,
                                              .public_key = csr->public_key,
                                              .extensions = csr->extensions,
                                              .serial = crypto::random_serial(),
                                              .not_before = time_.wall() - 60'000,
                                              .not_after = time_.wall() + 30LL * 24 * 3600 * 1000});
  if (!signed_one) {
    out.status = ca_status::refused;
    out.reason = to_string(signed_one.error());
    return out;
  }
  slots[what.transaction_id] = {what.certificate_request, signed_one->der(), signed_one->serial()};
  out.status = ca_status::issued;
  out.certificate = signed_one->der();
  return out;
}

ca_answer fake_authority::submit(const connect::ca::submission& what) {
  ++submits;
  if (on_submit) {
    on_submit(what);
  }
  ca_answer out;
  if (!refuse.empty()) {
    out.status = ca_status::refused;
    out.reason = refuse;
    return out;
  }
  const auto known = slots.find(what.transaction_id);
  if (known != slots.end()) {
    const bool same = known->second.csr == what.certificate_request;
    out.status = same ? ca_status::issued : ca_status::conflict;
    out.certificate = same ? known->second.certificate : bytes{};
  } else if (pending_answers > 0) {
    --pending_answers;
    out.status = ca_status::pending;
    out.pending_id = "p-1";
    slots[what.transaction_id] = {what.certificate_request, {}, ""};
  } else {
    out = issue(what);
  }
  if (lose_submit_answers > 0) {
    --lose_submit_answers;
    return {}; // unknown
  }
  return out;
}

ca_answer fake_authority::find(const digest& transaction_id) {
  ++finds;
  ca_answer out;
  const auto known = slots.find(transaction_id);
  if (known == slots.end()) {
    out.status = ca_status::never_seen;
  } else if (!known->second.certificate.empty()) {
    out.status = ca_status::issued;
    out.certificate = known->second.certificate;
  } else if (pending_answers > 0) {
    --pending_answers;
    out.status = ca_status::pending;
    out.pending_id = "p-1";
  } else {
    out = issue({.transaction_id = transaction_id, .certificate_request = known->second.csr});
  }
  if (on_find) {
    on_find(out);
  }
  return out;
}

connect::ca::revoke_answer fake_authority::revoke(const connect::ca::revoke_order& what) {
  ++revocations;
  if (on_revoke) {
    if (auto said = on_revoke(what)) {
      return *said;
    }
  }
  for (auto& [id, one] : slots) {
    if (one.serial == what.serial_number) {
      const bool before = std::exchange(one.revoked, true);
      return {before ? connect::ca::revoke_status::already : connect::ca::revoke_status::done, "",
              0};
    }
  }
  return {connect::ca::revoke_status::not_found, "", 0};
}

} // namespace pfx::test
