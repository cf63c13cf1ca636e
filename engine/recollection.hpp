// Whether a store may go on and remembers everything (docs/lifecycle.md, invariant 12). Private to
// engine/.
#pragma once

#include <string>

#include "storage/store.hpp"

namespace pfx::engine::detail {

/// errc::stale_epoch if a former run halted for good and no operator has said that this is the
/// connector to go on.
[[nodiscard]] result<void> refuse_after_halt(const storage::store& open);

/// Why the store may have forgotten something, in words; empty if nothing gives a reason to think
/// so. Reasons: an anchor that knows more or cannot be understood, a log that ended in the middle.
[[nodiscard]] result<std::string> doubt_of_memory(const storage::store& open,
                                                  const std::string& anchor_file);

/// The next start asks about everything before anything is submitted; durable.
[[nodiscard]] result<void> ask_everything(storage::store& open);

} // namespace pfx::engine::detail
