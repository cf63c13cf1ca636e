// A management service that is left alone for a while when it does not answer.
#pragma once

#include <functional>
#include <memory>

#include "connect/service/client.hpp"
#include "core/breaker.hpp"

namespace pfx::connect::service {

/// What is held back is errc::unavailable with a `retry_after_ms`: nothing was sent. Answers that
/// say no (staleEpoch, unauthorized) are answers. `time` must outlive it. `heard`, if given, is
/// told after each call that was made: nullptr, or why there was no answer; from any thread.
[[nodiscard]] std::unique_ptr<pfx_request_service> with_breaker(
  std::unique_ptr<pfx_request_service> calls, const clock& time,
  std::function<std::uint64_t()> random, std::function<void(const call_error*)> heard = {});

} // namespace pfx::connect::service
