// The durable facts about one open request, and the small record that stays for ever once it is
// settled. What is only true while this process lives is in `live_facts` and never stored.
#pragma once

#include <cstdint>
#include <string>

#include "core/request.hpp"

namespace pfx {

/// docs/lifecycle.md, States.
enum class record_state : std::uint8_t {
  received = 1,
  working,
  submitting,
  pending,
  issued,
  prepared,
  closing,
  settled,
  abandoned,
  quarantined,
};
inline constexpr std::size_t record_state_count = 10;
[[nodiscard]] std::string_view name_of(record_state value) noexcept;

/// How a request ended.
enum class settled_as : std::uint8_t { delivered = 1, superseded, failed };
[[nodiscard]] std::string_view name_of(settled_as value) noexcept;

/// What a request brought besides its key; each is stored sealed, beside the record.
enum class blob_kind : std::uint8_t {
  request = 1, ///< the request, canonical form
  intent,      ///< private key, CSR bytes, frozen profile and submission
  certificate, ///< the issued certificate and its chain
  result,      ///< the exact bytes to upload
};

/// Facts that hold only in this process; a restart begins with the defaults.
struct live_facts {
  boot_ms lease_until = 0;    ///< own deadline, margin taken off; 0 = not known to be held
  boot_ms retry_at = 0;       ///< nothing is done before
  boot_ms last_send = 0;      ///< of a submit that may still arrive
  std::uint32_t failures = 0; ///< in a row, for the back-off
  std::uint32_t doubts = 0;   ///< walks that were not believed
  std::uint64_t ticket = 0;   ///< of the action in flight, 0 = none
  bool suspect = false;       ///< had an attempt without an outcome at an unclean end: runs alone
  bool slow = false;          ///< its work takes long: it is for the slow lane
  bool lease_asked = false;   ///< a renewal is on its way
  bool ask_service = false;   ///< an upload had no answer: query before it is sent again
  bool operator==(const live_facts&) const = default;
};

struct record {
  request_key key;
  record_state state = record_state::received;
  request_kind kind = request_kind::unknown;
  digest fingerprint;
  std::uint64_t lease_number = 0; ///< highest ever seen; never falls
  std::uint64_t arrival = 0;      ///< order of reception
  unix_ms received_at = 0;
  unix_ms expires_at = 0; ///< the service's; 0 = none was readable

  // -- attempts at work that could kill us: making key and CSR, building the PFX ------
  std::uint32_t attempts = 0; ///< started in this stage
  bool attempt_open = false;  ///< started, no outcome recorded

  // -- before the intent ------
  bool ask_first = false; ///< handed out before we knew it: query before an intent

  // -- the intent ------
  bool has_intent = false;
  std::uint8_t generation = 0; ///< g of txid(g) in use
  std::string authority;       ///< CA name, the word of the service; empty = no CA takes part
  bool unanswered = false;     ///< a submit was sent, or may have been, without a definite answer
  bool ask_ca = false;         ///< find before the next submit of this generation
  bool may_skip_walk = false;  ///< docs/lifecycle.md, Closing; set once, only ever cleared
  std::string pending_id;
  unix_ms pending_until = 0;
  digest thumbprint; ///< of the certificate issued to our key

  // -- the result ------
  bool failing = false; ///< a failure is to be prepared from the next three
  service_code failure_code = service_code::none;
  std::string reason; ///< of the failure, the quarantine, or the last transient fault
  bool failure_retryable = false;
  digest result_digest;
  bool result_succeeded = false;
  bool rejected_before = false; ///< the service rejected a result of ours; the next is a failure

  // -- quarantine and closing ------
  unix_ms quarantined_until = 0;
  bool disowned = false; ///< the service said it does not know the request
  settled_as outcome = settled_as::failed;
  digest recorded_thumbprint; ///< what stands at the service; not present() for a failure
  digest recorded_digest;
  std::string serial_number; ///< of the recorded certificate, if it is ours

  live_facts live;

  bool operator==(const record&) const = default;
};

[[nodiscard]] bytes encode(const record& value); ///< without `live` and without the key
/// `key` is what the record was stored under.
[[nodiscard]] result<record> decode_record(const request_key& key, byte_view octets);

struct settled_record {
  settled_as outcome = settled_as::failed;
  request_kind kind = request_kind::unknown;
  unix_ms settled_at = 0;
  digest fingerprint;
  digest result_digest; ///< of what stands recorded
  digest thumbprint;    ///< of the recorded certificate; not present() for a failure
  std::uint64_t lease_number = 0;
  std::string authority;
  std::uint8_t generation = 0;
  std::string serial_number;
  service_code failure_code = service_code::none;
  bool operator==(const settled_record&) const = default;
};
[[nodiscard]] bytes encode(const settled_record& value);
[[nodiscard]] result<settled_record> decode_settled(byte_view octets);

/// A certificate that closing found and nobody asked for; the revoker works this list off.
struct surplus_certificate {
  request_key request;
  std::string authority;
  std::string issuer;
  std::string serial_number;
  digest thumbprint;
  unix_ms found_at = 0;
  std::uint32_t attempts = 0;
  bool done = false; ///< revoked, or already; kept for the audit
  std::string last_answer;
  bool operator==(const surplus_certificate&) const = default;
};
[[nodiscard]] bytes encode(const surplus_certificate& value);
[[nodiscard]] result<surplus_certificate> decode_surplus(byte_view octets);

/// One line of a request's operational trail.
struct trail_entry {
  unix_ms at = 0;
  std::uint16_t event = 0;                     ///< numbered family, docs/lifecycle.md Events
  record_state state = record_state::received; ///< after the event
  std::string call_id;                         ///< client-request-id of the call, or empty
  std::int64_t duration_ms = 0;
  std::string text;
  bool operator==(const trail_entry&) const = default;
};
[[nodiscard]] bytes encode(const trail_entry& value);
[[nodiscard]] result<trail_entry> decode_trail_entry(byte_view octets);

} // namespace pfx
