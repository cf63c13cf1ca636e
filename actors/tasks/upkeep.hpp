// What the engine proves itself with does not last: certificates and secrets end. One look after
// all of them: what ends soon is told, what we can renew is renewed. Refuses to repeat itself: one
// event a day for each.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "actors/tasks/plant.hpp"

namespace pfx::actors::tasks {

/// Something of ours that ends.
struct expiry {
  std::string name; ///< "connector certificate", "intune.credentials[0] (app.pem)"
  unix_ms ends_at = 0;
  bool renews_itself = false; ///< told only when that did not work in time
};

struct renewal {
  bool renewed = false;
  unix_ms ends_at = 0; ///< of the new one
  std::string fault;   ///< why it is due and did not come; empty: nothing was due, or it came
};

/// The engine's side. Thread-safe; calls block.
class upkeep_port {
public:
  virtual ~upkeep_port() = default;
  [[nodiscard]] virtual std::vector<expiry> expiries() const = 0;
  /// One JSON object for the check-in: version, health, expiries.
  [[nodiscard]] virtual std::string health_json() const = 0;
  /// Renews our client certificate once two thirds of its life are over.
  virtual renewal renew_if_due() = 0;
};

inline constexpr std::int64_t expiry_notice_ms = 60LL * 24 * 3600 * 1000;
/// What renews itself two thirds into its life should never come so near.
inline constexpr std::int64_t own_expiry_notice_ms = 7LL * 24 * 3600 * 1000;

/// What was told, and when. Lives as long as the reporter.
struct upkeep_memory {
  std::map<std::string, unix_ms> told_at;
};

/// Sets and clears what `status` shows, and tells events. Makes no call.
void tell_expiries(const plant& p, upkeep_memory& memory);

/// The tenant's token and our own certificate. Blocking; run on an executor.
void run_upkeep(const plant& p) noexcept;

} // namespace pfx::actors::tasks
