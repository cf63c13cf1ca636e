// What is unrevoked and recorded, kept live for `finished()`: the journals say the same afterwards.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "core/bytes.hpp"

namespace pfx::sandbox {

/// Thread-safe. Counts certificates that are issued, unrevoked and not recorded.
class certificate_watch {
public:
  void issued(const std::string& serial, const digest& thumbprint) {
    const std::scoped_lock lock(mutex_);
    if (by_serial_.emplace(serial, thumbprint).second) {
      unrevoked_.insert(thumbprint);
      serials_.emplace(thumbprint, serial);
      settle(thumbprint);
    }
  }
  void revoked(const std::string& serial) {
    const std::scoped_lock lock(mutex_);
    const auto at = by_serial_.find(serial);
    if (at != by_serial_.end() && unrevoked_.erase(at->second) == 1) {
      ++revoked_;
      settle(at->second);
    }
  }
  void recorded(const digest& thumbprint) {
    const std::scoped_lock lock(mutex_);
    recorded_.insert(thumbprint);
    settle(thumbprint);
  }
  /// Empty if no certificate of this CA has that thumbprint.
  [[nodiscard]] std::string serial_of(const digest& thumbprint) const {
    const std::scoped_lock lock(mutex_);
    const auto at = serials_.find(thumbprint);
    return at == serials_.end() ? std::string() : at->second;
  }
  struct counts {
    std::uint64_t issued = 0, revoked = 0, loose = 0;
  };
  [[nodiscard]] counts so_far() const {
    const std::scoped_lock lock(mutex_);
    return {by_serial_.size(), revoked_, loose_.size()};
  }

private:
  void settle(const digest& thumbprint) {
    if (unrevoked_.contains(thumbprint) && !recorded_.contains(thumbprint)) {
      loose_.insert(thumbprint);
    } else {
      loose_.erase(thumbprint);
    }
  }

  mutable std::mutex mutex_;
  std::map<std::string, digest> by_serial_;
  std::map<digest, std::string> serials_;
  std::set<digest> unrevoked_;
  std::set<digest> recorded_;
  std::set<digest> loose_;
  std::uint64_t revoked_ = 0;
};

} // namespace pfx::sandbox
