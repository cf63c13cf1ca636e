// What the engine proves itself with, and when each of it ends; the renewal of its own certificate;
// how it is, told to the service with each check-in. Private to engine/.
#pragma once

#include <mutex>

#include "actors/tasks/upkeep.hpp"
#include "connect/http/client.hpp"
#include "engine/configuration.hpp"

namespace pfx::engine {

/// Thread-safe. `plant` outlives it.
class upkeep final : public actors::tasks::upkeep_port {
public:
  upkeep(const configuration& settings, const actors::tasks::plant& plant,
         std::shared_ptr<connect::http::identity_box> box)
      : settings_(settings), plant_(plant), box_(std::move(box)), started_at_(plant.time->wall()) {}

  [[nodiscard]] std::vector<actors::tasks::expiry> expiries() const override;
  [[nodiscard]] std::string health_json() const override;
  actors::tasks::renewal renew_if_due() override;

private:
  const configuration& settings_;
  const actors::tasks::plant& plant_;
  std::shared_ptr<connect::http::identity_box> box_;
  unix_ms started_at_;
  std::mutex renewing_; ///< one renewal at a time
};

} // namespace pfx::engine
