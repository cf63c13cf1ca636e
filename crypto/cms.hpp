// CMS EnvelopedData (RFC 5652): a password encrypted to one device.
#pragma once

#include "crypto/certificate.hpp"

namespace pfx::crypto {

/// AES-256-CBC, issuerAndSerialNumber. RSA: PKCS#1 v1.5 or OAEP-SHA-256 (with MGF1-SHA-256) as
/// `transport` says; EC: ephemeral-static ECDH, stdDH-sha256kdf, aes256-wrap (docs/protocol.md,
/// Passwords to devices). errc::policy, field "keyTransport", if the transport does not fit the
/// key.
[[nodiscard]] result<bytes> encrypt_to(const certificate& recipient, key_transport transport,
                                       byte_view plaintext);

/// Opens what encrypt_to made. One error for every cause.
[[nodiscard]] result<secret_bytes> decrypt_with(const certificate& recipient,
                                                const private_key& key, byte_view enveloped_data);

} // namespace pfx::crypto
