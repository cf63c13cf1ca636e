// Looks up whose certificate an order means, and has it revoked. Refuses what is not certain: a
// wrong revocation cannot be taken back.
#include "actors/tasks/order_calls.hpp"

#include <algorithm>
#include <exception>
#include <iterator>

#include "connect/http/header_text.hpp"

namespace pfx::actors::tasks {

namespace {

using revocation::event;
using revocation::event_kind;

constexpr std::int64_t not_configured_retry_ms = 60'000;

event not_ours(service_code code, std::string text) {
  return {.kind = event_kind::not_ours, .code = code, .text = std::move(text)};
}

event missing(const std::string& authority) {
  return {.kind = event_kind::ca_missing,
          .authority = authority,
          .text = "certificateAuthority: not configured here: " + authority,
          .retry_after_ms = not_configured_retry_ms};
}

/// Whether an order about this certificate would bear that issuer. We report a certificate under
/// the name of its CA; a service may give that name or the issuer's own.
bool issuer_fits(const revocation_order& of, const std::string& authority,
                 const storage::put_issued& one) {
  const bool by_configuration = of.ca_configuration.empty() || of.ca_configuration == authority;
  const bool by_name
    = of.issuer_name.empty() || of.issuer_name == authority || of.issuer_name == one.issuer;
  return by_configuration && by_name;
}

/// Every CA that can have issued it, those that are configured first. The others were renamed or
/// taken out since: what they issued is ours all the same.
result<std::vector<std::string>> authorities_of(const plant& p) {
  std::vector<std::string> out;
  for (const auto& [authority, entry] : p.authorities) {
    out.push_back(authority);
  }
  auto known = p.store->issued_authorities();
  if (!known) {
    return failure(known.error());
  }
  std::copy_if(known->begin(), known->end(), std::back_inserter(out),
               [&p](const std::string& one) { return !p.authorities.contains(one); });
  return out;
}

/// One certificate under two names of its CA: the first one found counts, which is configured.
bool same_certificate(const storage::put_issued& a, const storage::put_issued& b) {
  return !a.issuer.empty() && a.issuer == b.issuer && a.serial_number == b.serial_number;
}

/// A tenant's name or id means the same in capitals; a change of the configuration's letters alone
/// leaves what was issued before ours.
bool same_tenant(const std::string& a, const std::string& b) {
  return connect::http::lower(a) == connect::http::lower(b);
}

/// Every certificate of ours that the order can mean; errors of the store pass through. One of
/// another tenant's request is not this tenant's to revoke.
result<std::vector<storage::put_issued>> candidates(const plant& p, const revocation_order& of,
                                                    const revocation::serial_readings& serial) {
  const auto authorities = authorities_of(p);
  if (!authorities) {
    return failure(authorities.error());
  }
  std::vector<storage::put_issued> out;
  for (const auto& authority : *authorities) {
    for (const auto* reading : {&serial.as_hex, &serial.as_decimal}) {
      if (reading->empty()) {
        continue;
      }
      auto found = p.store->find_issued(authority, *reading);
      if (!found) {
        return failure(found.error());
      }
      const bool fits = *found && same_tenant((*found)->request.tenant, p.settings.tenant)
        && issuer_fits(of, authority, **found);
      const bool again = fits && !p.authorities.contains(authority)
        && std::any_of(out.begin(), out.end(),
                       [&](const auto& one) { return same_certificate(one, **found); });
      if (fits && !again) {
        out.push_back(std::move(**found));
      }
    }
  }
  return out;
}

event event_of(const connect::ca::revoke_answer& answer) {
  using connect::ca::revoke_status;
  event out{.text = printable(answer.reason, 300), .retry_after_ms = answer.retry_after_ms};
  if (answer.crl_number != 0) {
    out.crl_number = std::to_string(answer.crl_number);
  }
  switch (answer.status) {
    case revoke_status::done:
      out.kind = event_kind::ca_done;
      break;
    case revoke_status::already:
      out.kind = event_kind::ca_already;
      break;
    case revoke_status::not_found:
      out.kind = event_kind::ca_not_found;
      break;
    case revoke_status::refused:
      out.kind = event_kind::ca_refused;
      break;
    case revoke_status::unknown:
      out.kind = answer.held_back ? event_kind::ca_unavailable : event_kind::ca_unanswered;
      break;
  }
  return out;
}

} // namespace

std::optional<event> choose_certificate(const plant& p, const revocation_order& of) {
  const auto serial = revocation::read_serial(of.serial_number);
  if (serial.as_hex.empty() && serial.as_decimal.empty()) {
    return not_ours(service_code::parameter_invalid,
                    "serialNumber: not a serial number: " + printable(of.serial_number));
  }
  const auto found = candidates(p, of, serial);
  if (!found) {
    return std::nullopt; // the store says so itself; the order stays
  }
  if (found->empty()) {
    return not_ours(service_code::not_supported,
                    "serialNumber: this connector did not issue " + printable(of.serial_number));
  }
  if (found->size() > 1) {
    return not_ours(service_code::parameter_invalid,
                    "serialNumber: ambiguous: " + printable(of.serial_number) + " can mean "
                      + found->at(0).serial_number + " of " + found->at(0).authority + " or "
                      + found->at(1).serial_number + " of " + found->at(1).authority);
  }
  const auto& one = found->front();
  if (!p.authorities.contains(one.authority)) {
    return missing(one.authority);
  }
  return event{.kind = event_kind::chosen,
               .authority = one.authority,
               .issuer = one.issuer,
               .serial = one.serial_number};
}

event revoke_ordered(const plant& p, const revocation_order& of) noexcept {
  try {
    const auto entry = p.authorities.find(of.authority);
    if (entry == p.authorities.end()) {
      return missing(of.authority);
    }
    return event_of(
      entry->second.calls->revoke({.issuer = of.issuer,
                                   .serial_number = of.serial,
                                   .reason = connect::ca::revocation_reason::cessation_of_operation,
                                   .revoked_at = of.revoked_at}));
  } catch (const std::exception& thrown) {
    return {.kind = event_kind::ca_unanswered, .text = printable(thrown.what())};
  }
}

} // namespace pfx::actors::tasks
