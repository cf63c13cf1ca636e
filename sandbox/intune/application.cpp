// A secret as Microsoft Entra makes them, 40 characters, and a self-signed certificate of an RSA
// key.
#include "sandbox/intune/application.hpp"

#include "crypto/issue.hpp"
#include "crypto/random.hpp"

namespace pfx::sandbox {

namespace {

constexpr std::size_t secret_characters = 40;
constexpr unix_ms day_ms = 86'400'000;

} // namespace

std::string application::issuer_of(const bytes& octets) {
  const auto read = crypto::certificate::from_der(octets);
  return read ? read->subject() : std::string();
}

result<application> make_application(unix_ms now) {
  const auto start = (now - day_ms) / 1000 * 1000;
  auto made = crypto::make_root(
    {"CN=Sandbox Application,O=Sandbox", key_algorithm::rsa2048, start, start + 365 * day_ms});
  if (!made) {
    return failure(made.error());
  }
  const auto key = made->key.to_pem();
  if (!key) {
    return failure(key.error());
  }
  const auto secret = crypto::random_password(secret_characters);
  application out{.certificate = std::move(made->cert)};
  out.secret = std::string(secret.text());
  out.key_pem = std::string(key->text());
  return out;
}

} // namespace pfx::sandbox
