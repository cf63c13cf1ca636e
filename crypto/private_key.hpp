// A private key: made, loaded, stored as PKCS#8. Never printed, never copied.
#pragma once

#include <memory>

#include "core/request.hpp"
#include "core/secret.hpp"

namespace pfx::crypto {

namespace detail {
struct access;
} // namespace detail

class private_key {
public:
  private_key(private_key&&) noexcept;
  private_key& operator=(private_key&&) noexcept;
  ~private_key();

  /// RSA: public exponent 65537. EC: named curve. Takes 0.05 ms (P-256) to seconds (RSA-4096).
  [[nodiscard]] static result<private_key> generate(key_algorithm algorithm);
  /// PKCS#8 PrivateKeyInfo, DER, unencrypted: RSA of two primes, at most 8,192 bits, or EC on
  /// P-256, -384 or -521. Judged by its octets before anything computes with it. Refuses trailing
  /// octets.
  [[nodiscard]] static result<private_key> from_pkcs8(byte_view der);
  /// PEM, PKCS#8 or traditional, unencrypted.
  [[nodiscard]] static result<private_key> from_pem(std::string_view pem);

  [[nodiscard]] result<secret_bytes> to_pkcs8() const;
  [[nodiscard]] result<secret_bytes> to_pem() const;
  /// SubjectPublicKeyInfo, DER.
  [[nodiscard]] result<bytes> public_key() const;
  /// SHA-256 of the SubjectPublicKeyInfo: names the key pair in journals.
  [[nodiscard]] digest public_key_hash() const;

private:
  friend struct detail::access;
  struct state;
  explicit private_key(std::unique_ptr<state> s) noexcept;
  std::unique_ptr<state> state_;
};

} // namespace pfx::crypto
