// What a running engine takes over from a configuration that was changed, and what it cannot.
#pragma once

#include "engine/configuration.hpp"
#include "engine/logging.hpp"

namespace pfx::app {

/// Reads the file again on request. Takes over the log's level; names every other setting that
/// differs from what the engine was started with, for a restart. A file with faults changes
/// nothing.
class reloader {
public:
  /// Both outlive the object. `started_with`: as the engine got it.
  reloader(const engine::configuration& started_with, const engine::log& out)
      : started_with_(started_with), out_(out) {}
  void reload() const;

private:
  const engine::configuration& started_with_;
  const engine::log& out_;
};

} // namespace pfx::app
