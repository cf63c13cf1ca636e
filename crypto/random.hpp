// Random octets from OpenSSL's generators: public for what travels in clear, private for secrets.
#pragma once

#include <cstdint>
#include <string>

#include "core/secret.hpp"

namespace pfx::crypto {

[[nodiscard]] bytes random_bytes(std::size_t size);         ///< RAND_bytes
[[nodiscard]] secret_bytes random_secret(std::size_t size); ///< RAND_priv_bytes
[[nodiscard]] std::uint64_t random_u64();
[[nodiscard]] std::string random_uuid(); ///< RFC 4122 section 4.4 (version 4), lower case
/// `characters` of [A-Za-z0-9], unbiased, from the private generator (docs/protocol.md, PFX
/// password).
[[nodiscard]] secret_bytes random_password(std::size_t characters = 32);

} // namespace pfx::crypto
