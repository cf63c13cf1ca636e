// The judge of one result: opens it as the devices would and compares it with what was ordered.
// Pure; never refuses a result, only names what is wrong with it. Compares with its own eyes
// (reading.hpp).
#pragma once

#include <string>
#include <vector>

#include "crypto/pkcs12.hpp"
#include "sandbox/orders.hpp"

namespace pfx::sandbox {

struct judge_options {
  const fleet& devices;
  std::vector<crypto::certificate> roots; ///< what delivered certificates chain to
  std::string issuer_authority;           ///< the CA's name, for texts
};

struct judgement {
  std::vector<std::string> faults; ///< printable sentences; empty = as ordered
  /// Hex SHA-256 of the created key. Empty for a failure, and for an import: its key is not new.
  std::string public_key;
  bool as_expected = false; ///< no faults, and the end that was expected
};

/// `now` is when the result was recorded.
[[nodiscard]] judgement judge_result(const judge_options& options, const order& ordered,
                                     const request_result& delivered, unix_ms now);

/// The pieces, for the tests of the judge itself.
[[nodiscard]] std::vector<std::string> compare_with_order(const order& ordered,
                                                          const seen_certificate& seen,
                                                          unix_ms now);
[[nodiscard]] std::vector<std::string> compare_with_original(const foreign_file& original,
                                                             const crypto::pkcs12_content& content);
[[nodiscard]] std::vector<std::string> check_password(std::string_view password);

} // namespace pfx::sandbox
