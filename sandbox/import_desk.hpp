// The keys that connectors announced, and the passwords of import orders encrypted to them. Each
// order's password is encrypted once: whoever is handed the order, and however often, gets the same
// octets. Refuses another key under a known name, and keys that nothing can be encrypted to.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "connect/service/messages.hpp"
#include "sandbox/orders.hpp"

namespace pfx::sandbox {

/// Thread-safe. Owned by the sandbox; in memory. The sandbox has one tenant, so the keys are its.
class import_desk {
public:
  static constexpr std::size_t keys_max = 1'000;

  /// `other_key`: SubjectPublicKeyInfo of an RSA key that no connector has, for sealing::other_key.
  import_desk(std::uint64_t seed, bytes other_key)
      : seed_(seed), other_key_(std::move(other_key)) {}

  /// All or none. errc::conflict if a name stands for another key, errc::bad_input for a key that
  /// is none, errc::too_large. The keys that are new, in the order given.
  [[nodiscard]] result<std::vector<connect::service::import_key>> announce(
    const std::vector<connect::service::import_key>& keys);
  [[nodiscard]] bool has_key() const;

  /// Fills in what only a key makes possible; leaves creates, and imports before the first key, as
  /// they are.
  [[nodiscard]] result<void> complete(order& what);

private:
  /// What became of one order.
  struct sealed {
    std::string provider, key, padding;
    bytes password;
  };
  result<sealed> seal(const order& what) const;
  result<bytes> encrypt(const order& what, byte_view public_key, std::size_t& padding) const;

  const std::uint64_t seed_;
  const bytes other_key_;
  mutable std::mutex mutex_;
  std::vector<connect::service::import_key> keys_;
  std::map<std::pair<std::string, std::string>, std::size_t> by_name_;
  std::unordered_map<std::uint64_t, sealed> sealed_; ///< by the order's index
};

} // namespace pfx::sandbox
