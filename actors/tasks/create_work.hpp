// Work on a pfxCreate: key and CSR before the CA, the PFX after it.
#pragma once

#include "actors/tasks/work_parts.hpp"

namespace pfx::actors::tasks {

/// Policy, recipients and names are checked before a key is made. Gives worked (with the sealed
/// intent), work_refused or work_failed.
[[nodiscard]] lifecycle::event make_intent(const plant& p, const record& of,
                                           const pfx_request& request);

/// From the issued certificate to frozen bytes. Gives built, work_refused or build_failed.
[[nodiscard]] lifecycle::event build_created(const plant& p, const record& of);

} // namespace pfx::actors::tasks
