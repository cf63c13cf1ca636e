// What a hostile service makes of its own good answers to a download. Changes texts, never the
// books; leaves an answer alone that it cannot read without losing something of it.
#pragma once

#include <optional>
#include <string>

#include "sandbox/fault_injector.hpp"

namespace pfx::sandbox {

/// The spoiled body; none if the answer has no request that the fault could befall, or holds
/// entries whose text must not be touched (bad ones). `contexts` are told which were befallen.
[[nodiscard]] std::optional<std::string> spoil_download(drawn_fault& fault, const std::string& body,
                                                        std::string& contexts);

} // namespace pfx::sandbox
