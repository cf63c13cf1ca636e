// The audit chain in a store that is open. Private to engine/.
#pragma once

#include "engine/audit.hpp"
#include "storage/store.hpp"

namespace pfx::engine::detail {

/// Walks the whole chain; the newest `last` entries are told.
[[nodiscard]] result<audit_excerpt> read_audit(const storage::store& from, std::size_t last);

/// The operation that adds a line now; for a store that nobody else writes to.
[[nodiscard]] result<storage::put_audit> next_audit(const storage::store& of, std::uint16_t event,
                                                    const std::string& text);

/// The connector's store; where it lies is told here alone to commands that open it themselves.
[[nodiscard]] result<std::unique_ptr<storage::store>> open_store(const configuration& settings,
                                                                 bool create);

/// Where the store keeps the name of the master key that it was sealed with.
inline constexpr std::string_view master_key_id_name = "master-key-id";

/// The epoch of the last run; 0 before the first.
[[nodiscard]] result<std::uint64_t> stored_epoch(const storage::store& of);

/// Closes it. After an unclean end of the engine the mark of that stays: the engine's next start
/// has to know of it.
[[nodiscard]] result<void> leave(storage::store& open);

} // namespace pfx::engine::detail
