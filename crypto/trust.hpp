// Recipients: which device certificates may receive a secret, parsed and judged once per
// certificate.
#pragma once

#include <memory>

#include "crypto/certificate.hpp"

namespace pfx::crypto {

/// `recipients.trust` of the configuration.
struct recipient_policy {
  std::vector<certificate> roots; ///< must not be empty
  std::vector<certificate> intermediates;
  /// How subject or SAN must name the request's deviceId.
  enum class device_match : std::uint8_t { common_name, dns_or_uri_san, any_of_these, off };
  device_match match = device_match::any_of_these;
  int rsa_bits_min = 2048;
  std::size_t cached_certificates_max = 10'000;
};

/// Thread-safe, bounded cache of parsed and chain-verified recipient certificates (LRU).
class recipient_gate {
public:
  explicit recipient_gate(recipient_policy policy);
  ~recipient_gate();

  /// Parses (or finds) the certificate and checks everything: chain and time at `now`, end entity,
  /// key usage (RSA keyEncipherment, EC keyAgreement), key size, transport fits the key, device id
  /// named. Errors: errc::bad_input or errc::policy, field "recipients[i].certificate" or
  /// "….keyTransport".
  [[nodiscard]] result<certificate> admit(const recipient& who, std::size_t index,
                                          std::string_view device_id, unix_ms now);

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace pfx::crypto
