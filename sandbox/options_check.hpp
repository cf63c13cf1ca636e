// Options of the sandbox that mean nothing, found before anything is made.
#pragma once

#include "sandbox/sandbox.hpp"

namespace pfx::sandbox {

/// errc::bad_input or errc::too_large with the option's name. The mix is checked by the order book.
[[nodiscard]] result<void> check(const options& how);

} // namespace pfx::sandbox
