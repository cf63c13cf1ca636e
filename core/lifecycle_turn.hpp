// What several reactions do in the same way: wait, take a number, put aside, close, settle.
// Internal to core; decides nothing by itself.
#pragma once

#include <string>

#include "core/lifecycle_reactions.hpp"

namespace pfx::lifecycle {

/// Sets the line of the trail that this step leaves; the last one stands.
void note(turn& t, std::uint16_t event_id, std::string text);
/// Waits with full jitter, at least as long as the other side asked for.
void back_off(turn& t);
/// Ends a series of failures: nothing to wait for.
void calm(turn& t);
/// Takes the event's leaseNumber if it is higher; says whether it was.
bool take_number(turn& t);
/// The verdict is durable with this step; the bytes of the failure are made next.
void set_failing(turn& t, service_code code, std::string why, bool retryable);
void quarantine(turn& t, std::string why);
/// The event says what is recorded. Drops all secrets; only the walk over the CA is left to do.
void close(turn& t);
void settle(turn& t);
/// The walk may be left out only where the model showed that it finds nothing.
[[nodiscard]] bool walk_may_be_skipped(const record& r);

} // namespace pfx::lifecycle
