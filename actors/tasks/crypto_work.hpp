// The dangerous work on one request: judging it, making its key and CSR, building its PFX. Runs on
// a crypto worker's thread; talks to nobody but the store.
#pragma once

#include "actors/tasks/outcome.hpp"
#include "actors/tasks/plant.hpp"

namespace pfx::actors::tasks {

/// Policy, recipients and names are checked before a key is made. Gives worked (with the sealed
/// intent), work_refused or work_failed.
[[nodiscard]] lifecycle::event make_intent(const plant& p, const record& of);

/// The result document, frozen: of a success from the issued certificate, or of a failure from the
/// record. Gives built (with the sealed bytes) or build_failed.
[[nodiscard]] lifecycle::event build_result(const plant& p, const record& of);

/// Does `work` or `build`, whatever may be thrown.
[[nodiscard]] outcome run_crypto_task(const plant& p, const task& what) noexcept;

} // namespace pfx::actors::tasks
