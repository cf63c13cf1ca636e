// Order of every list: take a number (synced), read what is revoked, sign, answer. Order of every
// responder: sign its certificate, store it (synced), use it. Locks are taken in the order of their
// declaration from the bottom up: lists_ before numbers_.
#include "connect/ca/status_desk.hpp"

#include <algorithm>

#include "crypto/digest.hpp"

namespace pfx::connect::ca {

namespace {

constexpr std::int64_t backdate_ms = 60'000; // for clocks that are a little behind
/// RFC 5280 3.3: an entry stays until a list after the certificate's end had it.
constexpr std::int64_t kept_after_end_ms = 7 * 86'400'000LL;
constexpr std::size_t tag_characters = 32;
constexpr const char* responder_template = "OCSPSigning";

unix_ms whole_seconds(unix_ms moment) { return moment / 1000 * 1000; }

/// When the CA revoked it: by its own clock, as far as the record knows (RFC 5280 5.1.2.6).
unix_ms date_of(const storage::ca_revocation& what, unix_ms now) {
  const auto noted = what.noted_at > 0 ? what.noted_at : what.revoked_at;
  return whole_seconds(std::clamp<unix_ms>(noted, 0, now));
}

std::uint8_t reason_of(const storage::ca_revocation& what) {
  const bool exists = what.reason <= 10 && what.reason != 7 && what.reason != 8;
  return exists ? what.reason : std::uint8_t{0};
}

crypto::revoked_certificate line_of(const std::string& serial, const storage::ca_revocation& what,
                                    unix_ms now) {
  crypto::revoked_certificate out{serial, date_of(what, now), reason_of(what), 0};
  // RFC 5280 5.3.2: what the order says happened earlier is the invalidity date.
  if (what.revoked_at > 0 && whole_seconds(what.revoked_at) < out.revoked_at) {
    out.invalid_since = whole_seconds(what.revoked_at);
  }
  return out;
}

status_reply refusal(crypto::ocsp_status status) {
  status_reply out;
  out.der = crypto::ocsp_error(status);
  return out;
}

} // namespace

status_desk::status_desk(const crypto::ca_identity& identity, storage::ca_index& index,
                         const clock& time, status_lives lives)
    : identity_(identity), index_(index), clock_(time), lives_(lives), issuer_(identity.cert) {}

std::uint64_t status_desk::revision() const {
  const std::scoped_lock lock(numbers_);
  return revision_;
}

result<storage::ca_revocation> status_desk::note(const std::string& serial,
                                                 storage::ca_revocation what) {
  const std::scoped_lock lock(numbers_);
  const auto last = index_.last_crl_number();
  if (!last) {
    return failure(last.error());
  }
  what.crl_number = *last + 1;
  if (auto stored = index_.put(serial, what); !stored) {
    return failure(stored.error());
  }
  ++revision_;
  return what;
}

// -- lists ------

result<status_desk::snapshot> status_desk::take_snapshot(unix_ms now) {
  const std::scoped_lock lock(numbers_);
  const auto number = index_.take_crl_number();
  if (!number) {
    return failure(number.error());
  }
  snapshot out{*number, revision_, {}};
  const auto walked
    = index_.walk_revoked([&](const std::string& serial, const storage::ca_revocation& what) {
        if (what.certificate_ends == 0 || what.certificate_ends + kept_after_end_ms > now) {
          out.revoked.push_back(line_of(serial, what, now));
        }
        return out.revoked.size() <= crypto::crl_entries_max; // one more is refused by make_crl
      });
  return walked ? result<snapshot>(std::move(out)) : failure(walked.error());
}

result<std::shared_ptr<const signed_list>> status_desk::make_list(unix_ms now) {
  auto taken = take_snapshot(now);
  if (!taken) {
    return failure(taken.error());
  }
  auto made = std::make_shared<signed_list>();
  made->number = taken->number;
  made->this_update = whole_seconds(now - backdate_ms);
  made->next_update = whole_seconds(now) + lives_.crl_ms;
  auto der = crypto::make_crl(
    identity_, {made->number, made->this_update, made->next_update, std::move(taken->revoked)});
  if (!der) {
    return failure(der.error());
  }
  made->der = std::move(*der);
  made->tag = to_hex(crypto::sha256(made->der)).substr(0, tag_characters);
  list_ = made;
  list_revision_ = taken->revision;
  return list_;
}

result<std::shared_ptr<const signed_list>> status_desk::current_crl() {
  const std::scoped_lock lock(lists_);
  const auto now = clock_.wall();
  const bool fits = list_ && list_revision_ == revision() && now >= list_->this_update
    && now < list_->this_update + lives_.crl_ms / 2;
  if (fits) {
    return list_;
  }
  if (list_fault_ && clock_.boot() < list_retry_at_) {
    return failure(*list_fault_);
  }
  auto made = make_list(now);
  list_fault_ = made ? std::nullopt : std::optional(made.error());
  list_retry_at_ = clock_.boot() + list_retry_ms;
  return made;
}

// -- the responder ------

result<std::shared_ptr<const status_desk::signer>> status_desk::make_signer(unix_ms now) {
  const auto& issuer = identity_.cert;
  const auto from = std::max(whole_seconds(now - backdate_ms), issuer.not_before());
  const auto until = std::min(whole_seconds(now) + lives_.responder_ms, issuer.not_after());
  if (until <= now) {
    return failure(errc::policy, "identity", "the CA's own end is past");
  }
  auto key = crypto::private_key::generate(issuer.is_rsa() ? key_algorithm::rsa2048
                                                           : key_algorithm::ec_p256);
  auto cert = key ? crypto::issue_ocsp_responder(identity_, *key, from, until)
                  : result<crypto::certificate>(failure(key.error()));
  if (!cert) {
    return failure(cert.error());
  }
  storage::ca_entry entry;
  entry.state = storage::ca_state::issued;
  entry.public_key_hash = cert->public_key_hash();
  entry.certificate = cert->der();
  entry.serial = cert->serial();
  entry.certificate_template = responder_template;
  entry.journaled = true; // the CA's own, nobody's request
  const auto id = crypto::sha256(as_bytes("pfxengine-ocsp-responder-1" + entry.serial));
  if (auto stored = index_.put(id, entry); !stored) {
    return failure(stored.error());
  }
  signer_ = std::make_shared<const signer>(
    signer{{std::move(*cert), std::move(*key)}, now + (until - now) / 2});
  return signer_;
}

result<std::shared_ptr<const status_desk::signer>> status_desk::current_signer(unix_ms now) {
  const std::scoped_lock lock(signers_);
  const bool fits = signer_ && now < signer_->due && now >= signer_->identity.cert.not_before();
  return fits ? result<std::shared_ptr<const signer>>(signer_) : make_signer(now);
}

result<void> status_desk::upkeep() {
  const auto list = current_crl();
  const auto responder = current_signer(clock_.wall());
  if (!list || !responder) {
    return failure(list ? responder.error() : list.error());
  }
  return {};
}

// -- answers ------

result<crypto::ocsp_answer> status_desk::status_of(const crypto::ocsp_certificate_id& id,
                                                   unix_ms now) const {
  crypto::ocsp_answer out;
  if (!issuer_.is_named_by(id)) {
    return out;
  }
  const auto owner = index_.issued(id.serial);
  const auto gone = index_.revocation(id.serial);
  if (!owner || !gone) {
    return failure(owner ? gone.error() : owner.error());
  }
  if (*gone) {
    return crypto::ocsp_answer{crypto::certificate_status::revoked, date_of(**gone, now),
                               reason_of(**gone)};
  }
  if (*owner) {
    out.status = crypto::certificate_status::good;
  }
  return out;
}

status_reply status_desk::sign_reply(const crypto::ocsp_request& request, unix_ms now) {
  std::vector<crypto::ocsp_answer> answers;
  bool known = true;
  for (const auto& id : request.asked) {
    const auto status = status_of(id, now);
    if (!status) {
      return refusal(crypto::ocsp_status::try_later);
    }
    known = known && status->status != crypto::certificate_status::unknown;
    answers.push_back(*status);
  }
  const auto responder = current_signer(now);
  if (!responder) {
    return refusal(crypto::ocsp_status::try_later);
  }
  const auto& who = (*responder)->identity;
  status_reply out;
  out.cacheable = known && request.nonce.empty(); // an unknown one may be issued in a moment
  out.this_update = whole_seconds(now - backdate_ms);
  out.next_update = std::min(whole_seconds(now) + lives_.answer_ms, who.cert.not_after());
  auto signed_one = crypto::sign_ocsp_response(
    who, {request, std::move(answers), out.this_update, out.next_update, whole_seconds(now)});
  if (!signed_one) {
    return refusal(crypto::ocsp_status::internal_error);
  }
  out.der = std::move(*signed_one);
  return out;
}

std::optional<status_reply> status_desk::kept_reply(const digest& request, unix_ms now) {
  const auto newest = revision();
  const std::scoped_lock lock(replies_mutex_);
  if (replies_revision_ != newest) {
    replies_.clear();
    replies_revision_ = newest;
  }
  const auto at = replies_.find(request);
  if (at == replies_.end() || now < at->second.this_update
      || now >= at->second.this_update + lives_.answer_ms / 2) {
    return std::nullopt;
  }
  return at->second;
}

/// `revision` is the one before the index was read: an answer from before a revocation is not kept
/// behind it.
void status_desk::keep_reply(const digest& request, std::uint64_t revision,
                             const status_reply& reply) {
  const std::scoped_lock lock(replies_mutex_);
  if (revision != replies_revision_) {
    return;
  }
  if (replies_.size() >= replies_max) {
    replies_.clear();
  }
  replies_[request] = reply;
}

status_reply status_desk::answer(byte_view octets) {
  const auto request = crypto::read_ocsp_request(octets);
  if (!request) {
    return refusal(crypto::ocsp_status::malformed_request);
  }
  const bool ours = std::ranges::any_of(request->asked,
                                        [this](const auto& id) { return issuer_.is_named_by(id); });
  if (!ours) {
    return refusal(crypto::ocsp_status::unauthorized);
  }
  const auto now = clock_.wall();
  if (!request->nonce.empty()) {
    return sign_reply(*request, now);
  }
  const auto name = crypto::sha256(octets);
  if (auto kept = kept_reply(name, now)) {
    return *kept;
  }
  const auto before = revision();
  auto out = sign_reply(*request, now);
  if (out.cacheable) {
    keep_reply(name, before, out);
  }
  return out;
}

} // namespace pfx::connect::ca
