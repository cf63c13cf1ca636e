// The audit chain: what is written in a line, and how each line hangs on the one before it
// (docs/lifecycle.md, invariant 12). Every use of a connector key, every refusal of a recipient and
// every end of a request leaves one. Holds no secret.
#pragma once

#include <cstdint>
#include <string>

#include "connect/service/messages.hpp"
#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "storage/store.hpp"

namespace pfx::actors::tasks {

/// Events of the audit beside those of the trail (1000 and 2000 families).
namespace audit_event {
inline constexpr std::uint16_t started = 1;     ///< the engine, with a random value
inline constexpr std::uint16_t reconciled = 2;  ///< everything was asked about; a random value
inline constexpr std::uint16_t key_used = 2040; ///< a connector key decrypted a password
inline constexpr std::uint16_t recipient_refused = 2041;
inline constexpr std::uint16_t use_limited = 2042;  ///< over the limit of an hour
inline constexpr std::uint16_t key_used_for = 2043; ///< more recipients of the use before
inline constexpr std::uint16_t connector_key_created = 6001;
inline constexpr std::uint16_t connector_key_imported = 6002;
inline constexpr std::uint16_t connector_key_exported = 6003;
inline constexpr std::uint16_t connector_key_removed = 6004;
inline constexpr std::uint16_t master_key_rotated = 6005;
inline constexpr std::uint16_t connector_key_disputed = 6006; ///< the service knows another
} // namespace audit_event

/// What somebody wants in the audit.
struct audit_note {
  std::uint16_t event = 0;
  std::string text; ///< for people; printable, no secret
};

struct audit_line {
  unix_ms at = 0;
  std::uint16_t event = 0;
  std::string context; ///< requestContext, or empty
  digest thumbprint;   ///< of the recorded certificate, if the event is about one
  std::string serial_number;
  std::string text;
  /// Makes two copies of a store part ways, and keeps whoever is told the head of the chain from
  /// guessing what a line says.
  bytes random;
  std::uint64_t epoch = 0; ///< of `started`
};
[[nodiscard]] bytes encode(const audit_line& value);
[[nodiscard]] result<audit_line> decode_audit_line(byte_view octets);

/// False if the chain in this store never had that head: the store is older than whoever knows it,
/// or another's.
/// A store that cannot be read knows nothing: an error, never "no".
[[nodiscard]] result<bool> in_our_chain(const storage::store& store,
                                        const connect::service::anchor& known);

/// The head of the chain after `line` became number `sequence`: SHA-256(previous head, sequence,
/// line).
[[nodiscard]] digest audit_link(const digest& previous, std::uint64_t sequence, byte_view line);

} // namespace pfx::actors::tasks
