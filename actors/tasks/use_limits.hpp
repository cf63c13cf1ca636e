// How often the connector keys may be used: per imported certificate and per recipient, within an
// hour. A service in wrong hands could otherwise have every password decrypted at once.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"

namespace pfx::actors::tasks {

/// Thread-safe. Counts live in memory and begin anew with the process. The hour slides: the count
/// of the last full hour fades out while the present one fills.
class use_limits {
public:
  static constexpr std::size_t subjects_max = 200'000; ///< of both kinds; beyond it: refused

  use_limits(std::size_t per_thumbprint, std::size_t per_recipient)
      : per_thumbprint_(per_thumbprint), per_recipient_(per_recipient) {}

  /// Counts one use, or refuses and counts nothing: errc::unavailable, field "thumbprint" or
  /// "recipients[i].certificate". `secrets` names in several ways what is opened: the thumbprint,
  /// which is the sender's word, and the ciphertext, which is not.
  [[nodiscard]] result<void> take(const std::vector<std::string>& secrets,
                                  const std::vector<std::string>& recipients, boot_ms now);

  /// A use that take() counted is done once more, and counted then. `now` is the present moment,
  /// not the one of take().
  void give_back(const std::vector<std::string>& secrets,
                 const std::vector<std::string>& recipients, boot_ms now);

private:
  struct hour {
    std::int64_t number = 0;
    std::size_t now = 0;
    std::size_t before = 0;
  };
  hour& at(const std::string& subject, boot_ms now);
  void forget_old(boot_ms now);

  const std::size_t per_thumbprint_;
  const std::size_t per_recipient_;
  std::mutex mutex_;
  std::unordered_map<std::string, hour> uses_;
};

} // namespace pfx::actors::tasks
