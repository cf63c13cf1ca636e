// The values that certificates, CRLs and OCSP answers share: moments, serial numbers, extensions,
// key identifiers. Checks syntax, decides nothing. Private to this room.
#pragma once

#include <optional>
#include <vector>

#include "core/clock.hpp"
#include "crypto/certificate.hpp"
#include "crypto/der.hpp"

namespace pfx::crypto {

inline constexpr std::size_t serial_octets_max = 20; ///< RFC 5280 4.1.2.2
inline constexpr std::size_t read_extensions_max = 32;

/// Time (RFC 5280 4.1.2.5): UTCTime through 2049, GeneralizedTime from 2050 on; seconds only.
[[nodiscard]] result<bytes> encode_time(unix_ms moment, const char* field);
/// GeneralizedTime in any year, for the fields that have no choice.
[[nodiscard]] result<bytes> encode_generalized_time(unix_ms moment, const char* field);
/// UTCTime or GeneralizedTime; nothing if it is neither.
[[nodiscard]] std::optional<unix_ms> moment_of(const der::element& time);

/// Serial numbers as people compare them: lower-case hex, no leading zeros; negative ones exist in
/// the wild and get a sign.
[[nodiscard]] std::string serial_text(byte_view content);
/// The INTEGER of such a text: positive, not zero, at most serial_octets_max.
[[nodiscard]] std::optional<bytes> serial_integer(std::string_view hex);

struct x509_extension {
  byte_view oid; ///< content octets
  bool critical = false;
  byte_view value; ///< content of the OCTET STRING
};
/// The content of an `Extensions` SEQUENCE; nothing if one is malformed or stands twice, or if they
/// are too many.
[[nodiscard]] std::optional<std::vector<x509_extension>> read_extensions(byte_view content);

/// RFC 5280 4.2.1.2 (1): the SHA-1 of the key's bits. A name, not a safeguard.
[[nodiscard]] bytes key_identifier(byte_view public_key_info);
/// The issuer's own subject key identifier, so that chains build by it.
[[nodiscard]] bytes identifier_of(const certificate& issuer);
[[nodiscard]] bytes subject_key_extension(byte_view identifier);
[[nodiscard]] bytes authority_key_extension(byte_view identifier);

} // namespace pfx::crypto
