// One request of a download, between JSON and value. Internal to connect/service.
#pragma once

#include "connect/service/fields.hpp"
#include "connect/service/messages.hpp"

namespace pfx::connect::service {

inline constexpr std::uint64_t lease_seconds_max = 31 * 86'400;

/// Everything but the lease. Faults go to `in`'s fault, with the field named.
[[nodiscard]] pfx_request read_request(fields& in);

/// SHA-256 over the known top-level fields except the lease's, for an entry that can't be read.
[[nodiscard]] digest fingerprint_of_unreadable(const json& entry);

} // namespace pfx::connect::service
