// The fields of a TBSCertificate (RFC 5280 4.1), read without building OpenSSL's object. Checks the
// frame only; what is inside names and keys is checked by who uses it. Private to this room.
#pragma once

#include "core/bytes.hpp"
#include "core/clock.hpp"

namespace pfx::crypto {

struct certificate_fields {
  std::string serial; ///< lower-case hex, no leading zeros
  bytes issuer;       ///< Name, DER
  bytes subject;      ///< Name, DER
  bytes public_key;   ///< SubjectPublicKeyInfo, DER
  unix_ms not_before = 0;
  unix_ms not_after = 0;
};

/// errc::bad_input, field "certificate".
[[nodiscard]] result<certificate_fields> read_certificate_fields(byte_view der);

} // namespace pfx::crypto
