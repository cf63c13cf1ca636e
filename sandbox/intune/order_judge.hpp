// The offline judge of revocation orders: what was ordered, what the CA revoked and what was
// reported, by the lines of the two journals alone. Excuses nothing but repetition.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "sandbox/sandbox.hpp"

namespace pfx::sandbox {

class order_judge {
public:
  using complainer = std::function<void(std::string)>;

  /// A line of the service's journal; lines of others are left alone.
  void take(const nlohmann::json& one);
  /// The CA revoked this serial number.
  void revoked(const std::string& serial) { ++revocations_[serial]; }
  /// That this certificate be revoked was ordered.
  [[nodiscard]] bool ordered(const std::string& serial) const {
    return by_serial_.contains(serial);
  }
  [[nodiscard]] order_summary conclude(const complainer& fault);

private:
  struct story {
    std::string kind, serial;
    std::int64_t expected = 0;
    std::uint64_t hand_outs = 0;
    std::uint64_t recorded = 0;
    std::int64_t code = -1;
    bool redelivered = false;
    bool acknowledged = false;
  };
  void reported(const nlohmann::json& one);
  void count(const std::string& name, const story& it, const complainer& fault);

  order_summary out_;
  std::map<std::string, story> stories_;             ///< by context
  std::map<std::string, std::string> by_serial_;     ///< to be revoked; the context of the order
  std::map<std::string, std::uint64_t> revocations_; ///< by serial
  std::uint64_t odd_ = 0, unknown_ = 0;
};

} // namespace pfx::sandbox
