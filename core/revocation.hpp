// The life of a revocation order as a pure function, as lifecycle.hpp is for PFX requests: an order
// and an event give the next order; what to do next follows from the order alone. No disk, no
// threads, no clock. docs/lifecycle.md, Revocation orders.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/request.hpp"

namespace pfx {

/// Of a revocation order: an opaque text of the tenant's. The store keeps as many.
inline constexpr std::size_t revocation_context_bytes_max = 8'192;

enum class order_state : std::uint8_t {
  received = 1, ///< durable; whose certificate it means is looked up next
  held,         ///< more in an hour than the guard allows: waits for an operator's word
  revoking,     ///< the intent is durable: this serial, at this CA, at this time
  answered,     ///< what became of it is durable, and has to be reported
  reported,     ///< the service has confirmed that it recorded the report; kept for ever
  unreported,   ///< it never did, until the deadline of the report; kept for ever
};
inline constexpr std::size_t order_state_count = 6;
[[nodiscard]] std::string_view name_of(order_state value) noexcept;
[[nodiscard]] constexpr bool is_final(order_state value) noexcept {
  return value == order_state::reported || value == order_state::unreported;
}

/// Facts that hold only in this process; a restart begins with the defaults.
struct order_live_facts {
  boot_ms retry_at = 0;
  std::uint32_t failures = 0;       ///< in a row, for the back-off
  std::uint32_t reports_failed = 0; ///< in a row; a hand-out does not take them back
  std::uint32_t calls_failed = 0;   ///< of the CA; as reports_failed
  std::string missing_ca;           ///< not configured here; the order waits for it
  bool in_flight = false;
  bool operator==(const order_live_facts&) const = default;
};

struct revocation_order {
  request_key key; ///< flow::revocation
  order_state state = order_state::received;

  // -- as the service gave it ------
  std::string serial_number; ///< hex or decimal, as it was once reported to the service
  std::string issuer_name;   ///< empty if the service gave none
  std::string
    ca_configuration;         ///< what we called the CA when we reported the certificate; or empty
  digest fingerprint;         ///< SHA-256 over the three
  std::string transaction_id; ///< of the download that brought it last; its report bears the same
  std::uint64_t arrival = 0;  ///< order of reception
  unix_ms received_at = 0;    ///< what is held is held since then
  std::uint32_t hand_outs = 1;

  // -- the intent ------
  bool approved = false;      ///< an operator let it pass the guard
  std::string authority;      ///< configured name of the CA
  std::string issuer;         ///< RFC 4514, as the CA wants to be told
  std::string serial;         ///< lower-case hex, no leading zeros
  unix_ms revoked_at = 0;     ///< what the CA is told; a repeat tells the same
  std::uint32_t attempts = 0; ///< calls of revoke that may have reached the CA

  // -- the answer ------
  service_code code = service_code::none; ///< none: revoked
  std::string text;                       ///< of a failure; printable
  std::string crl_number;                 ///< that lists it, if the CA told; decimal
  unix_ms answered_at = 0;                ///< or answered anew, or given up
  std::uint32_t uploads = 0;

  order_live_facts live;

