// Ed25519 (RFC 8032 5.1): keys and signatures of releases. Knows nothing of what is signed.
#pragma once

#include <array>

#include "core/secret.hpp"

namespace pfx::crypto {

using ed25519_public = std::array<std::uint8_t, 32>;
using ed25519_signature = std::array<std::uint8_t, 64>;

struct ed25519_pair {
  secret_bytes seed; ///< 32 octets, the private key of RFC 8032
  ed25519_public key{};
};

[[nodiscard]] result<ed25519_pair> make_ed25519();
/// The pair of a seed. errc::bad_input, field "key", for anything but 32 octets.
[[nodiscard]] result<ed25519_pair> ed25519_from(secret_bytes seed);
/// errc::crypto if it fails.
[[nodiscard]] result<ed25519_signature> sign_ed25519(const ed25519_pair& by, byte_view octets);
/// False for a signature that is not over these octets, and for a key that is no point.
[[nodiscard]] bool verify_ed25519(const ed25519_public& by, byte_view octets,
                                  const ed25519_signature& signature) noexcept;

} // namespace pfx::crypto
