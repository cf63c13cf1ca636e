// The devices that results are made for: their CA, key pairs and certificates, and a few
// certificates that no engine may accept. Keys live in memory; nothing here is for production.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crypto/issue.hpp"

namespace pfx::sandbox {

/// One certificate of a device with the key that opens what is encrypted to it.
struct device_key {
  std::string recipient_id;
  crypto::certificate certificate;
  std::shared_ptr<const crypto::private_key> key; ///< RSA keys are shared by several certificates
};

struct device {
  std::string id;
  std::vector<device_key> keys; ///< one to three
};

/// Certificates that must be refused as recipients (DER).
struct unfit_certificates {
  bytes foreign; ///< issued by somebody else's root
  bytes expired;
  bytes rsa512;
  bytes no_usage; ///< digitalSignature only
  bytes a_ca;     ///< the device root itself
};

/// Made once per sandbox; immutable then, shared between threads.
class fleet {
public:
  static constexpr std::size_t devices_max = 100'000;

  [[nodiscard]] static result<fleet> make(std::size_t count, std::uint64_t seed, unix_ms now);

  [[nodiscard]] const std::vector<device>& devices() const noexcept { return devices_; }
  [[nodiscard]] const crypto::certificate& root() const noexcept { return root_; }
  [[nodiscard]] const unfit_certificates& unfit() const noexcept { return unfit_; }
  /// Null if there is none.
  [[nodiscard]] const device_key* find(const std::string& recipient_id) const;

private:
  explicit fleet(crypto::certificate root) : root_(std::move(root)) {}

  crypto::certificate root_;
  std::vector<device> devices_;
  std::map<std::string, std::pair<std::size_t, std::size_t>> by_id_;
  unfit_certificates unfit_;
};

} // namespace pfx::sandbox
