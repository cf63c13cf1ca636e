// The embedded CA. Order of every issuance: decide, store (synced), journal (synced by the callee),
// answer. A crash between any two of them is repaired when the same transaction id is asked again.
#include "connect/ca/embedded_authority.hpp"

#include <algorithm>
#include <array>
#include <mutex>

#include "connect/ca/der.hpp"
#include "connect/ca/issuable.hpp"
#include "connect/ca/status_desk.hpp"
#include "core/codec.hpp"
#include "crypto/digest.hpp"
#include "storage/ca_index.hpp"

namespace pfx::connect::ca {

namespace {

constexpr std::size_t stripes = 64;            // locks; one transaction id always has the same
constexpr std::int64_t backdate_ms = 60'000;   // for clocks of devices that are a little behind
constexpr std::uint8_t remove_from_crl = 8;    // a CRLReason that takes a revocation back
constexpr std::int64_t pending_retry_ms = 250; // when a waiting client should ask again

using storage::ca_entry;
using storage::ca_state;

ca_answer unknown(const error& what) {
  ca_answer out;
  out.status = ca_status::unknown;
  out.reason = to_string(what);
  return out;
}

bytes encode(const submission& what) {
  writer out;
  out.blob(what.certificate_request).text(what.certificate_template);
  out.u32(what.validity.value).u8(static_cast<std::uint8_t>(what.validity.unit));
  out.text(what.security_identifier);
  return out.take();
}

result<submission> decode_submission(const digest& id, byte_view octets) {
  reader in(octets);
  submission out;
  out.transaction_id = id;
  out.certificate_request = in.blob();
  out.certificate_template = in.text();
  out.validity.value = in.u32();
  out.validity.unit = static_cast<validity_unit>(in.u8());
  out.security_identifier = in.text();
  if (!in.finished()) {
    return failure(errc::corrupt, "", "a pending submission of the CA's index does not decode");
  }
  return out;
}

class embedded_authority final : public embedded_ca {
public:
  /// `location_extensions` go into every certificate, one after the other.
  embedded_authority(embedded_options options, std::unique_ptr<storage::ca_index> index,
                     bytes location_extensions)
      : options_(std::move(options)), index_(std::move(index)),
        clock_(options_.time != nullptr ? *options_.time : system_clock()),
        location_extensions_(std::move(location_extensions)),
        desk_(options_.identity, *index_, clock_, options_.lives) {
    if (options_.identity.cert.subject() != options_.identity.cert.issuer()) {
      chain_.push_back(options_.identity.cert.der());
    }
  }

  ca_answer submit(const submission& what) override {
    const std::scoped_lock lock(stripe(what.transaction_id));
    auto known = index_->find(what.transaction_id);
    if (!known) {
      return unknown(known.error());
    }
    if (!*known) {
      return first_submit(what);
    }
    ca_entry& entry = **known;
    if (entry.state == ca_state::closed) {
      return plain(ca_status::closed);
    }
    if (entry.csr_hash != crypto::sha256(what.certificate_request)) {
      return plain(ca_status::conflict);
    }
    return again(what.transaction_id, entry);
  }

  ca_answer find(const digest& id) override {
    const std::scoped_lock lock(stripe(id));
    auto known = index_->find(id);
    if (!known) {
      return unknown(known.error());
    }
    if (!*known || (*known)->state == ca_state::closed) {
      return plain(ca_status::never_seen);
    }
    return again(id, **known);
  }

  ca_answer close(const digest& id) override {
    const std::scoped_lock lock(stripe(id));
    auto known = index_->find(id);
    if (!known) {
      return unknown(known.error());
    }
    if (*known && ((*known)->state == ca_state::issued || (*known)->state == ca_state::pending)) {
      return again(id, **known);
    }
    if (!*known) { // a refused one stays as it is: no certificate can come of it either
      ca_entry entry;
      entry.state = ca_state::closed;
      if (auto stored = index_->put(id, entry); !stored) {
        return unknown(stored.error());
      }
    }
    return plain(ca_status::closed);
  }

  revoke_answer revoke(const revoke_order& what) override {
    if (what.issuer != options_.identity.cert.subject()) {
      return {revoke_status::not_found, "not the issuer of this CA", 0};
    }
    if (static_cast<std::uint8_t>(what.reason) == remove_from_crl) {
      return {revoke_status::refused, "what is revoked stays revoked", 0};
    }
    const std::scoped_lock lock(revocations_);
    const auto owner = index_->issued(what.serial_number);
    const auto earlier = index_->revocation(what.serial_number);
    if (!owner || !earlier) {
      return {revoke_status::unknown, to_string(owner ? earlier.error() : owner.error()), 0};
    }
    if (!*owner) {
      return {revoke_status::not_found, "no certificate of this serial", 0};
    }
    if (*earlier && (*earlier)->journaled) {
      return {revoke_status::already, {}, 0, (*earlier)->crl_number};
    }
    return revoke_now(what, **owner, *earlier);
  }

