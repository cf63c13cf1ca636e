// What the journals tell of one request and of one certificate. Plain values of the offline judge.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace pfx::sandbox {

/// One request as the journal tells it.
struct story {
  std::string context, kind, expected, authority;
  std::string alike; ///< failures with the same word must be the same document
  std::int64_t ordered_at = 0;
  std::int64_t handed_at = -1;
  std::int64_t recorded_at = -1;
  std::uint64_t hand_outs = 0;
  std::uint64_t accepted = 0;
  bool import = false;
  bool succeeded = false;
  bool judged = false;
  bool as_expected = false;
  bool redelivered = false;
  bool acknowledged = false;
  bool superseded = false;
  bool second_result = false;
  bool rejected = false; ///< on purpose: a failure is the right end
  bool excused = false;  ///< the CA erred on purpose: a failure is a right end
  std::uint64_t certificates = 0;
  std::string digest, thumbprint, public_key;
  std::map<std::string, std::set<std::string>> digests; ///< of results, by connector
};

/// One certificate as the CA tells it.
struct issued_certificate {
  std::string serial, thumbprint, txid, public_key, subject;
  bool revoked = false;
};

} // namespace pfx::sandbox
