// RSA decryption of a short secret, without an oracle: the answer always holds octets, and whoever
// goes on with them cannot be told from outside whether they are the plaintext.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "crypto/private_key.hpp"

namespace pfx::crypto {

/// `paddingScheme` of the imported-PFX API. SHA-1 OAEP and labels do not exist here.
enum class rsa_padding : std::uint8_t { pkcs1 = 1, oaep_sha256, oaep_sha384, oaep_sha512 };
[[nodiscard]] std::string_view name_of(rsa_padding value) noexcept; // "oaepSha256"
/// Any case, as Microsoft's clients write PascalCase and its documents camelCase. Empty for unknown
/// words, for "none" and for "oaepSha1".
[[nodiscard]] std::optional<rsa_padding> rsa_padding_of(std::string_view word) noexcept;

struct rsa_plaintext {
  secret_bytes octets; ///< the plaintext, or random octets of a plausible length
  bool opened = false; ///< for the local audit alone: never branch on it before the end
};

/// RSAES-OAEP (RFC 8017 7.1; hash, MGF1 hash the same, empty label) or RSAES-PKCS1-v1_5 (7.2).
/// Every failure of the ciphertext (length, padding, hash, label) gives random octets in the same
/// time. Errors only for what the caller did wrong: errc::bad_input if the key is not RSA of
/// 2048 to 16384 bits.
[[nodiscard]] result<rsa_plaintext> rsa_decrypt(const private_key& key, rsa_padding padding,
                                                byte_view ciphertext);

/// The other direction, for tools, tests and the sandbox. `public_key_info`: SubjectPublicKeyInfo,
/// DER. errc::too_large if the plaintext does not fit.
[[nodiscard]] result<bytes> rsa_encrypt(byte_view public_key_info, rsa_padding padding,
                                        byte_view plaintext);

} // namespace pfx::crypto
