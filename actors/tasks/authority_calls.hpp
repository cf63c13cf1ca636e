// Calls to certification authorities about one request, under the transaction ids that all
// instances compute alike. Blocking; run on the io executor.
#pragma once

#include "actors/tasks/outcome.hpp"
#include "actors/tasks/plant.hpp"

namespace pfx::actors::tasks {

[[nodiscard]] digest transaction_id(const record& of, std::uint8_t generation);

/// Does `submit`, `find` or `walk`, whatever may be thrown.
[[nodiscard]] outcome run_authority_task(const plant& p, const task& what) noexcept;

/// The deliberate fault "late-intent" of the campaigns: submits before the intent is durable.
/// Nothing calls it but a test's wish (core/fault_point.hpp).
void submit_before_intent(const plant& p, const record& of,
                          const lifecycle::event& worked) noexcept;

/// Revokes one surplus certificate and notes the answer in it. Gives the milliseconds after which
/// to try again, 0 = it is done for good.
[[nodiscard]] std::int64_t revoke_surplus(const plant& p, surplus_certificate& what) noexcept;

} // namespace pfx::actors::tasks
