// The last resort for a damaged database, and whether anybody is at work in a store's directory.
#pragma once

#include <string>

#include "core/result.hpp"

namespace pfx::storage {

/// Makes the database in this store's directory anew from every table and log that can be read
/// (RocksDB's repairer). Facts may be missing or old afterwards; open with `salvage` and treat the
/// next run as one with amnesia. Only for copies.
[[nodiscard]] result<void> rebuild(const std::string& directory);

/// errc::store_locked if a process owns the store in this directory; fine if there is none.
[[nodiscard]] result<void> nobody_owns(const std::string& directory);

} // namespace pfx::storage
