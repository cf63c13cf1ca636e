// Connector keys in a folder: one sealed file each (mode 0600), its name a hash of provider and key
// name. Several processes may read; a file appears whole or not at all and is never overwritten.
#pragma once

#include <memory>

#include "crypto/key_store.hpp"

namespace pfx::crypto {

struct new_key {
  std::string provider;
  std::string name;
  std::vector<rsa_padding> paddings; ///< empty = the three of OAEP
  bool exportable = false;
};

class file_key_store final : public key_store {
public:
  /// `directory` is made (mode 0700) with the first key. `master_key` is 32 octets; it seals under
  /// a domain of its own, so that files outlive any store.
  [[nodiscard]] static result<std::unique_ptr<file_key_store>> open(std::string directory,
                                                                    secret_bytes master_key);
  ~file_key_store() override;

  [[nodiscard]] result<key_listing> list() const override;
  [[nodiscard]] result<connector_key> find(std::string_view provider,
                                           std::string_view name) const override;
  [[nodiscard]] result<rsa_plaintext> decrypt(std::string_view provider, std::string_view name,
                                              rsa_padding padding,
                                              byte_view ciphertext) const override;

  /// Everything that import() asks of names, paddings and key, without a look at the folder:
  /// errc::bad_input, field "providerName", "keyName", "paddings" or "key".
  [[nodiscard]] static result<void> check(const new_key& what, const private_key* key = nullptr);
  /// RSA 2048, 3072 or 4096. errc::conflict if the name exists.
  [[nodiscard]] result<connector_key> create(const new_key& what, key_algorithm algorithm);
  /// errc::conflict if the name exists, errc::bad_input if it is not RSA of 2048 to 4096 bits.
  [[nodiscard]] result<connector_key> import(const new_key& what, const private_key& key);
  /// errc::policy if the key was not made exportable.
  [[nodiscard]] result<private_key> export_key(std::string_view provider,
                                               std::string_view name) const;
  [[nodiscard]] result<void> remove(std::string_view provider, std::string_view name);
  /// Seals every file again under another master key; a repeat after a crash goes on.
  [[nodiscard]] result<std::size_t> reseal(const secret_bytes& next_master_key);

private:
  struct state;
  explicit file_key_store(std::unique_ptr<state> s) noexcept;
  std::unique_ptr<state> state_;
};

} // namespace pfx::crypto
