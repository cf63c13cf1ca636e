// The errors of a CA, one by one. A lock around everything: it is a test bed.
#include "sandbox/hostile_authority.hpp"

#include <algorithm>

#include "connect/ca/issuable.hpp"
#include "crypto/digest.hpp"

namespace pfx::sandbox {

using connect::ca::ca_answer;
using connect::ca::ca_status;
using connect::ca::issuance_event;
using connect::ca::revoke_answer;
using connect::ca::revoke_status;
using connect::ca::submission;

namespace {

constexpr const char* submit_call = "CertificateAuthority/submit";
constexpr const char* find_call = "CertificateAuthority/find";
constexpr unix_ms day_ms = 86'400'000;
constexpr std::int64_t pending_retry_ms = 250;

ca_answer plain(ca_status status) {
  ca_answer out;
  out.status = status;
  return out;
}

ca_answer unknown(const error& what) {
  auto out = plain(ca_status::unknown);
  out.reason = to_string(what);
  return out;
}

} // namespace

line line_of(const issuance_event& event) {
  using what = issuance_event::what;
  line out(event.kind == what::issued      ? "issued"
             : event.kind == what::revoked ? "revoked"
             : event.kind == what::refused ? "refused"
                                           : "pending");
  out.text("txid", to_hex(event.transaction_id))
    .text("serial", event.serial_number)
    .text("thumbprint", event.thumbprint.present() ? to_hex(event.thumbprint) : "")
    .text("public_key", to_hex(event.public_key_hash))
    .text("template", event.template_name)
    .text("subject", event.subject)
    .text("reason", event.reason);
  return out;
}

bool hostile_authority::journaled(const drawn_fault& fault, const digest& id,
                                  const std::string& thumbprint) {
  line one("fault_injected");
  one.text("fault", name_of(fault.rule->kind))
    .text("call", fault.call)
    .number("number", static_cast<std::int64_t>(fault.number))
    .text("txid", to_hex(id))
    .text("thumbprint", thumbprint);
  options_.log.append(one);
  return options_.log.sync().has_value();
}

std::optional<ca_answer> hostile_authority::known(const digest& id, const bytes* request) {
  const auto at = stories_.find(id);
  if (at == stories_.end()) {
    return std::nullopt;
  }
  if (request != nullptr && *request != at->second.asked.certificate_request) {
    return plain(ca_status::conflict);
  }
  return again(at);
}

ca_answer hostile_authority::again(std::map<digest, story>::iterator at) {
  auto& it = at->second;
  if (it.said.status != ca_status::pending) {
    return it.said;
  }
  if (!options_.faults.over() && (!it.counted || it.answers_left > 0)) {
    it.answers_left -= it.counted ? 1 : 0;
    return it.said;
  }
  const auto asked = it.asked;
  stories_.erase(at);
  return remember_last(asked.transaction_id, options_.inner.submit(asked));
}

ca_answer hostile_authority::remember_last(const digest& id, ca_answer out) {
  if (out.status == ca_status::issued) {
    last_id_ = id;
    last_ = out;
  }
  return out;
}

ca_answer hostile_authority::submit(const submission& what) {
  const auto fault = options_.faults.draw(fault_layer::authority, submit_call);
  const std::scoped_lock lock(mutex_);
  if (auto before = known(what.transaction_id, &what.certificate_request)) {
    return *before;
  }
  if (fault) {
    if (auto erred = err(fault, what)) {
      return *erred;
    }
  }
  return spoil(fault, what.transaction_id, options_.inner.submit(what));
}

ca_answer hostile_authority::find(const digest& id) {
  const auto fault = options_.faults.draw(fault_layer::authority, find_call);
  const std::scoped_lock lock(mutex_);
  if (auto before = known(id, nullptr)) {
    return *before;
  }
  return spoil(fault, id, options_.inner.find(id));
}

/// Another certificate or chain than the one that was issued; the books have the right one.
ca_answer hostile_authority::spoil(const drawn_fault& fault, const digest& id, ca_answer out) {
  const auto other = last_;
  const bool has_other = other.status == ca_status::issued && last_id_ != id;
  const bool issued = out.status == ca_status::issued;
  if (issued) {
    remember_last(id, out);
  }
  if (fault.is(fault_kind::other_request) && issued && has_other && journaled(fault, id)) {
    // In turn: an answer that was mixed up on its way, and one of a CA whose index is wrong.
    out = other;
    out.issued_under = fault.number % 2 == 0 ? id : other.issued_under;
    return out;
  }
  if (fault.is(fault_kind::expired_chain) && issued) {
    if (journaled(fault, id)) {
      out.chain = {options_.expired_issuer};
    }
  }
  return out;
}

std::optional<ca_answer> hostile_authority::err(const drawn_fault& fault, const submission& what) {
  switch (fault.rule->kind) {
    case fault_kind::conflict:
      return journaled(fault, what.transaction_id) ? std::optional(plain(ca_status::conflict))
                                                   : std::nullopt;
    case fault_kind::wrong_key:
    case fault_kind::expired:
      return issue_badly(fault, what);
    case fault_kind::refuse:
    case fault_kind::pending:
      break;
    default:
      return std::nullopt;
  }
  // The first answer under a transaction id is kept; what the CA knows already it may not forget.
  if (options_.inner.find(what.transaction_id).status != ca_status::never_seen
      || !journaled(fault, what.transaction_id)) {
    return std::nullopt;
  }
  story it{what, {}, fault.rule->answers, fault.rule->answers > 0};
  if (fault.is(fault_kind::refuse)) {
    it.said = plain(ca_status::refused);
    it.said.reason = "refused on purpose";
  } else {
    it.said = plain(ca_status::pending);
    it.said.pending_id = to_hex(what.transaction_id).substr(0, 16);
    it.said.retry_after_ms = pending_retry_ms;
    if (const auto request = crypto::parse_csr(what.certificate_request)) {
      it.said.pending_public_key_hash = request->public_key_hash;
    }
  }
  return stories_.emplace(what.transaction_id, std::move(it)).first->second.said;
}

std::optional<ca_answer> hostile_authority::issue_badly(const drawn_fault& fault,
                                                        const submission& what) {
  if (options_.inner.find(what.transaction_id).status != ca_status::never_seen) {
    return std::nullopt;
  }
  const auto request = crypto::parse_csr(what.certificate_request);
  const auto extensions = request
    ? connect::ca::issuable_extensions(*request, what.security_identifier)
    : result<bytes>(failure(request.error()));
  const auto other_key = crypto::private_key::generate(key_algorithm::ec_p256);
  if (!extensions || !other_key) {
    return std::nullopt; // the honest CA says why
  }
  const auto now = system_clock().wall() / 1000 * 1000;
  const bool expired = fault.is(fault_kind::expired);
  crypto::sign_options sign;
  sign.subject = request->subject;
  sign.public_key = expired ? request->public_key : *other_key->public_key();
  sign.extensions = *extensions;
  sign.serial = crypto::random_serial();
  // The CA itself is a day old at its youngest.
  sign.not_before
    = std::max(expired ? now - 2 * day_ms : now - 60'000, options_.identity.cert.not_before());
  sign.not_after
    = expired ? sign.not_before + day_ms / 24 : crypto::add_validity(now, what.validity);
  const auto made = crypto::sign_certificate(options_.identity, sign);
  if (!made) {
    return std::nullopt;
  }
  issuance_event event;
  event.transaction_id = what.transaction_id;
  event.serial_number = made->serial();
  event.thumbprint = made->thumbprint();
  event.public_key_hash = made->public_key_hash();
  event.template_name = what.certificate_template;
  event.subject = made->subject();
  if (!journaled(fault, what.transaction_id, to_hex(event.thumbprint))) {
    return std::nullopt;
  }
  if (const auto written = options_.note(event); !written) {
    return unknown(written.error());
  }
  own_serials_[made->serial()] = false;
  transactions_[made->serial()] = what.transaction_id;
  story it{what, plain(ca_status::issued), 0, false};
  it.said.certificate = made->der();
  it.said.chain = {options_.identity.cert.der()};
  it.said.issued_under = what.transaction_id;
  return stories_.emplace(what.transaction_id, std::move(it)).first->second.said;
}

revoke_answer hostile_authority::revoke(const connect::ca::revoke_order& what) {
  const std::scoped_lock lock(mutex_);
  const auto own = own_serials_.find(what.serial_number);
  if (own == own_serials_.end() || what.issuer != options_.identity.cert.subject()) {
    return options_.inner.revoke(what);
  }
  if (own->second) {
    return {revoke_status::already, {}, 0};
  }
  issuance_event event;
  event.kind = issuance_event::what::revoked;
  event.transaction_id = transactions_[what.serial_number];
  event.serial_number = what.serial_number;
  event.reason = std::to_string(static_cast<int>(what.reason));
  if (const auto written = options_.note(event); !written) {
    return {revoke_status::unknown, to_string(written.error()), 0};
  }
  own->second = true;
  return {revoke_status::done, {}, 0};
}

ca_answer hostile_authority::close(const digest& id) {
  const std::scoped_lock lock(mutex_);
  if (auto before = known(id, nullptr)) {
    return *before;
  }
  return options_.inner.close(id);
}

} // namespace pfx::sandbox
