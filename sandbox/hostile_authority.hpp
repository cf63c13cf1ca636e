// A certification authority that errs: between the CA's service and the embedded CA. What it issues
// itself is journaled like any issuance, can be found again and revoked. In memory, as long as the
// sandbox.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "connect/ca/embedded_authority.hpp"
#include "sandbox/fault_injector.hpp"

namespace pfx::sandbox {

/// What the CA's journal holds of an event.
[[nodiscard]] line line_of(const connect::ca::issuance_event& event);

struct hostile_authority_options {
  connect::ca::authority& inner;
  fault_injector& faults;
  journal& log;
  crypto::ca_identity identity; ///< the same as the inner CA's
  bytes expired_issuer;         ///< a certificate of that identity that has expired, DER
  /// The CA's journal: the same as the inner CA's.
  std::function<result<void>(const connect::ca::issuance_event&)> note;
};

/// Thread-safe.
class hostile_authority final : public connect::ca::authority {
public:
  explicit hostile_authority(hostile_authority_options options) : options_(std::move(options)) {}

  connect::ca::ca_answer submit(const connect::ca::submission& what) override;
  connect::ca::ca_answer find(const digest& transaction_id) override;
  connect::ca::revoke_answer revoke(const connect::ca::revoke_order& what) override;
  connect::ca::ca_answer close(const digest& transaction_id) override;

private:
  using answer = connect::ca::ca_answer;
  /// What it says of a transaction id, once it has erred there.
  struct story {
    connect::ca::submission asked;
    answer said;
    std::uint64_t answers_left = 0; ///< pending: 0 = until the faults end
    bool counted = false;           ///< pending: answers_left counts
  };

  std::optional<answer> known(const digest& id, const bytes* request);
  answer again(std::map<digest, story>::iterator at);
  /// Errs at a submission; nothing if it could not.
  std::optional<answer> err(const drawn_fault& fault, const connect::ca::submission& what);
  std::optional<answer> issue_badly(const drawn_fault& fault, const connect::ca::submission& what);
  answer remember_last(const digest& id, answer out);
  answer spoil(const drawn_fault& fault, const digest& id, answer out);
  bool journaled(const drawn_fault& fault, const digest& id, const std::string& thumbprint = {});

  hostile_authority_options options_;
  std::mutex mutex_;
  std::map<digest, story> stories_;
  std::map<std::string, bool> own_serials_;    ///< true = revoked
  std::map<std::string, digest> transactions_; ///< of own_serials_
  digest last_id_;
  answer last_; ///< issued to somebody
};

} // namespace pfx::sandbox
