// The anchor: how far a store and its audit chain had come, kept on a path of its own, so that a
// store which lost its last writes, was restored or was exchanged is noticed at its next start.
#pragma once

#include <optional>
#include <string>

#include "core/bytes.hpp"
#include "core/result.hpp"

namespace pfx::storage {

struct anchor_mark {
  bytes store_id;             ///< 16 octets
  std::uint64_t sequence = 0; ///< of the audit entry
  digest head;                ///< of the chain after it
  std::uint64_t records = 0;  ///< the store's own count of synced writes (store_status.sequence)
  bool operator==(const anchor_mark&) const = default;
};

/// Replaces the file (mode 0600): a synced temporary one beside it, renamed, folder synced. At most
/// one of the two is ever seen. errc::io, field = path.
/// Makes the last folder of the path (mode 0700) if it is missing.
[[nodiscard]] result<void> write_anchor(const std::string& path, const anchor_mark& value);
/// Nothing if there is no such file. errc::corrupt if it is not an anchor, errc::io.
[[nodiscard]] result<std::optional<anchor_mark>> read_anchor(const std::string& path);

} // namespace pfx::storage
