// What the timing measurement feeds: ciphertexts of every kind of fault, made from the outside with
// the public key (and, to place a fault exactly, the private one), and files to try them on.
#pragma once

#include <time.h>

#include <string>
#include <vector>

#include "crypto/certificate.hpp"
#include "crypto/rsa_decrypt.hpp"

namespace pfx::oracle {

/// One kind of input. A fresh ciphertext for every measurement, so that nothing is warm.
struct kind {
  std::string name;
  bool opens = false; ///< the right password for the file
};

/// A series compares kinds of input under one padding scheme and one file.
struct series {
  std::string name;
  crypto::rsa_padding padding = crypto::rsa_padding::oaep_sha256;
  std::vector<kind> kinds;
};

class cases {
public:
  /// Makes an RSA-2048 key and the files; seconds.
  explicit cases(int iterations);

  [[nodiscard]] const crypto::private_key& key() const noexcept { return key_; }
  [[nodiscard]] const std::vector<series>& all() const noexcept { return all_; }
  /// For this kind: the ciphertext of a password ...
  [[nodiscard]] bytes ciphertext(const series& of, const kind& what) const;
  /// ... and the file it is tried on.
  [[nodiscard]] const bytes& file(const series& of, const kind& what) const;
  /// SHA-256 of the certificate in the files.
  [[nodiscard]] const std::string& thumbprint() const noexcept { return thumbprint_; }

private:
  [[nodiscard]] bytes encrypt(crypto::rsa_padding padding, std::string_view text) const;
  [[nodiscard]] bytes fault_in_oaep(const std::string& name) const;
  [[nodiscard]] bytes fault_in_pkcs1(const std::string& name) const;

  crypto::private_key key_;
  bytes public_key_;
  std::vector<series> all_;
  bytes with_mac_, without_mac_, bad_padding_, bad_structure_, bad_certificate_;
  std::string thumbprint_;
};

/// Nanoseconds.
[[nodiscard]] std::int64_t read_clock(clockid_t which);
/// CPU time of one PBKDF2-HMAC-SHA-256 of 32 octets, in nanoseconds.
[[nodiscard]] std::int64_t time_of_derivation(int iterations);

} // namespace pfx::oracle
