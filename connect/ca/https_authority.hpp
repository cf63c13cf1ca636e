// A CA that speaks the "pfxengine CA service" over mutual TLS.
#pragma once

#include "connect/ca/authority.hpp"
#include "connect/http/client.hpp"

namespace pfx::connect::ca {

[[nodiscard]] result<std::unique_ptr<authority>> make_https_authority(http::client_options options);

} // namespace pfx::connect::ca
