// The application that a client of the sandbox's tenant signs in as: made anew at each start, with
// a secret and a certificate of its own. For nothing but a test bed.
#pragma once

#include <string>

#include "core/clock.hpp"
#include "crypto/certificate.hpp"

namespace pfx::sandbox {

struct application {
  std::string tenant = "7e57ca5e-0000-4000-8000-5a4db0a00001";
  std::string client_id = "7e57ca5e-0000-4000-8000-5a4db0a00002";
  std::string secret;
  crypto::certificate certificate;
  std::string key_pem;

  /// The subject of a CA's certificate, RFC 4514; empty if it is none.
  [[nodiscard]] static std::string issuer_of(const bytes& certificate);
};

[[nodiscard]] result<application> make_application(unix_ms now);

} // namespace pfx::sandbox
