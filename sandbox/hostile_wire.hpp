// Between the server and the service: answers that come late, damaged, wrong or never. Whatever
// happens to an answer, what the service has recorded stays recorded.
#pragma once

#include "connect/http/server.hpp"
#include "sandbox/fault_injector.hpp"

namespace pfx::sandbox {

/// The call of a target: "PfxRequests/upload", "CertificateAuthority/find", "oauth2/token"; empty
/// for others.
[[nodiscard]] std::string call_of(std::string_view target);

/// `inner` with the faults of the wire. What it refers to must outlive it.
[[nodiscard]] connect::http::handler make_hostile(connect::http::handler inner,
                                                  fault_injector& faults, journal& log);

} // namespace pfx::sandbox
