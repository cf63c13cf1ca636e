// From a configuration to a plant: opens the store, reads keys and certificates, makes the clients.
// Internal to the engine; blocks while it works.
#pragma once

#include <memory>
#include <mutex>

#include "actors/tasks/plant.hpp"
#include "actors/tasks/update_work.hpp"
#include "actors/tasks/upkeep.hpp"
#include "actors/tasks/use_limits.hpp"
#include "engine/engine.hpp"

namespace pfx::engine {

/// Everything that the plant points to, in an order in which it can be destroyed.
struct assembly {
  configuration settings;
  event_sink sink;
  std::mutex sink_mutex;         ///< the host's sink is called by one thread at a time
  std::uint64_t sink_faults = 0; ///< exceptions that the host's sink threw
  std::string connector_id;
  std::uint64_t epoch = 0;
  bool unclean_start = false;
  std::unique_ptr<storage::store> store;
  std::unique_ptr<crypto::sealer> sealer;
  std::unique_ptr<connect::service::pfx_request_service> service;
  std::unique_ptr<crypto::recipient_gate> gate;
  std::unique_ptr<crypto::key_store> keys;
  std::unique_ptr<actors::tasks::use_limits> uses;
  std::unique_ptr<actors::tasks::update_work> updates;   ///< nothing without the section "updates"
  std::unique_ptr<connect::intune::connection> tenant;   ///< nothing without the section "intune"
  std::shared_ptr<connect::http::identity_box> identity; ///< what all clients of the service show
  std::unique_ptr<actors::tasks::upkeep_port> upkeep;
  actors::tasks::plant plant;

  void tell(const actors::tasks::report& what);
};

namespace detail {
void take_settings(assembly& a);
} // namespace detail

[[nodiscard]] result<std::unique_ptr<assembly>> assemble(configuration settings, event_sink sink);

} // namespace pfx::engine
