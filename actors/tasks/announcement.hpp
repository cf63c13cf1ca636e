// Makes the connector keys known to the service (Connectors/importKeys): at the first check-in and
// whenever the set of keys has changed. A failure is told and tried again; a key whose name stands
// for another key at the service keeps none of the others back, nor does one that cannot be read.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "crypto/key_store.hpp"

namespace pfx::actors::tasks {

struct plant;

/// What the service knows of our keys in this run. Thread-safe.
class key_announcement {
public:
  static constexpr std::int64_t look_interval_ms = 30'000;     ///< between two looks at the keys
  static constexpr std::int64_t dispute_interval_ms = 600'000; ///< between two tries with disputes

  /// Looks at the key store, at most once per interval; calls the service if its keys are not those
  /// that were announced. Blocks for the calls: one, or one for each key after a conflict.
  void keep_current(const plant& p) noexcept;
  /// True if the service knows another key by this name: imports for it are none of ours.
  [[nodiscard]] bool disputed(const std::string& provider, const std::string& name) const;

private:
  using key_names = std::set<std::pair<std::string, std::string>>; ///< provider and name
  using key_list = std::vector<crypto::connector_key>;

  void announce(const plant& p);
  /// False if it has to be tried again.
  [[nodiscard]] bool announce_each(const plant& p, const key_list& keys, key_names& disputes);
  void take_faults(const plant& p, const std::vector<error>& faults);
  void take_disputes(const plant& p, const key_list& keys, key_names disputes);

  std::mutex calls_;   ///< one announcement at a time; guards all but `disputed_`
  digest announced_;   ///< of the set; not present() before the first time
  std::string faults_; ///< of keys that could not be read, as they were told
  boot_ms look_at_ = 0;
  boot_ms dispute_at_ = 0;
  mutable std::mutex names_; ///< guards the next one; never held during a call
  key_names disputed_;
};

} // namespace pfx::actors::tasks
