// The life of a request as a pure function: a record and an event give the next record and what
// must be made durable; what to do next follows from the record alone. No disk, no threads, no
// clock: `moment` is passed in. The whole table of events and states is in lifecycle_table.cpp.
#pragma once

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "core/record.hpp"

namespace pfx::lifecycle {

/// Settings that the rules depend on.
struct rules {
  std::uint32_t attempts_max = 3;
  std::int64_t quarantine_ms = 24LL * 3600 * 1000;
  std::int64_t ca_settle_ms = 120'000;
  std::int64_t pending_deadline_ms = 7LL * 24 * 3600 * 1000;
  std::int64_t backoff_base_ms = 500;
  std::int64_t backoff_max_ms = 300'000;
};

/// Now, and a random number for the jitter.
struct moment {
  unix_ms wall = 0;
  boot_ms boot = 0;
  std::uint64_t random = 0;
};

enum class event_kind : std::uint8_t {
  offered_same = 0,   ///< handed out again, same fingerprint
  offered_other,      ///< handed out again, other fingerprint
  claimed,            ///< an attempt at dangerous work starts now
  worked,             ///< key and CSR are made: the intent
  work_refused,       ///< final: policy or input
  work_failed,        ///< transient
  work_slow,          ///< takes long; nothing is wrong: it waits for the slow lane
  ca_issued,          ///< to our key
  ca_foreign,         ///< issued to a foreign key under this transaction id
  ca_pending,
  ca_pending_foreign, ///< waits under a foreign key
  ca_refused,
  ca_conflict,
  ca_never_seen,
  ca_closed,
  submit_unanswered,  ///< may have arrived
  ca_unavailable,     ///< nothing arrived, or a find without an answer
  built,              ///< result bytes are made
  build_failed,
  upload_accepted,
  upload_recorded,    ///< alreadyRecorded
  upload_lease_lost,
  upload_missing,     ///< resultMissing
  upload_rejected,
  upload_unknown,     ///< unknownRequest
  upload_unanswered,
  query_open,
  query_leased,
  query_recorded,
  query_unknown,
  query_unanswered,
  lease_renewed,
  lease_lost,
  deadline,           ///< the request's, the pending certificate's or the quarantine's
  walked,             ///< the CA was asked for every generation
  operator_retry,
  operator_give_up,
  restarted_clean,
  restarted_unclean,
};
inline constexpr std::size_t event_kind_count = 39;
[[nodiscard]] std::string_view name_of(event_kind value) noexcept;

/// A certificate that a walk found under some generation.
struct found_certificate {
  std::uint8_t generation = 0;
  std::string issuer;
  std::string serial_number;
  digest thumbprint;
};

struct event {
  event_kind kind = event_kind::offered_same;
  std::uint64_t lease_number = 0;
  boot_ms lease_until = 0;
  digest thumbprint;          ///< issued, or recorded
  digest result_digest;       ///< built, or recorded
  bool succeeded = false;     ///< of built and recorded
  std::string serial_number;
  std::string issuer;         ///< of an issued certificate, RFC 4514
  std::uint8_t generation = 0;///< of a CA answer
  std::string pending_id;
  service_code code = service_code::none;
  bool retryable = false;
  std::string text;           ///< for the trail and the failure; printable, no secret
  std::int64_t retry_after_ms = 0;
  std::vector<found_certificate> found;
  bool walk_ended = false;    ///< never seen was reached beyond our highest generation
  bool walk_doubted = false;  ///< what the CA showed cannot all be this request's; `text` says why
  std::vector<std::pair<blob_kind, bytes>> blobs; ///< sealed; stored in the same batch
  std::string call_id;
  std::int64_t duration_ms = 0;
};

/// What the next record calls for. `renew` is decided by lease_due().
enum class action : std::uint8_t {
  none = 0,
  claim,  ///< make the attempt durable, then work or build
  claim_slowly, ///< the same, when the slow lane has a place
  work,   ///< check policy, make key and CSR; of an import: all of it
  work_slowly, ///< all of it, where it delays nobody
  submit,
  find,
  build,  ///< the result document, of a success or a failure
  upload,
  query,
  walk,
};
inline constexpr std::size_t action_count = 11;
[[nodiscard]] std::string_view name_of(action value) noexcept;

/// A certificate that is ours from this step on: revocation orders may mean it.
struct issued_serial {
  std::string authority;
  std::string issuer; ///< RFC 4514
  std::string serial_number;
};

struct step_result {
  record next;
  /// The durable part differs: put (or, if settled, drop) the record.
  bool changed = false;
  std::vector<std::pair<blob_kind, bytes>> put_blobs;
  std::vector<blob_kind> drop_blobs;
  std::optional<settled_record> settled;   ///< the record becomes this one
  std::vector<surplus_certificate> surplus;
  std::optional<issued_serial> issued;
  std::optional<trail_entry> trail;
  /// Set when the request ended: the one admin event (1000 family).
  std::uint16_t admin_event = 0;
  bool refused = false; ///< the event does not fit the state and was for an operator to know
};

/// A request that the store has never seen, or had abandoned.
struct reception {
  request_key key;
  request_kind kind = request_kind::unknown;
  digest fingerprint;
  std::uint64_t lease_number = 0;
  boot_ms lease_until = 0;
  std::uint64_t arrival = 0;
  unix_ms expires_at = 0;
  std::string authority;
  /// It can't be read, or its kind is not ours: only the failure is prepared.
  std::optional<error> fault;
  bytes sealed_request;
};
[[nodiscard]] step_result receive(const reception& what, const moment& now);

/// A request that was handed to us in a life that the store does not remember, and that stands
/// recorded: only the walk over its CA is left, and what that life sent may still arrive.
/// `recorded` is a query_recorded.
[[nodiscard]] step_result recall(const reception& what, event recorded, const rules& by,
                                 const moment& now);

[[nodiscard]] step_result step(const record& now_is, event what, const rules& by,
                               const moment& now);

[[nodiscard]] action next_action(const record& value, const moment& now);

/// True if the record is worked on: neither ended, put aside nor parked, nor closing and waiting.
[[nodiscard]] bool takes_part(const record& value, const moment& now);

/// True if the record's work needs a lease that should be renewed now.
[[nodiscard]] bool lease_due(const record& value, std::int64_t lease_ms, const moment& now);
/// The event that mere time brings, if any: deadline or lease_lost.
[[nodiscard]] std::optional<event> due(const record& value, const moment& now);
/// When due() or next_action() may next say something else; 0 = only after an event.
[[nodiscard]] boot_ms wake_at(const record& value, const moment& now);

/// Every label of fault_point() that the flow passes, made from the tables of actions and states.
[[nodiscard]] std::vector<std::string> fault_labels();

/// Full jitter: a random wait in [0, min(max, base * 2^failures)].
[[nodiscard]] std::int64_t backoff_ms(const rules& by, std::uint32_t failures,
                                      std::uint64_t random);

/// The table, for docs: a sentence of what happens for each event in each state.
[[nodiscard]] std::string_view reaction_text(event_kind what, record_state in) noexcept;

/// Numbered events of the trail (the 1000 family; imports are 1000 higher).
namespace trail_event {
inline constexpr std::uint16_t delivered = 1000, failed = 1001, superseded = 1004;
inline constexpr std::uint16_t received = 1020, attempt = 1021, redelivered = 1022, conflict = 1023;
inline constexpr std::uint16_t intent = 1030, submitted = 1031, asked_ca = 1033, pending = 1034;
inline constexpr std::uint16_t issued = 1050, retry = 1051, failing = 1052, prepared = 1060;
inline constexpr std::uint16_t lease = 1070, quarantined = 1071, operator_word = 1072;
inline constexpr std::uint16_t closing = 1080, restarted = 1090;
inline constexpr std::uint16_t upload_failed = 1101, uploaded = 1102;
} // namespace trail_event

} // namespace pfx::lifecycle
