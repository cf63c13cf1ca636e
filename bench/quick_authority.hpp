// A certification authority that costs little: it checks and signs as the embedded one does, and
// keeps what it issued in memory only. For benches: a restart forgets everything.
#pragma once

#include <map>
#include <mutex>

#include "connect/ca/authority.hpp"
#include "crypto/issue.hpp"

namespace pfx::bench {

/// Thread-safe. The same transaction id gets the same certificate; nothing is ever pending.
class quick_authority final : public connect::ca::authority {
public:
  explicit quick_authority(crypto::ca_identity identity);

  connect::ca::ca_answer submit(const connect::ca::submission& what) override;
  connect::ca::ca_answer find(const digest& transaction_id) override;
  connect::ca::revoke_answer revoke(const connect::ca::revoke_order& what) override;

private:
  connect::ca::ca_answer issue(const connect::ca::submission& what) const;

  crypto::ca_identity identity_;
  std::vector<bytes> chain_;
  std::mutex mutex_;
  std::map<digest, connect::ca::ca_answer> issued_;
};

} // namespace pfx::bench
