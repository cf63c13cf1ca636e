// Connector keys: the RSA keys that open the passwords of imported PFX files. A store decrypts with
// a key and never gives it away, so that a token can stand behind the same interface.
#pragma once

#include <string>
#include <vector>

#include "core/clock.hpp"
#include "crypto/rsa_decrypt.hpp"

namespace pfx::crypto {

namespace limits_of_keys {
inline constexpr std::size_t name_octets_max = 256; ///< of providerName and of keyName
inline constexpr std::size_t keys_max = 100;        ///< as many as the service takes
inline constexpr int bits_min = 2048;
inline constexpr int bits_max = 4096; ///< of keys that are made or imported
} // namespace limits_of_keys

/// What may be known of a key.
struct connector_key {
  std::string provider; ///< providerName: the administrator's word, compared octet by octet
  std::string name;     ///< keyName
  int bits = 0;         ///< 2048 to 4096
  std::vector<rsa_padding> paddings; ///< allowed for decryption
  bool exportable = false;
  unix_ms created_at = 0;
  bytes public_key; ///< SubjectPublicKeyInfo, DER
};

/// All keys of a store, and what else lies where keys lie: one file that is damaged hides no other.
struct key_listing {
  std::vector<connector_key> keys; ///< by provider and name
  std::vector<error> faults;       ///< of keys that cannot be read; `field` names the file
};

/// Thread-safe.
class key_store {
public:
  virtual ~key_store() = default;
  /// Sees keys that were added since by another process. Fails only if nothing can be looked at.
  [[nodiscard]] virtual result<key_listing> list() const = 0;
  /// errc::not_found, field "keyName".
  [[nodiscard]] virtual result<connector_key> find(std::string_view provider,
                                                   std::string_view name) const = 0;
  /// errc::not_found; errc::policy, field "paddingScheme", if the key does not allow the padding;
  /// errc::corrupt, errc::wrong_key, errc::io of the store. A bad ciphertext is no error
  /// (rsa_decrypt.hpp).
  [[nodiscard]] virtual result<rsa_plaintext> decrypt(std::string_view provider,
                                                      std::string_view name, rsa_padding padding,
                                                      byte_view ciphertext) const = 0;
};

} // namespace pfx::crypto
