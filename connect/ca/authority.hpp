// Certification authorities behind one small interface (docs/protocol.md, CA interface).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/request.hpp"

namespace pfx::connect::ca {

enum class revocation_reason : std::uint8_t {
  unspecified = 0,
  key_compromise = 1,
  superseded = 4,
  cessation_of_operation = 5
};

/// Everything a CA is told. The bytes come from the frozen intent; a repeat is byte-identical.
struct submission {
  digest transaction_id;
  bytes certificate_request; ///< DER
  std::string certificate_template;
  validity_period validity;
  std::string security_identifier; ///< SID or empty
};

enum class ca_status : std::uint8_t {
  issued = 1,
  pending,
  refused,
  conflict,
  closed,
  never_seen,
  unsupported,
  unknown
};
[[nodiscard]] std::string_view name_of(ca_status value) noexcept;

struct ca_answer {
  ca_status status = ca_status::unknown;
  bytes certificate;        ///< issued: DER
  std::vector<bytes> chain; ///< issued: issuer first, without the root if the CA leaves it out
  std::string pending_id;   ///< pending
  digest pending_public_key_hash;  ///< pending, find only; not present() if the CA doesn't tell
  std::string reason;              ///< refused: the CA's words, printable; unknown: what happened
  std::int64_t retry_after_ms = 0; ///< unknown and pending: when to ask again; 0 = own back-off
  /// unknown: false if it is certain that nothing reached the CA (no connection was made).
  bool maybe_arrived = true;
  /// issued: the transaction id under which the certificate was issued, by the CA's books; not
  /// present() if the CA doesn't tell. Another one than was asked for makes the answer worthless.
  digest issued_under = {};
};

enum class revoke_status : std::uint8_t { done = 1, already, not_found, refused, unknown };
[[nodiscard]] std::string_view name_of(revoke_status value) noexcept;
struct revoke_order {
  std::string issuer;        ///< RFC 4514
  std::string serial_number; ///< lower-case hex
  revocation_reason reason = revocation_reason::superseded;
  unix_ms revoked_at = 0;
};
struct revoke_answer {
  revoke_status status = revoke_status::unknown;
  std::string reason;
  std::int64_t retry_after_ms = 0;
  /// done and already: every revocation list of at least this number has it; 0 if the CA does not
  /// tell.
  std::uint64_t crl_number = 0;
  /// unknown: the breaker let nothing be sent. A connection that failed is no such certainty.
  bool held_back = false;
};

/// Calls block, are thread-safe, never throw. No answer = unknown.
class authority {
public:
  virtual ~authority() = default;
  /// issued | pending | refused | conflict | closed | unknown
  virtual ca_answer submit(const submission& what) = 0;
  /// issued | pending | refused | never_seen | unsupported | unknown
  virtual ca_answer find(const digest& transaction_id) = 0;
  virtual revoke_answer revoke(const revoke_order& what) = 0;
  /// closed | issued | pending | unsupported | unknown
  virtual ca_answer close(const digest& transaction_id);
  virtual void cancel() noexcept {}
};

} // namespace pfx::connect::ca