  result<std::shared_ptr<const signed_list>> current_crl() override { return desk_.current_crl(); }
  status_reply answer_ocsp(byte_view request) override { return desk_.answer(request); }
  const bytes& certificate() const override { return options_.identity.cert.der(); }
  result<void> upkeep() override { return desk_.upkeep(); }

private:
  static ca_answer plain(ca_status status) {
    ca_answer out;
    out.status = status;
    return out;
  }

  std::mutex& stripe(const digest& id) { return locks_[id.octets[0] % stripes]; }

  ca_answer first_submit(const submission& what) {
    ca_entry entry;
    entry.csr_hash = crypto::sha256(what.certificate_request);
    entry.certificate_template = what.certificate_template;
    const auto request = crypto::parse_csr(what.certificate_request);
    if (!request) {
      return store(what.transaction_id, refuse(std::move(entry), request.error()));
    }
    entry.public_key_hash = request->public_key_hash;
    auto allowed = check(what, *request);
    if (!allowed) {
      return store(what.transaction_id, refuse(std::move(entry), allowed.error()));
    }
    const auto draw = what.transaction_id.octets.front() / 256.0;
    if (options_.pending_answers > 0 && draw < options_.pending_share) {
      entry.state = ca_state::pending;
      entry.pending_answers = 1;
      entry.order = encode(what);
      return store(what.transaction_id, std::move(entry));
    }
    return issue(what, *request, *allowed, std::move(entry));
  }

  /// What a known transaction id answers: the same as before, or one step further if it waits.
  ca_answer again(const digest& id, ca_entry& entry) {
    if (entry.state != ca_state::pending) {
      return answer(id, entry);
    }
    if (entry.pending_answers < options_.pending_answers) {
      ++entry.pending_answers;
      return store(id, std::move(entry));
    }
    const auto what = decode_submission(id, entry.order);
    const auto request = what ? crypto::parse_csr(what->certificate_request)
                              : result<crypto::csr>(failure(what.error()));
    if (!request) {
      return unknown(request.error());
    }
    const auto allowed = issuable_extensions(*request, what->security_identifier);
    if (!allowed) {
      return store(id, refuse(std::move(entry), allowed.error()));
    }
    return issue(*what, *request, *allowed, std::move(entry));
  }

  result<bytes> check(const submission& what, const crypto::csr& request) const {
    const auto& templates = options_.templates;
    if (!templates.empty()
        && std::find(templates.begin(), templates.end(), what.certificate_template)
          == templates.end()) {
      return failure(errc::policy, "template", "is not issued here");
    }
    if (what.validity.value == 0) {
      return failure(errc::policy, "validity", "is zero");
    }
    return issuable_extensions(request, what.security_identifier);
  }

  bytes with_locations(const bytes& extensions) const {
    const auto list = der::only(extensions);
    if (location_extensions_.empty()) {
      return extensions;
    }
    bytes all = list ? to_bytes(list->value) : bytes();
    all.insert(all.end(), location_extensions_.begin(), location_extensions_.end());
    return der::wrap(0x30, all);
  }

  static ca_entry refuse(ca_entry entry, const error& why) {
    entry.state = ca_state::refused;
    entry.reason = to_string(why);
    entry.order.clear();
    entry.journaled = false;
    return entry;
  }

  ca_answer issue(const submission& what, const crypto::csr& request, const bytes& extensions,
                  ca_entry entry) {
    const auto& issuer = options_.identity.cert;
    const unix_ms now = clock_.wall() / 1000 * 1000;
    crypto::sign_options sign;
    sign.subject = request.subject;
    sign.public_key = request.public_key;
    sign.extensions = with_locations(extensions);
    sign.serial = crypto::random_serial();
    sign.not_before = std::max(now - backdate_ms, issuer.not_before());
    sign.not_after = std::min(crypto::add_validity(now, what.validity), issuer.not_after());
    if (sign.not_after <= now) {
      return store(
        what.transaction_id,
        refuse(std::move(entry), {errc::policy, "validity", "the CA's own end is past"}));
    }
    const auto signed_one = crypto::sign_certificate(options_.identity, sign);
    if (!signed_one) {
      return unknown(signed_one.error());
    }
    entry.state = ca_state::issued;
    entry.certificate = signed_one->der();
    entry.serial = signed_one->serial();
    entry.order.clear();
    entry.journaled = false;
    return store(what.transaction_id, std::move(entry));
  }

  ca_answer store(const digest& id, ca_entry entry) {
    if (auto stored = index_->put(id, entry); !stored) {
      return unknown(stored.error());
    }
    return answer(id, entry);
  }

