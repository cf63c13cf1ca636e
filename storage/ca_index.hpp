// The embedded CA's memory: what became of each transaction id, and which serials are revoked.
// Every write is synced before the call returns. Knows no certificates: it keeps the octets it is
// given.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/bytes.hpp"
#include "core/clock.hpp"

namespace pfx::storage {

enum class ca_state : std::uint8_t { pending = 1, issued, refused, closed };

/// All that a CA remembers of one transaction id. A second submission is compared with `csr_hash`.
struct ca_entry {
  ca_state state = ca_state::pending;
  digest csr_hash;                   ///< SHA-256 of the CSR; none for a closed entry
  digest public_key_hash;            ///< SHA-256 of the CSR's SubjectPublicKeyInfo
  bytes certificate;                 ///< issued: DER
  std::string serial;                ///< issued: lower-case hex
  std::uint32_t pending_answers = 0; ///< how often "pending" was answered
  std::string reason;                ///< refused: the CA's words
  std::string certificate_template;  ///< as submitted, for the journal
  bytes order;                       ///< pending: the submission, encoded by the CA, to issue later
  bool journaled = false; ///< the journal has heard of `state`; false again after a crash
};

struct ca_revocation {
  std::uint8_t reason = 0; ///< CRLReason, RFC 5280 5.3.1
  unix_ms revoked_at = 0;
  bool journaled = false;
};

/// One process at a time; thread-safe. Life: as long as its CA. After a failed write every further
/// write is refused with errc::store_poisoned, reads go on.
class ca_index {
public:
  /// Makes the directory (and its parents) if it is missing. errc::store_locked if another process
  /// has it, errc::corrupt if what it holds is damaged, errc::store_newer for a later format.
  [[nodiscard]] static result<std::unique_ptr<ca_index>> open(const std::string& directory);
  virtual ~ca_index() = default;

  [[nodiscard]] virtual result<std::optional<ca_entry>> find(
    const digest& transaction_id) const = 0;
  /// Whether this index has issued the serial.
  [[nodiscard]] virtual result<std::optional<digest>> issued(const std::string& serial) const = 0;
  [[nodiscard]] virtual result<std::optional<ca_revocation>> revocation(
    const std::string& serial) const = 0;

  /// Writes the entry (and, when issued, its serial) in one synced batch.
  [[nodiscard]] virtual result<void> put(const digest& transaction_id, const ca_entry& entry) = 0;
  [[nodiscard]] virtual result<void> put(const std::string& serial, const ca_revocation& what) = 0;
  /// As put, but not synced: for the `journaled` mark, whose loss only repeats a journal line.
  [[nodiscard]] virtual result<void> note(const digest& transaction_id, const ca_entry& entry) = 0;
  [[nodiscard]] virtual result<void> note(const std::string& serial, const ca_revocation& what) = 0;
};

} // namespace pfx::storage
