// Whether the service takes us for who we are: what status shows while it does not.
#pragma once

#include "connect/service/client.hpp"

namespace pfx::actors::tasks {

struct plant;

/// Told after each call to the service: nullptr after an answer. A refusal of our certificate (401,
/// 403) stands in `plant::attention` until a call is answered, and so does a server or proxy that
/// is not who it must be, in other words: an administrator has to look elsewhere then. Other faults
/// change nothing.
void note_acceptance(const plant& p, const connect::service::call_error* fault);

} // namespace pfx::actors::tasks
