// What is done about one revocation order: which certificate it means, and the call to its CA.
// Blocking; run on the io executor.
#pragma once

#include "actors/tasks/plant.hpp"
#include "core/revocation.hpp"

namespace pfx::actors::tasks {

/// chosen, ca_missing, or not_ours with the code that is reported: the serial number is read as hex
/// and, if it is all digits, as decimal, and looked up among the certificates issued through us, at
/// every CA that the order's issuer can mean. Nothing at all if the store cannot be read.
[[nodiscard]] std::optional<revocation::event> choose_certificate(const plant& p,
                                                                  const revocation_order& of);

/// One of the ca_ events.
[[nodiscard]] revocation::event revoke_ordered(const plant& p, const revocation_order& of) noexcept;

} // namespace pfx::actors::tasks