  bool operator==(const revocation_order&) const = default;
};

[[nodiscard]] bytes encode(const revocation_order& value); ///< without `live` and without the key
[[nodiscard]] result<revocation_order> decode_order(const request_key& key, byte_view octets);

namespace revocation {

struct rules {
  std::int64_t backoff_base_ms = 1'000;
  std::int64_t backoff_max_ms = 600'000;
  /// An order whose CA never answers is reported as one to be sent again.
  std::int64_t deadline_ms = 24LL * 3600 * 1000;
  /// So is one that no operator has decided on.
  std::int64_t held_deadline_ms = 7LL * 24 * 3600 * 1000;
  /// A report that nobody records is given up, and the order makes room.
  std::int64_t report_deadline_ms = 30LL * 24 * 3600 * 1000;
};

/// Octets of the words about a failure; the service takes no more.
inline constexpr std::size_t text_bytes_max = 1'024;
/// Cut to text_bytes_max, between two characters of UTF-8.
[[nodiscard]] std::string fitting(std::string text);

enum class event_kind : std::uint8_t {
  offered_same = 0, ///< handed out again
  offered_other,    ///< the same context with another body
  chosen,           ///< the one certificate of ours that is meant: the intent
  not_ours,         ///< none, or not certain which: `code` and `text`
  guarded,          ///< the hour is full
  approved,         ///< an operator's word
  rejected,         ///< an operator's word
  ca_done,
  ca_already,
  ca_not_found,
  ca_refused,
  ca_unanswered,  ///< may have been carried out
  ca_unavailable, ///< nothing was sent
  ca_missing,     ///< `authority` is not configured here: nobody can be asked
  report_recorded,
  report_unanswered, ///< also: the service did not say that it is recorded
  restarted,         ///< after an unclean end: a call may have been under way
  deadline,
};
inline constexpr std::size_t event_kind_count = 18;
[[nodiscard]] std::string_view name_of(event_kind value) noexcept;

struct event {
  event_kind kind = event_kind::offered_same;
  std::string transaction_id;
  std::string authority;
  std::string issuer;
  std::string serial;
  service_code code = service_code::none;
  std::string text;
  std::string crl_number;
  std::int64_t retry_after_ms = 0;
};

enum class action : std::uint8_t { none = 0, choose, revoke, report };
[[nodiscard]] std::string_view name_of(action value) noexcept;

struct moment {
  unix_ms wall = 0;
  boot_ms boot = 0;
  std::uint64_t random = 0;
};

struct step_result {
  revocation_order next;
  bool changed = false;       ///< the durable part differs
  bool refused = false;       ///< the event does not fit the state and was for an operator to know
  std::string note;           ///< line for the trail, or empty
  std::uint16_t event_id = 0; ///< of the line (3000 family)
  std::uint16_t admin_event = 0; ///< set once, when it is first reported: 3000 or 3001; or 3103
};

/// What came in with a download.
struct offer {
  request_key key;
  std::string serial_number;
  std::string issuer_name;
  std::string ca_configuration;
  digest fingerprint;
  std::string transaction_id;
  std::uint64_t arrival = 0;
};
[[nodiscard]] step_result receive(const offer& what, const moment& now);
[[nodiscard]] step_result step(const revocation_order& now_is, const event& what, const rules& by,
                               const moment& now);
[[nodiscard]] action next_action(const revocation_order& value, const moment& now);
/// Waits for a CA that is not configured, and no CA can have heard of it: an operator may end it.
[[nodiscard]] bool may_be_rejected(const revocation_order& value);
/// `deadline` if mere time ended the wait for the CA or for a recorded report, each asked for at
/// least once in this process, or for an operator.
[[nodiscard]] std::optional<event> due(const revocation_order& value, const rules& by,
                                       const moment& now);

/// What a serial number in somebody's words can mean: lower-case hex without leading zeros. A text
/// of digits alone can be hex or decimal; empty = it is no serial number (over 20 octets, RFC 5280
/// 4.1.2.2, or no digits).
struct serial_readings {
  std::string as_hex;
  std::string as_decimal; ///< empty if not all digits, or the same as as_hex
};
[[nodiscard]] serial_readings read_serial(std::string_view text);

/// Numbered events of the trail.
namespace trail_event {
inline constexpr std::uint16_t revoked = 3000, failed = 3001;
inline constexpr std::uint16_t received = 3020, redelivered = 3022, conflict = 3023;
inline constexpr std::uint16_t intent = 3030, held = 3031, no_ca = 3032, operator_word = 3033;
inline constexpr std::uint16_t ca_answered = 3050, ca_failed = 3051, retry = 3052;
inline constexpr std::uint16_t surplus_kept = 3053; ///< a certificate that nobody ordered revoked
inline constexpr std::uint16_t report_failed = 3101, reported = 3102, unreported = 3103;
} // namespace trail_event

} // namespace revocation

} // namespace pfx
