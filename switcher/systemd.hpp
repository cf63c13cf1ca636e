// systemd, or whatever takes the same two commands: asked through a child process with a limit of
// time. No library, no bus of our own.
#pragma once

#include <memory>
#include <string>

#include "release/switch.hpp"

namespace pfx::switcher {

/// `command` is run with "restart UNIT" and "show --property=ActiveState --property=MainPID UNIT".
[[nodiscard]] std::unique_ptr<release::service_control> make_service(std::string command,
                                                                     std::string unit);

} // namespace pfx::switcher
