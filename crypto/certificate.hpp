// An X.509 certificate, parsed once, immutable, shareable between threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/request.hpp"
#include "crypto/private_key.hpp"

namespace pfx::crypto {

class certificate {
public:
  /// Exactly one DER certificate, at most limits::certificate_bytes_max; refuses trailing octets.
  [[nodiscard]] static result<certificate> from_der(byte_view der);
  /// For octets that from_der took before and that nobody could have changed since (sealed ones,
  /// the same ones again): OpenSSL reads them only when it is needed.
  [[nodiscard]] static result<certificate> from_known_der(byte_view der);
  /// The first certificate of a PEM text.
  [[nodiscard]] static result<certificate> from_pem(std::string_view pem);
  /// All certificates of a PEM text (at most 1,000), for trust bundles.
  [[nodiscard]] static result<std::vector<certificate>> all_from_pem(std::string_view pem);

  [[nodiscard]] const bytes& der() const noexcept;
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] const digest& thumbprint() const noexcept;      ///< SHA-256 of the DER
  [[nodiscard]] const digest& public_key_hash() const noexcept; ///< SHA-256 of the SPKI
  [[nodiscard]] const std::string& serial() const noexcept;  ///< lower-case hex, no leading zeros
  [[nodiscard]] const std::string& issuer() const noexcept;  ///< RFC 4514
  [[nodiscard]] const std::string& subject() const noexcept; ///< RFC 4514
  [[nodiscard]] std::string common_name() const;             ///< first CN, empty if none
  [[nodiscard]] unix_ms not_before() const noexcept;
  [[nodiscard]] unix_ms not_after() const noexcept;
  [[nodiscard]] bool is_ca() const noexcept;
  [[nodiscard]] bool is_rsa() const noexcept;
  [[nodiscard]] bool is_ec() const noexcept;
  [[nodiscard]] int key_bits() const noexcept;
  /// The KeyUsage bits; all bits set if the extension is absent (RFC 5280 4.2.1.3).
  [[nodiscard]] key_usages usages() const noexcept;
  [[nodiscard]] std::vector<std::string> extended_usages() const; ///< dotted OIDs; empty if absent
  [[nodiscard]] std::vector<alternative_name> alternative_names() const; ///< of the six known types
  /// The SID of extension 1.3.6.1.4.1.311.25.2, or empty.
  [[nodiscard]] std::string security_identifier() const;
  /// True if `key` is the private half of this certificate's key.
  [[nodiscard]] bool matches(const private_key& key) const;
  /// True if the names chain and `issuer_certificate`'s key is one that verifies within
  /// milliseconds (RSA to 8,192 bits with an exponent of at most 64, a named curve, …). No
  /// signature is looked at.
  [[nodiscard]] bool could_be_issued_by(const certificate& issuer_certificate) const;
  /// True if it could, and `issuer_certificate`'s key signed this certificate.
  [[nodiscard]] bool issued_by(const certificate& issuer_certificate) const;

private:
  friend struct detail::access;
  struct state;
  explicit certificate(std::shared_ptr<const state> s) noexcept;
  std::shared_ptr<const state> state_;
};

/// Verifies `leaf` up to one of `roots` at the moment `now`, with `intermediates` to help.
/// Signature algorithms below 112 bits of security are refused. errc::policy with the verifier's
/// words.
[[nodiscard]] result<void> verify_chain(const certificate& leaf,
                                        const std::vector<certificate>& intermediates,
                                        const std::vector<certificate>& roots, unix_ms now);

} // namespace pfx::crypto
