// Delivered results as files, so that other tools can open them: delivered/<n>/ with everything a
// device and its administrator would have. Holds private device keys; for test beds only.
#pragma once

#include <atomic>
#include <string>

#include "sandbox/orders.hpp"

namespace pfx::sandbox {

/// Writes at most `deliveries_max` folders; later ones are left out. Thread-safe.
class delivery_store {
public:
  delivery_store(std::string directory, const fleet& devices, std::string ca_root_pem,
                 std::size_t deliveries_max)
      : directory_(std::move(directory)), devices_(devices), ca_root_pem_(std::move(ca_root_pem)),
        deliveries_max_(deliveries_max) {}

  [[nodiscard]] result<void> keep(const order& ordered, const request_result& delivered);

private:
  std::string directory_;
  const fleet& devices_;
  std::string ca_root_pem_;
  std::size_t deliveries_max_;
  std::atomic<std::size_t> written_ = 0;
};

/// What the order asked for, as JSON for people and scripts.
[[nodiscard]] std::string expected_json(const order& ordered);

/// Writes a whole file (mode 0600); errc::io with the path.
[[nodiscard]] result<void> write_file(const std::string& path, byte_view octets);

} // namespace pfx::sandbox
