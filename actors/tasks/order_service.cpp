// Downloads and reports of revocation orders over the tenant's revocation queue. Takes nothing but
// a plain yes for recorded.
#include "actors/tasks/order_service.hpp"

#include <exception>

#include "connect/intune/revocation.hpp"
#include "core/codec.hpp"
#include "crypto/digest.hpp"
#include "crypto/random.hpp"

namespace pfx::actors::tasks {

namespace {

using connect::intune::revocation_request;
using connect::intune::revocation_result;
using revocation::event;
using revocation::event_kind;

constexpr std::size_t transaction_octets = 16;
static_assert(revocation::text_bytes_max <= connect::intune::result_message_bytes_max);

revocation::offer offer_of(const plant& p, const revocation_request& from,
                           const std::string& transaction_id) {
  revocation::offer out;
  out.key = {p.order_tenant(), flow::revocation, from.request_context};
  out.serial_number = from.serial_number;
  out.issuer_name = from.issuer_name.value_or("");
  out.ca_configuration = from.ca_configuration.value_or("");
  out.fingerprint = crypto::sha256(
    writer().text(out.serial_number).text(out.issuer_name).text(out.ca_configuration).take());
  out.transaction_id = transaction_id;
  return out;
}

result<std::map<request_key, revocation_order>> known_of(
  const plant& p, const std::vector<revocation::offer>& offers) {
  std::vector<request_key> keys;
  keys.reserve(offers.size());
  for (const auto& one : offers) {
    keys.push_back(one.key);
  }
  auto found = p.store->find_orders(keys);
  if (!found) {
    return failure(found.error());
  }
  std::map<request_key, revocation_order> out;
  for (auto& one : *found) {
    if (one && is_final(one->state)) {
      auto key = one->key;
      out.emplace(std::move(key), std::move(*one));
    }
  }
  return out;
}

/// What was wrong, and under which id the other side knows the call.
std::string words_of(const connect::intune::call_error& fault) {
  auto out = to_string(fault.what);
  if (fault.status != 0) {
    out += " (HTTP " + std::to_string(fault.status) + ")";
  }
  return fault.request_id.empty() ? out : out + " client-request-id=" + fault.request_id;
}

order_download download(const plant& p, std::size_t orders_max) {
  order_download out;
  const auto transaction_id = to_hex(crypto::random_bytes(transaction_octets));
  auto answer = p.revocations->download(transaction_id, static_cast<int>(orders_max), std::nullopt);
  if (!answer) {
    out.failed = true;
    out.retry_after_ms = answer.error().retry_after_ms;
    out.why = words_of(answer.error());
    out.code = answer.error().what.code;
    return out;
  }
  out.nameless = answer->unreadable;
  auto unreadable = answer->unreadable;
  for (const auto& one : answer->requests) {
    auto offer = offer_of(p, one, transaction_id);
    out.contexts.push_back(crypto::sha256(as_bytes(one.request_context)));
    if (storage::store::would_take(offer.key)) {
      out.offers.push_back(std::move(offer));
    } else {
      ++unreadable;
    }
  }
  if (unreadable > 0) {
    out.why = std::to_string(unreadable) + " orders without a usable context or serial number";
  }
  out.full = answer->requests.size() + answer->unreadable >= orders_max;
  auto known = known_of(p, out.offers);
  if (!known) { // not acknowledged: they come again
    out.failed = true;
    out.why = to_string(known.error());
    return out;
  }
  out.known = std::move(*known);
  return out;
}

revocation_result result_of(const revocation_order& of) {
  return {of.key.context, of.code == service_code::none, of.code, revocation::fitting(of.text)};
}

} // namespace

order_download download_orders(const plant& p, std::size_t orders_max) noexcept {
  try {
    return download(p, orders_max);
  } catch (const std::exception& thrown) {
    order_download out;
    out.failed = true;
    out.why = std::string("exception: ") + printable(thrown.what());
    return out;
  }
}

order_answers report_orders(const plant& p, const std::vector<revocation_order>& orders) noexcept {
  order_answers out;
  event said{.kind = event_kind::report_unanswered};
  bool odd = false;
  try {
    std::vector<revocation_result> results;
    for (const auto& one : orders) {
      results.push_back(result_of(one));
    }
    const auto answer = p.revocations->upload(orders.front().transaction_id, results);
    if (answer) {
      said.kind = event_kind::report_recorded;
    } else {
      said.text = words_of(answer.error());
      said.retry_after_ms = answer.error().retry_after_ms;
      odd = answer.error().what.code == errc::bad_input
        || answer.error().what.code == errc::conflict
        || answer.error().what.code == errc::too_large;
    }
  } catch (const std::exception& thrown) {
    said.text = std::string("exception: ") + printable(thrown.what());
  }
  for (const auto& one : orders) {
    out.events.emplace_back(one.key, said);
    if (odd && orders.size() > 1) {
      out.alone_from_now_on.push_back(one.key);
    }
  }
  return out;
}

} // namespace pfx::actors::tasks
