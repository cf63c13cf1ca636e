// One connector key as octets, and its name as a file's name. Private to this room.
#pragma once

#include "crypto/file_key_store.hpp"
#include "crypto/seal.hpp"

namespace pfx::crypto::detail {

/// errc::bad_input, field "providerName" or "keyName": 1 to 256 octets of printable UTF-8.
[[nodiscard]] result<void> check_key_names(std::string_view provider, std::string_view name);
/// Hexadecimal SHA-256 over both words and ".key": their octets need not fit a file system.
[[nodiscard]] std::string key_file_name(std::string_view provider, std::string_view name);

/// The sealer of key files under this master key.
[[nodiscard]] result<sealer> make_key_sealer(secret_bytes master_key);

/// The file: everything sealed, what may be known of the key too, bound to the file's name and by
/// it to provider and key name.
[[nodiscard]] result<bytes> seal_key(const sealer& under, const connector_key& about,
                                     const private_key& key);

struct opened_key {
  connector_key about;
  secret_bytes pkcs8;
};
/// errc::wrong_key, errc::corrupt; also for a file that lies under another key's name.
[[nodiscard]] result<opened_key> open_key(const sealer& under, const std::string& file_name,
                                          byte_view sealed);
/// The pair itself; errc::corrupt if it is not the one whose public half was stored with it.
[[nodiscard]] result<private_key> pair_of(const opened_key& from);

} // namespace pfx::crypto::detail
