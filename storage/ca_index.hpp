// The embedded CA's memory: what became of each transaction id, which serials are revoked since
// when, and how many revocation lists there were.
// Every write is synced before the call returns. Knows no certificates: it keeps the octets it is
// given.
#pragma once

#include <cstdint>
#include <functional>
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
  unix_ms revoked_at = 0;  ///< by the order
  bool journaled = false;
  unix_ms noted_at = 0;         ///< by the CA's clock; 0 in records of older programs
  unix_ms certificate_ends = 0; ///< notAfter; 0 = not known
  /// Every list of at least this number has the serial; 0 in records of older programs.
  std::uint64_t crl_number = 0;
};

/// False ends the walk.
using revocation_visitor = std::function<bool(const std::string& serial, const ca_revocation&)>;

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

  /// All revocations of one moment, in the order of their serials' texts. The visitor may not call
  /// the index.
  [[nodiscard]] virtual result<void> walk_revoked(const revocation_visitor& visit) const = 0;

  /// The number of the last revocation list; 0 before the first.
  [[nodiscard]] virtual result<std::uint64_t> last_crl_number() const = 0;
  /// The next one: never the same twice, synced before it is returned, so that no list with it can
  /// leave and be forgotten.
  [[nodiscard]] virtual result<std::uint64_t> take_crl_number() = 0;

  /// Writes the entry (and, when issued, its serial) in one synced batch.
  [[nodiscard]] virtual result<void> put(const digest& transaction_id, const ca_entry& entry) = 0;
  [[nodiscard]] virtual result<void> put(const std::string& serial, const ca_revocation& what) = 0;
  /// As put, but not synced: for the `journaled` mark, whose loss only repeats a journal line.
  [[nodiscard]] virtual result<void> note(const digest& transaction_id, const ca_entry& entry) = 0;
  [[nodiscard]] virtual result<void> note(const std::string& serial, const ca_revocation& what) = 0;
};

} // namespace pfx::storage
