// The audit chain for people: what stands in it, whether it is whole, and how a command of the
// program leaves a line in it, with or without a running engine.
#pragma once

#include "engine/configuration.hpp"

namespace pfx::engine {

/// Numbers of events that commands of the program note.
namespace audit_events {
inline constexpr std::uint16_t key_created = 6001;
inline constexpr std::uint16_t key_imported = 6002;
inline constexpr std::uint16_t key_exported = 6003;
inline constexpr std::uint16_t key_removed = 6004;
inline constexpr std::uint16_t master_key_rotated = 6005;
/// What may come over the control socket.
inline constexpr std::uint16_t commands_first = 6001;
inline constexpr std::uint16_t commands_last = 6099;
} // namespace audit_events

struct audit_entry {
  std::uint64_t sequence = 0;
  unix_ms at = 0;
  std::uint16_t event = 0;
  std::string context;       ///< requestContext, printable; empty if it concerns no request
  std::string thumbprint;    ///< SHA-256 of the recorded certificate, hex; empty if there is none
  std::string serial_number; ///< of that certificate
  std::string text;
  std::string head;        ///< of the chain after this entry, hex: what the service was told
  std::uint64_t epoch = 0; ///< of a run's start
};

struct audit_excerpt {
  std::vector<audit_entry> entries; ///< the newest ones, oldest first
  std::uint64_t checked = 0;        ///< entries whose links were verified: all that there are
  /// Empty if every entry hangs on the one before. That the end was cut off it cannot tell: only
  /// the head that the service was told can.
  std::string fault;
};

inline constexpr std::size_t audit_entries_max = 1'000; ///< of one excerpt
inline constexpr std::size_t audit_entries_default = 20;
inline constexpr std::size_t audit_text_bytes_max = 1'000;

/// From the running engine, or from the store if none runs. errc::not_found without a store;
/// errc::unavailable if an engine owns the store and does not answer; errc::conflict while a
/// rotation is not finished.
[[nodiscard]] result<audit_excerpt> read_audit(const configuration& settings, std::size_t last);

/// Durable when it returns: by the running engine, or into the store itself.
[[nodiscard]] result<void> note_audit(const configuration& settings, std::uint16_t event,
                                      const std::string& text);

/// One JSON object: {"value":[entry…],"checked":N,"fault":""}.
[[nodiscard]] std::string to_json(const audit_excerpt& value);

} // namespace pfx::engine
