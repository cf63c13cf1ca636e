// What an operator can do to the store of an engine that is stopped: look whether it is whole, copy
// it, put a copy in its place, save what is readable of a damaged one. Nothing is ever thrown away:
// what was in the way is set aside.
#pragma once

#include "engine/configuration.hpp"

namespace pfx::engine {

struct store_report {
  std::uint64_t open_requests = 0;
  std::uint64_t settled_requests = 0;
  std::uint64_t blobs = 0;
  std::uint64_t surplus_certificates = 0;
  std::uint64_t audit_lines = 0;
  std::vector<std::string> words; ///< what is known, what was lost, what to do; for people
};

/// Reads every table and every record and checks the audit chain. errc::corrupt with the first
/// damage; errc::store_locked while an engine runs.
[[nodiscard]] result<store_report> verify_store(const configuration& settings);

/// A copy that `restore_store` takes; `target` must not exist. Where both lie on one file system
/// tables are linked, not copied.
[[nodiscard]] result<store_report> back_up_store(const configuration& settings,
                                                 const std::string& target);

/// Puts a copy of `source` in the store's place; what stood there is renamed. The next start asks
/// the service about everything first.
[[nodiscard]] result<store_report> restore_store(const configuration& settings,
                                                 const std::string& source);

/// The last resort: the log is read up to its first damage, damaged tables are left out. The
/// original stays beside it. The next start asks the service about everything first.
[[nodiscard]] result<store_report> repair_store(const configuration& settings);

} // namespace pfx::engine
