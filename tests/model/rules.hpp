// Rules of the flow that can be taken away: deliberate faults of a connector. The search must find
// a story for each, or it would prove nothing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pfx::model {

enum class rule : std::uint8_t {
  none = 0,
  intent_first,          ///< the intent is durable before it is submitted
  bytes_first,           ///< the result is durable before it is uploaded
  keep_intent,           ///< a restart keeps the intent, and with it the key
  intent_outlives_lease, ///< the loss of a lease does not abandon an intent
  reopen,                ///< what was abandoned begins again when it is handed out
  walk,                  ///< what is recorded is closed with a walk over the CA
  walk_failures,         ///< also if a failure is recorded
  wait_for_late_sends,   ///< never seen ends a walk only when no submission can be under way
  keep_surplus,          ///< the list of certificates to revoke is durable
  loss_revokes_nothing,
  judge_by_certificate,    ///< what stands is ours if its certificate is ours, whatever the bytes
  check_key,               ///< a certificate for a foreign key is not taken
  silence_is_nothing,      ///< an upload without an answer is not an accepted one
  ask_before_intent,       ///< a request that somebody else had before is asked about first
  ask_when_parked,         ///< a record without a lease goes on asking
  lease_before_send,       ///< nothing is submitted without a lease
  walk_ends,               ///< a walk that met the end is not begun again
  remember_settled,        ///< a settled request leaves a record
  reconcile,               ///< after a noticed loss of memory everything is asked about first
  settle_before_reconcile, ///< but not while a submission of a forgotten life can be under way
};
inline constexpr std::size_t rule_count = 21;

struct rule_entry {
  rule what;
  std::string_view name;
  std::string_view plan; ///< in which it is missed
};
/// All but `none`.
[[nodiscard]] const std::array<rule_entry, rule_count - 1>& all_rules();
[[nodiscard]] std::optional<rule> rule_of(std::string_view name);

} // namespace pfx::model
