// Which revocation orders a tenant gives for the certificates of its devices, and how it spells
// their serial numbers: as they were once reported, in hexadecimal or decimal. By a seed. Among
// them are orders that must be refused.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sandbox/intune/revocation_queue.hpp"

namespace pfx::sandbox {

struct order_plan_options {
  std::uint64_t orders_max = 0; ///< no more than so many
  double share = 0;             ///< of the recorded certificates
  std::uint64_t seed = 1;
  std::string authority_name; ///< as the engine calls the CA
  std::string issuer;         ///< the CA's own name, RFC 4514
};

/// An order and what must come of it.
struct planned_order {
  queued_order order;
  std::string kind;   ///< "plain", "second" (the same certificate again), "unknown", "foreign"
  std::string serial; ///< lower-case hex of the certificate that is to be revoked; or empty
  service_code expected = service_code::none;
};

/// Not thread-safe.
class order_plan {
public:
  explicit order_plan(order_plan_options options) : options_(std::move(options)) {}
  /// What is ordered when a certificate of this serial (hex) was recorded: nothing, one order, or
  /// two.
  [[nodiscard]] std::vector<planned_order> recorded(const std::string& serial);

private:
  [[nodiscard]] planned_order order_of(std::string kind, const std::string& serial);

  order_plan_options options_;
  std::uint64_t certificates_ = 0;
  std::uint64_t orders_ = 0;
};

/// A serial number (lower-case hex) in decimal.
[[nodiscard]] std::string decimal_of(const std::string& hex);

} // namespace pfx::sandbox
