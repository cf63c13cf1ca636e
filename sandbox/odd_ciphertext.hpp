// RSA ciphertexts as a careless or hostile sender makes them, which the engine must not open: OAEP
// with other hashes than the protocol's, or with a label. Written out here because no library of
// ours makes them. Its arithmetic takes no care of time: never for anything secret.
#pragma once

#include <string>

#include "core/bytes.hpp"

namespace pfx::sandbox {

enum class oaep_hash : std::uint8_t { sha1 = 1, sha256 };

/// RSAES-OAEP (RFC 8017 7.1.1) in any form.
struct oaep_form {
  oaep_hash hash = oaep_hash::sha256;
  oaep_hash mask = oaep_hash::sha256; ///< of MGF1
  std::string label;
};

/// `public_key_info`: SubjectPublicKeyInfo of an RSA key, DER. errc::bad_input for another key,
/// errc::too_large if the plaintext does not fit.
[[nodiscard]] result<bytes> encrypt_oddly(byte_view public_key_info, const oaep_form& form,
                                          byte_view plaintext);

} // namespace pfx::sandbox
