// Keys as files of others: which form lies there, and writing PEM. Private to engine/.
#pragma once

#include "crypto/private_key.hpp"
#include "engine/keys.hpp"

namespace pfx::engine::detail {

/// Finds out the form by its first octets. Errors: field "from"; errc::not_supported for what is
/// recognised and not read (encrypted, public, PKCS#12), errc::bad_input for anything else.
[[nodiscard]] result<crypto::private_key> read_private_key(const secret_bytes& octets);

/// "-----BEGIN PUBLIC KEY-----", lines of 64 characters (RFC 7468).
[[nodiscard]] std::string public_key_pem(byte_view public_key_info);

} // namespace pfx::engine::detail
