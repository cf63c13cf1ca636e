// Owners of the parts of a PKCS#12 file. Private to this room.
#pragma once

#include "crypto/openssl.hpp"

namespace pfx::crypto {

/// Most iterations that any file of ours is written or read with (docs/protocol.md).
inline constexpr int pkcs12_iterations_max = 2'000'000;

inline void free_bags(STACK_OF(PKCS12_SAFEBAG) * bags) {
  sk_PKCS12_SAFEBAG_pop_free(bags, ::PKCS12_SAFEBAG_free);
}
inline void free_safes(STACK_OF(PKCS7) * safes) { sk_PKCS7_pop_free(safes, ::PKCS7_free); }
inline void free_certificates(STACK_OF(X509) * certificates) {
  sk_X509_pop_free(certificates, ::X509_free);
}

using pkcs12_handle = handle<::PKCS12, ::PKCS12_free>;
using pkcs7_handle = handle<::PKCS7, ::PKCS7_free>;
using bags_handle = handle<STACK_OF(PKCS12_SAFEBAG), &free_bags>;
using safes_handle = handle<STACK_OF(PKCS7), &free_safes>;
using certificates_handle = handle<STACK_OF(X509), &free_certificates>;

/// A file that fills `der` exactly; null otherwise. The size limit is the caller's.
[[nodiscard]] inline pkcs12_handle parse_pkcs12_frame(byte_view der) {
  const unsigned char* cursor = der.data();
  pkcs12_handle out(::d2i_PKCS12(nullptr, &cursor, static_cast<long>(der.size())));
  if (out != nullptr && cursor != der.data() + der.size())
    return nullptr;
  return out;
}

} // namespace pfx::crypto
