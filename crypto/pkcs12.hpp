// PKCS#12 files (RFC 7292) with every parameter set explicitly.
#pragma once

#include "crypto/certificate.hpp"

namespace pfx::crypto {

/// One row of the profile table in docs/protocol.md.
struct pkcs12_options {
  enum class encryption : std::uint8_t { pbes2_aes256_cbc, pbe_sha1_3des };
  encryption cipher = encryption::pbes2_aes256_cbc;
  int kdf_iterations = 2048;
  int kdf_salt_bytes = 16;
  hash_algorithm prf = hash_algorithm::sha256; ///< PBKDF2 PRF, PBES2 only
  bool mac_sha1 = false;                       ///< HMAC-SHA-1 instead of HMAC-SHA-256
  int mac_iterations = 2048;
  int mac_salt_bytes = 16;

  /// PBES2 AES-256-CBC, PBKDF2-HMAC-SHA-256, HMAC-SHA-256, 16-byte salts.
  [[nodiscard]] static pkcs12_options modern();
  /// As modern with 8-octet salts, for macOS.
  [[nodiscard]] static pkcs12_options compatible();
  /// pbeWithSHA1And3-KeyTripleDES-CBC, PKCS#12 KDF, HMAC-SHA-1, 8-octet salts: for iOS, Windows
  /// Server up to 2016, Android up to 12.
  [[nodiscard]] static pkcs12_options legacy();
  /// `profile` is one of the three that are written.
  [[nodiscard]] static pkcs12_options of(pfx_profile profile);
};

struct pkcs12_input {
  const private_key& key;
  const certificate& leaf;
  const std::vector<certificate>& chain; ///< without the root; the order is kept
  std::string friendly_name;
  const secret_bytes& password;
};
/// Leaf first, then the chain; friendlyName, localKeyID on key and leaf.
[[nodiscard]] result<bytes> build_pkcs12(const pkcs12_input& input, const pkcs12_options& options);

/// What a reader finds in a file with one key: its certificate, and all others in their order. For
/// files of our own making; it reads them as pfx_file does, with all its limits.
struct pkcs12_content {
  private_key key;
  certificate leaf;
  std::vector<certificate> chain;
  std::string friendly_name;
};
[[nodiscard]] result<pkcs12_content> read_pkcs12(byte_view der, const secret_bytes& password);

/// The parameters that a file was written with, found by parsing its octets.
struct pkcs12_parameters {
  std::string key_encryption; ///< dotted OID of the cipher, e.g. 2.16.840.1.101.3.4.1.42
  std::string cert_encryption;
  std::string kdf; ///< dotted OID of the KDF, or of the PBE algorithm
  std::string prf; ///< dotted OID, empty for PKCS#12 KDF
  int kdf_iterations = 0;
  int kdf_salt_bytes = 0;
  std::string mac_digest; ///< dotted OID
  int mac_iterations = 0;
  int mac_salt_bytes = 0;
};
/// Needs the password, because key parameters lie inside encrypted contents in some files.
[[nodiscard]] result<pkcs12_parameters> inspect_pkcs12(byte_view der, const secret_bytes& password);

} // namespace pfx::crypto
