// Sealing at rest: AES-256-GCM under subkeys of one master key (docs/lifecycle.md, Sealing).
#pragma once

#include <memory>
#include <string>

#include "core/secret.hpp"

namespace pfx::crypto {

/// Where a sealed blob lies; bound into it, so that two records can't be exchanged.
struct seal_place {
  std::uint8_t record_type = 0;
  byte_view key; ///< the record's storage key
};

/// Thread-safe. Subkey = HKDF-SHA-256(master key, store id || epoch || record type); random 96-bit
/// nonces; at most 2^32 seals per subkey, then errc::too_large (epochs make that unreachable).
class sealer {
public:
  /// `master_key` is 32 octets. `epoch` grows at every start on a data directory.
  [[nodiscard]] static result<sealer> make(secret_bytes master_key, byte_view store_id,
                                           std::uint64_t epoch);
  sealer(sealer&&) noexcept;
  sealer& operator=(sealer&&) noexcept;
  ~sealer();

  /// Format: version, key id (8 octets), epoch, nonce, ciphertext, tag.
  [[nodiscard]] result<bytes> seal(const seal_place& place, byte_view plaintext) const;
  /// errc::wrong_key if the key id is another's, errc::corrupt if the tag does not verify.
  [[nodiscard]] result<secret_bytes> open(const seal_place& place, byte_view sealed) const;
  /// First 8 octets of a hash of the master key, domain separated: names it without telling it.
  [[nodiscard]] bytes key_id() const;

private:
  struct state;
  explicit sealer(std::unique_ptr<state> s) noexcept;
  std::unique_ptr<state> state_;
};

/// The same name of a key, without a sealer.
[[nodiscard]] result<bytes> master_key_id(const secret_bytes& master_key);

/// Reads a file that holds a secret: a regular file, mode without group and other rights, owned by
/// us or root. Errors name the path.
[[nodiscard]] result<secret_bytes> read_secret_file(const std::string& path,
                                                    std::size_t octets_max);
/// Reads a master key file: a regular file, mode without group and other rights, owned by us or
/// root, 64 hex digits (a newline may follow) or 32 raw octets. Errors name the path.
[[nodiscard]] result<secret_bytes> read_master_key(const std::string& path);
/// Makes a new random master key file (never over another, mode 0600, synced with its folder).
[[nodiscard]] result<void> write_new_master_key(const std::string& path);
/// The same with a key that exists already: 32 octets.
[[nodiscard]] result<void> write_master_key(const std::string& path, const secret_bytes& key);

} // namespace pfx::crypto
