// An authority that is left alone for a while when it does not answer.
#pragma once

#include <memory>

#include "connect/ca/authority.hpp"
#include "core/breaker.hpp"

namespace pfx::connect::ca {

/// What is held back is `unknown` with `maybe_arrived` false and a `retry_after_ms`: nothing was
/// sent. `time` must outlive it.
[[nodiscard]] std::unique_ptr<authority> with_breaker(std::unique_ptr<authority> calls,
                                                      const clock& time,
                                                      std::function<std::uint64_t()> random);

} // namespace pfx::connect::ca
