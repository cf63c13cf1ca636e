// What the program's exit codes mean; scripts and the service manager act on them, so they never
// change.
#pragma once

#include "core/error.hpp"
#include "engine/engine.hpp"

namespace pfx::app {

enum class exit_code : int {
  done = 0,          ///< it did what was asked; `run`: a clean stop
  usage = 1,         ///< the command line is wrong
  configuration = 2, ///< the configuration, or a file that it names, is wrong
  store_locked = 3,  ///< another process owns the data directory
  halted = 4,       ///< another process lives under our name, or the store is older than the world:
                    ///< an operator decides; not to be restarted by the service manager
  store_failed = 5, ///< the store cannot be read or written
  identity = 6,     ///< not registered, or the service does not accept who we are
  stop_deadline = 7, ///< stopped, but not within the deadline, or by a second signal
  unavailable = 8,   ///< nobody answered: the engine is not running, the service is not reachable
  refused = 9,       ///< answered with no: not found, a conflict, exists already
  verdict = 10,      ///< `demo`, `sandbox`: something was lost, doubled, failed or late
  internal = 11,     ///< a bug of ours, or what was to be printed could not be written
  deprecated = 12,   ///< `status`: it runs, but a newer version is out
  unsupported = 13,  ///< `status`: it runs, but the support of this version is over
};

[[nodiscard]] exit_code exit_code_of(errc code) noexcept;
[[nodiscard]] exit_code exit_code_of(engine::halt_reason reason) noexcept;

/// The table above as text, for `--help`.
[[nodiscard]] std::string_view exit_code_words() noexcept;

} // namespace pfx::app
