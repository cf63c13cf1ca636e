// The work a PKCS#12 file asks for: keys from passwords, decryption, MACs. Runs what it is told:
// whoever calls it has held the counts against their limits. Private to this room.
#pragma once

#include "crypto/pfx_parts.hpp"

namespace pfx::crypto::pfx_parts {

/// One way to read a password. RFC 7292 B.1 wants UTF-16 with a terminator, PBES2 plain octets.
struct password_form {
  secret_bytes octets;
  secret_bytes bmp;
  bool transcoded = false; ///< `octets` are not those given
};
/// The forms to try, in this order. UTF-8: itself. Empty: with and without the terminator, for
/// writers differ. Else: the octets, then their Latin-1 meaning as UTF-8. Empty if OpenSSL fails.
[[nodiscard]] std::vector<password_form> forms_of(const secret_bytes& password);

/// False if OpenSSL on this machine lacks it (RC2 without the legacy provider).
[[nodiscard]] bool has_cipher(cipher which) noexcept;

/// The plain octets; not_opened if the padding says that the key is wrong.
[[nodiscard]] pfx_result<secret_bytes> decrypt(const encryption& lock,
                                               const password_form& password);
/// not_opened if the MAC is another.
[[nodiscard]] pfx_result<void> verify(const mac_check& mac, byte_view authenticated,
                                      const password_form& password);

} // namespace pfx::crypto::pfx_parts
