// The closing walk: every certificate that a CA has of one request, and whether they can all be
// its. Blocking; runs on the io executor.
#pragma once

#include "actors/tasks/plant.hpp"
#include "connect/ca/authority.hpp"

namespace pfx::actors::tasks {

/// An answer about another transaction than `asked` is none: answers can be mixed up on their way.
[[nodiscard]] connect::ca::ca_answer about(const digest& asked, connect::ca::ca_answer answer);

/// Asks for g = 0, 1, … until never seen, and in any case up to our highest g. What a certificate
/// must show before anything is revoked on its account: the recorded one is among those found, and
/// all bear its names; where a failure stands recorded, they bear the names that were asked for.
[[nodiscard]] lifecycle::event walk(const plant& p, connect::ca::authority& ca, const record& of);

} // namespace pfx::actors::tasks
