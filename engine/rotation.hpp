// Another master key: everything that is sealed is sealed again. The engine must be stopped.
#pragma once

#include <functional>
#include <vector>

#include "engine/configuration.hpp"

namespace pfx::engine {

struct rotation_order {
  /// The new key; empty: one is made. Mandatory where the master key is not a file that can be
  /// replaced (a credential of the service manager).
  std::string new_key_file;
  /// For tests: told after each durable step; an error ends the rotation there, as a crash would.
  std::function<result<void>(std::string_view step)> at_step;
  /// The key before, where an interrupted rotation finds the new one in its place already (a
  /// credential that was exchanged too early). Only for finishing; without `new_key_file`.
  std::string old_key_file;
};

struct rotation_report {
  bool resumed = false; ///< an interrupted one was finished
  std::size_t records = 0;
  std::size_t keys = 0;
  bool identity = false;
  std::string old_key_id; ///< names the key without telling it
  std::string new_key_id;
  std::vector<std::string> left; ///< what the operator still has to do, a sentence each
};

/// New key, durable, under `<masterKeyFile>.next`; records of the store in bounded batches; the
/// store's word of its key, with a line in the audit; the identity's key; connector keys; last the
/// new file over the old. Each sealed thing names its key, so a repeat after a crash at any step
/// goes on where it ended. Errors: errc::wrong_key (the master key is not the one in use; nothing
/// was changed), errc::store_locked (an engine runs), errc::conflict (another rotation was
/// interrupted), errc::bad_input (field "newKey").
[[nodiscard]] result<rotation_report> rotate_master_key(const configuration& settings,
                                                        const rotation_order& order);

/// errc::conflict while an interrupted rotation has not been finished: part of everything lies
/// under the one key and part under the other, and nothing may be begun.
[[nodiscard]] result<void> refuse_during_rotation(const configuration& settings);

} // namespace pfx::engine