  /// Journals what the journal has not heard of yet, then answers.
  ca_answer answer(const digest& id, ca_entry& entry) {
    if (options_.journal && !entry.journaled) {
      if (auto written = options_.journal(event_of(id, entry)); !written) {
        return unknown(written.error());
      }
      entry.journaled = true;
      if (auto noted = index_->note(id, entry); !noted) {
        return unknown(noted.error());
      }
    }
    ca_answer out;
    switch (entry.state) {
      case ca_state::issued:
        out.status = ca_status::issued;
        out.certificate = entry.certificate;
        out.chain = chain_;
        out.issued_under = id;
        break;
      case ca_state::pending:
        out.status = ca_status::pending;
        out.pending_id = to_hex(id).substr(0, 16);
        out.pending_public_key_hash = entry.public_key_hash;
        out.retry_after_ms = pending_retry_ms;
        break;
      case ca_state::refused:
        out.status = ca_status::refused;
        out.reason = entry.reason;
        break;
      case ca_state::closed:
        out.status = ca_status::closed;
        break;
    }
    return out;
  }

  static issuance_event event_of(const digest& id, const ca_entry& entry) {
    issuance_event out;
    out.kind = entry.state == ca_state::issued ? issuance_event::what::issued
      : entry.state == ca_state::pending       ? issuance_event::what::pending
                                               : issuance_event::what::refused;
    out.transaction_id = id;
    out.public_key_hash = entry.public_key_hash;
    out.template_name = entry.certificate_template;
    out.reason = entry.reason;
    if (entry.state == ca_state::issued) {
      out.serial_number = entry.serial;
      out.thumbprint = crypto::sha256(entry.certificate);
      if (const auto parsed = crypto::certificate::from_der(entry.certificate); parsed) {
        out.subject = parsed->subject();
      }
    }
    return out;
  }

  /// The end of what is revoked: after it a list need not have it any more. 0 if it can't be told.
  unix_ms end_of(const digest& id) const {
    const auto entry = index_->find(id);
    if (!entry || !*entry) {
      return 0;
    }
    const auto parsed = crypto::certificate::from_der((*entry)->certificate);
    return parsed ? parsed->not_after() : 0;
  }

  /// The first order counts, whatever a later one says.
  revoke_answer revoke_now(const revoke_order& what, const digest& owner,
                           const std::optional<storage::ca_revocation>& earlier) {
    auto record = earlier ? result<storage::ca_revocation>(*earlier)
                          : desk_.note(what.serial_number,
                                       {static_cast<std::uint8_t>(what.reason), what.revoked_at,
                                        false, clock_.wall(), end_of(owner), 0});
    if (!record) {
      return {revoke_status::unknown, to_string(record.error()), 0};
    }
    if (options_.journal) {
      issuance_event event;
      event.kind = issuance_event::what::revoked;
      event.transaction_id = owner;
      event.serial_number = what.serial_number;
      event.reason = std::to_string(record->reason);
      if (auto written = options_.journal(event); !written) {
        return {revoke_status::unknown, to_string(written.error()), 0};
      }
    }
    record->journaled = true;
    if (auto noted = index_->note(what.serial_number, *record); !noted) {
      return {revoke_status::unknown, to_string(noted.error()), 0};
    }
    return {earlier ? revoke_status::already : revoke_status::done, {}, 0, record->crl_number};
  }

  embedded_options options_;
  std::unique_ptr<storage::ca_index> index_;
  const clock& clock_;
  bytes location_extensions_;
  status_desk desk_;
  std::vector<bytes> chain_;
  std::array<std::mutex, stripes> locks_;
  std::mutex revocations_;
};

} // namespace

result<std::unique_ptr<embedded_ca>> make_embedded_authority(embedded_options options) {
  const auto& in_public = options.locations;
  const bool publishes
    = !in_public.crl.empty() || !in_public.ocsp.empty() || !in_public.issuer.empty();
  const auto list_usage = static_cast<key_usages>(key_usage::crl_sign);
  if (!options.identity.cert.is_ca() || !options.identity.cert.matches(options.identity.key)) {
    return failure(errc::bad_input, "identity", "is no CA certificate with its own key");
  }
  if (publishes && (options.identity.cert.usages() & list_usage) == 0) {
    return failure(errc::bad_input, "identity",
                   "may not sign revocation lists: its key usage lacks cRLSign");
  }
  auto locations = crypto::encode_status_locations(options.locations);
  if (!locations) {
    return failure(errc::bad_input, "locations." + locations.error().field,
                   locations.error().message);
  }
  auto index = storage::ca_index::open(options.directory);
  if (!index) {
    return failure(index.error());
  }
  return std::unique_ptr<embedded_ca>(std::make_unique<embedded_authority>(
    std::move(options), std::move(*index), std::move(*locations)));
}

} // namespace pfx::connect::ca
