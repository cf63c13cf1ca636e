// Checks of credentials, and assertions.
#include "connect/intune/credential.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "crypto/digest.hpp"
#include "crypto/random.hpp"
#include "crypto/rsa_signature.hpp"

namespace pfx::connect::intune {

std::optional<unix_ms> credential::end() const {
  const auto* certificate = std::get_if<client_certificate>(&proof);
  if (certificate == nullptr)
    return expires;
  return std::min(certificate->cert.not_after(), expires.value_or(INT64_MAX));
}

std::string field_of(const credential& one, std::size_t index) {
  return "credentials[" + std::to_string(index) + "]."
    + (one.is_certificate() ? "certificate" : "secret");
}

result<void> check(const credential& one, std::size_t index) {
  const std::string field = field_of(one, index);
  if (const auto* secret = std::get_if<secret_bytes>(&one.proof); secret != nullptr) {
    const auto text = secret->text();
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
      return failure(errc::bad_input, field, "is empty");
    if (text.size() > secret_bytes_max)
      return failure(errc::too_large, field, "is longer than any secret");
    if (std::any_of(text.begin(), text.end(),
                    [](unsigned char c) { return c <= 0x20 || c == 0x7f; }))
      return failure(errc::bad_input, field,
                     "has a space or line end; perhaps its file ends with one");
    return {};
  }
  const auto& pair = std::get<client_certificate>(one.proof);
  if (!pair.cert.matches(pair.key))
    return failure(errc::bad_input, field, "does not belong to the private key beside it");
  if (!pair.cert.is_rsa() || pair.cert.key_bits() < crypto::rsa_signer_bits_min)
    return failure(errc::not_supported, field, "must have an RSA key of at least 2048 bits");
  return {};
}

result<std::string> make_assertion(const client_certificate& by, const assertion_order& order) {
  using nlohmann::json;
  const std::int64_t now_s = order.now / 1'000;
  const json header = {{"alg", "PS256"},
                       {"typ", "JWT"},
                       {"x5t#S256", crypto::to_base64url(by.cert.thumbprint().octets)}};
  const json claims = {{"aud", std::string(order.audience)},
                       {"iss", std::string(order.client_id)},
                       {"sub", std::string(order.client_id)},
                       {"jti", crypto::random_uuid()},
                       {"nbf", now_s},
                       {"iat", now_s},
                       {"exp", now_s + assertion_life_ms / 1'000}};
  std::string text = crypto::to_base64url(as_bytes(header.dump())) + "."
    + crypto::to_base64url(as_bytes(claims.dump()));
  auto signature = crypto::sign_pss_sha256(by.key, as_bytes(text));
  if (!signature)
    return failure(signature.error());
  return text + "." + crypto::to_base64url(*signature);
}

} // namespace pfx::connect::intune
