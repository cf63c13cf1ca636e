// Signs outside of the lock; only the map is locked.
#include "bench/quick_authority.hpp"

#include <algorithm>

#include "connect/ca/issuable.hpp"
#include "core/clock.hpp"

namespace pfx::bench {

using connect::ca::ca_answer;
using connect::ca::ca_status;

namespace {

constexpr std::int64_t backdate_ms = 60'000;

ca_answer refused(const error& why) {
  ca_answer out;
  out.status = ca_status::refused;
  out.reason = to_string(why);
  return out;
}

} // namespace

quick_authority::quick_authority(crypto::ca_identity identity, const std::string& journal)
    : identity_(std::move(identity)), chain_{identity_.cert.der()},
      journal_(journal, std::ios::app) {}

void quick_authority::note(std::string_view call, const std::string& about) {
  const std::scoped_lock lock(mutex_);
  journal_ << call << ' ' << about << std::endl; // flushed: it is counted while we run
}

ca_answer quick_authority::issue(const connect::ca::submission& what) const {
  const auto request = crypto::parse_csr(what.certificate_request);
  if (!request) {
    return refused(request.error());
  }
  auto extensions = connect::ca::issuable_extensions(*request, what.security_identifier);
  if (!extensions) {
    return refused(extensions.error());
  }
  const auto now = system_clock().wall() / 1000 * 1000;
  crypto::sign_options sign;
  sign.subject = request->subject;
  sign.public_key = request->public_key;
  sign.extensions = std::move(*extensions);
  sign.serial = crypto::random_serial();
  sign.not_before = std::max(now - backdate_ms, identity_.cert.not_before());
  sign.not_after = std::min(crypto::add_validity(now, what.validity), identity_.cert.not_after());
  const auto made = crypto::sign_certificate(identity_, sign);
  if (!made) {
    return refused(made.error());
  }
  ca_answer out;
  out.status = ca_status::issued;
  out.certificate = made->der();
  out.chain = chain_;
  return out;
}

ca_answer quick_authority::submit(const connect::ca::submission& what) {
  note("submit", to_hex(what.transaction_id));
  if (auto before = known(what.transaction_id); before.status != ca_status::never_seen) {
    return before;
  }
  auto made = issue(what);
  const std::scoped_lock lock(mutex_);
  return issued_.emplace(what.transaction_id, std::move(made)).first->second;
}

ca_answer quick_authority::find(const digest& transaction_id) {
  note("find", to_hex(transaction_id));
  return known(transaction_id);
}

ca_answer quick_authority::known(const digest& transaction_id) {
  const std::scoped_lock lock(mutex_);
  const auto at = issued_.find(transaction_id);
  if (at != issued_.end()) {
    return at->second;
  }
  ca_answer out;
  out.status = ca_status::never_seen;
  return out;
}

connect::ca::revoke_answer quick_authority::revoke(const connect::ca::revoke_order& what) {
  note("revoke", what.serial_number);
  return {connect::ca::revoke_status::done, {}, 0};
}

} // namespace pfx::bench
