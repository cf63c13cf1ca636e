// A certification authority that costs little: it checks and signs as the embedded one does, and
// keeps what it issued in memory only. For benches: a restart forgets everything. Every call leaves
// a line in a file, so that others can count them.
#pragma once

#include <fstream>
#include <map>
#include <mutex>
#include <string>

#include "connect/ca/authority.hpp"
#include "crypto/issue.hpp"

namespace pfx::bench {

/// Thread-safe. The same transaction id gets the same certificate; nothing is ever pending.
/// `journal`: a file to which "submit ID", "find ID" or "revoke SERIAL" is appended at each call.
class quick_authority final : public connect::ca::authority {
public:
  quick_authority(crypto::ca_identity identity, const std::string& journal);

  connect::ca::ca_answer submit(const connect::ca::submission& what) override;
  connect::ca::ca_answer find(const digest& transaction_id) override;
  connect::ca::revoke_answer revoke(const connect::ca::revoke_order& what) override;

private:
  connect::ca::ca_answer issue(const connect::ca::submission& what) const;
  connect::ca::ca_answer known(const digest& transaction_id);
  void note(std::string_view call, const std::string& about);

  crypto::ca_identity identity_;
  std::vector<bytes> chain_;
  std::mutex mutex_;
  std::map<digest, connect::ca::ca_answer> issued_;
  std::ofstream journal_;
};

} // namespace pfx::bench
