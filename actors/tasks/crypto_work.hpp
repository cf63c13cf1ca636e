// The dangerous work on one request: judging it, making its key and CSR, opening its PFX, building
// its result. Runs on a crypto worker's thread; talks to nobody but the store.
#pragma once

#include "actors/tasks/outcome.hpp"
#include "actors/tasks/plant.hpp"

namespace pfx::actors::tasks {

/// The result document, frozen: of a success, or of a failure from the record. Gives built (with
/// the sealed bytes), work_refused or build_failed.
[[nodiscard]] lifecycle::event build_result(const plant& p, const record& of);

/// Does `work`, `work_slowly` or `build`, whatever may be thrown.
[[nodiscard]] outcome run_crypto_task(const plant& p, const task& what) noexcept;

} // namespace pfx::actors::tasks
