// A feed of releases over HTTPS: static files below one address. Believes nothing of what it hands
// out; refuses redirects and answers longer than what was asked for.
#pragma once

#include <memory>
#include <string>

#include "release/feed.hpp"

namespace pfx::actors::tasks {

/// Longest time of one call; below the engine's own deadline for a stop.
inline constexpr std::int64_t feed_call_ms = 15'000;

/// `url`: "https://…"; `roots_pem`: verifies the server, empty = the system's roots.
[[nodiscard]] result<std::unique_ptr<release::feed>> open_https_feed(const std::string& url,
                                                                     const std::string& roots_pem);

} // namespace pfx::actors::tasks
