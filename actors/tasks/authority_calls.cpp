// Calls to a CA: what is asked, and what an answer means for the record. Decides nothing more.
#include "actors/tasks/authority_calls.hpp"

#include <algorithm>
#include <exception>

#include "actors/tasks/closing_walk.hpp"
#include "actors/tasks/vault.hpp"
#include "core/fault_point.hpp"
#include "core/limits.hpp"
#include "crypto/digest.hpp"

namespace pfx::actors::tasks {

namespace {

using connect::ca::authority;
using connect::ca::ca_answer;
using connect::ca::ca_status;
using lifecycle::action;
using lifecycle::event;
using lifecycle::event_kind;

constexpr std::int64_t revoke_retry_ms = 5'000;
constexpr std::size_t serial_characters_max = 40; ///< 20 octets

event plain(event_kind kind, const record& of, std::string text = {}) {
  event out;
  out.kind = kind;
  out.generation = of.generation;
  out.text = printable(text, 300);
  return out;
}

event ca_refused(const record& of, service_code code, std::string text) {
  auto out = plain(event_kind::ca_refused, of, std::move(text));
  out.code = code;
  return out;
}

/// The certificate is taken only if it holds our key and chains to a configured root.
event judge_issued(const plant& p, const record& of, const intent& plan, const ca_answer& answer) {
  auto leaf = crypto::certificate::from_der(answer.certificate);
  if (!leaf) {
    return plain(event_kind::ca_unavailable, of, "the CA's certificate: " + leaf.error().message);
  }
  if (leaf->public_key_hash() != plan.public_key_hash) {
    return plain(event_kind::ca_foreign, of);
  }
  std::vector<crypto::certificate> links;
  for (const auto& der : answer.chain) {
    if (auto link = crypto::certificate::from_der(der);
        link && links.size() < limits::chain_certificates_max) {
      links.push_back(std::move(*link));
    }
  }
  // A serial number that no list and no order could name (RFC 5280 4.1.2.2).
  if (leaf->serial().size() > serial_characters_max || leaf->serial().starts_with('-')) {
    return ca_refused(of, service_code::cryptography,
                      "certificateAuthority: its certificate has a serial number of more than 20 "
                      "octets or below zero");
  }
  const auto& roots = p.authorities.at(of.authority).chain_roots;
  if (auto chained = crypto::verify_chain(*leaf, links, roots, p.time->wall()); !chained) {
    return ca_refused(of, service_code::cryptography,
                      "certificateAuthority: its certificate does not chain to a configured root: "
                        + chained.error().message);
  }
  auto sealed = seal_blob(p, of.key, blob_kind::certificate,
                          encode(issued_certificate{answer.certificate, answer.chain}));
  if (!sealed) {
    return plain(event_kind::ca_unavailable, of, to_string(sealed.error()));
  }
  auto out = plain(event_kind::ca_issued, of);
  out.thumbprint = leaf->thumbprint();
  out.serial_number = leaf->serial();
  out.issuer = leaf->issuer();
  out.blobs.emplace_back(blob_kind::certificate, std::move(*sealed));
  return out;
}

event judge(const plant& p, const record& of, const intent& plan, const ca_answer& answer,
            bool submitted) {
  switch (answer.status) {
    case ca_status::issued:
      return judge_issued(p, of, plan, answer);
    case ca_status::pending: {
      const auto& theirs = answer.pending_public_key_hash;
      const bool foreign = theirs.present() && theirs != plan.public_key_hash;
      auto out = plain(foreign ? event_kind::ca_pending_foreign : event_kind::ca_pending, of);
      out.pending_id = answer.pending_id;
      out.retry_after_ms = answer.retry_after_ms;
      return out;
    }
    case ca_status::refused:
      return ca_refused(of, service_code::non_retryable,
                        "certificateAuthority: refused: " + printable(answer.reason));
    case ca_status::conflict:
      return plain(event_kind::ca_conflict, of);
    case ca_status::never_seen:
      return plain(event_kind::ca_never_seen, of);
    case ca_status::closed:
      return plain(event_kind::ca_closed, of);
    case ca_status::unsupported: // cannot be asked: the same CSR again, a twin at the worst
      return plain(event_kind::ca_never_seen, of);
    case ca_status::unknown:
      break;
  }
  const bool may_have_arrived = submitted && answer.maybe_arrived;
  auto out = plain(may_have_arrived ? event_kind::submit_unanswered : event_kind::ca_unavailable,
                   of, answer.reason);
  out.retry_after_ms = answer.retry_after_ms;
  return out;
}

event submit(const plant& p, authority& ca, const record& of) {
  auto plan = load_intent(p, of.key);
  if (!plan) {
    return plain(event_kind::ca_unavailable, of, to_string(plan.error()));
  }
  // Checked last, on the clock that a paused machine cannot stop.
  if (of.live.lease_until <= p.time->boot()) {
    return plain(event_kind::ca_unavailable, of, "the lease ran out before the submit");
  }
  const auto id = transaction_id(of, of.generation);
  const auto answer = about(id,
                            ca.submit({.transaction_id = id,
                                       .certificate_request = plan->certificate_request,
                                       .certificate_template = plan->certificate_template,
                                       .validity = plan->validity,
                                       .security_identifier = plan->security_identifier}));
  return judge(p, of, *plan, answer, true);
}

event find(const plant& p, authority& ca, const record& of) {
  auto plan = load_intent(p, of.key);
  if (!plan) {
    return plain(event_kind::ca_unavailable, of, to_string(plan.error()));
  }
  const auto id = transaction_id(of, of.generation);
  return judge(p, of, *plan, about(id, ca.find(id)), false);
}

event call(const plant& p, const task& what) {
  const auto& of = *what.of;
  const auto entry = p.authorities.find(of.authority);
  if (entry == p.authorities.end()) {
    auto out = plain(what.what == action::walk ? event_kind::walked : event_kind::ca_unavailable,
                     of, "certificateAuthority: not configured here: " + of.authority);
    // A request that was refused because of its CA has left nothing there.
    out.walk_ended = !of.has_intent;
    return what.what == action::walk && of.has_intent
      ? plain(event_kind::ca_unavailable, of, out.text)
      : out;
  }
  auto& ca = *entry->second.calls;
  switch (what.what) {
    case action::submit:
      return submit(p, ca, of);
    case action::find:
      return find(p, ca, of);
    default:
      return walk(p, ca, of);
  }
}

} // namespace

digest transaction_id(const record& of, std::uint8_t generation) {
  return crypto::sha256(
    transaction_id_preimage(of.key.tenant, of.key.context, of.authority, generation));
}

outcome run_authority_task(const plant& p, const task& what) noexcept {
  outcome out{.key = what.of->key, .ticket = what.ticket, .what = what.what};
  const auto started = p.time->boot();
  try {
    out.event = call(p, what);
  } catch (const std::exception& thrown) {
    out.event = lost_answer(what.what, std::string("exception: ") + printable(thrown.what()));
  }
  out.event.duration_ms = p.time->boot() - started;
  return out;
}

void submit_before_intent(const plant& p, const record& of, const event& worked) noexcept {
  const auto entry = p.authorities.find(of.authority);
  if (worked.kind != event_kind::worked || entry == p.authorities.end()) {
    return;
  }
  const auto place = storage::store::blob_key(of.key, blob_kind::intent);
  auto plain_intent = p.sealer->open({static_cast<std::uint8_t>(blob_kind::intent), place},
                                     worked.blobs.front().second);
  auto plan = plain_intent ? decode_intent(plain_intent->view())
                           : result<intent>(failure(plain_intent.error()));
  if (plan) {
    (void)entry->second.calls->submit({.transaction_id = transaction_id(of, 0),
                                       .certificate_request = plan->certificate_request,
                                       .certificate_template = plan->certificate_template,
                                       .validity = plan->validity,
                                       .security_identifier = plan->security_identifier});
  }
}

std::int64_t revoke_surplus(const plant& p, surplus_certificate& what) noexcept {
  using connect::ca::revoke_status;
  try {
    ++what.attempts;
    const auto entry = p.authorities.find(what.authority);
    if (entry == p.authorities.end()) {
      what.last_answer = "its CA is not configured here";
      return revoke_retry_ms;
    }
    const auto answer
      = entry->second.calls->revoke({.issuer = what.issuer,
                                     .serial_number = what.serial_number,
                                     .reason = connect::ca::revocation_reason::superseded,
                                     .revoked_at = what.found_at}); // durable: frozen
    if (answer.held_back) {
      --what.attempts; // nobody was asked
      return std::max<std::int64_t>(1, answer.retry_after_ms);
    }
    what.last_answer = std::string(name_of(answer.status))
      + (answer.reason.empty() ? "" : ": " + printable(answer.reason));
    what.done = answer.status == revoke_status::done || answer.status == revoke_status::already;
    if (what.done) {
      return 0;
    }
    const auto jittered = lifecycle::backoff_ms(p.rules, what.attempts, p.random());
    const auto asked = std::min(answer.retry_after_ms, limits::asked_wait_ms_max);
    return std::max<std::int64_t>({1, asked, jittered});
  } catch (const std::exception& thrown) {
    what.last_answer = printable(thrown.what());
    return revoke_retry_ms;
  }
}

} // namespace pfx::actors::tasks
