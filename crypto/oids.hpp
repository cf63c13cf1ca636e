// Object identifiers as the content octets of their DER form. Private to this room.
#pragma once

#include <cstdint>

namespace pfx::crypto::oids {

inline constexpr std::uint8_t subject_key_identifier[] = {0x55, 0x1d, 0x0e};
inline constexpr std::uint8_t key_usage[] = {0x55, 0x1d, 0x0f};
inline constexpr std::uint8_t subject_alternative_name[] = {0x55, 0x1d, 0x11};
inline constexpr std::uint8_t basic_constraints[] = {0x55, 0x1d, 0x13};
inline constexpr std::uint8_t authority_key_identifier[] = {0x55, 0x1d, 0x23};
inline constexpr std::uint8_t extended_key_usage[] = {0x55, 0x1d, 0x25};
/// PKCS#9 extensionRequest, 1.2.840.113549.1.9.14 (RFC 2985 5.4.2)
inline constexpr std::uint8_t extension_request[]
  = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
/// User principal name, 1.3.6.1.4.1.311.20.2.3
inline constexpr std::uint8_t user_principal_name[]
  = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x14, 0x02, 0x03};
/// szOID_NTDS_CA_SECURITY_EXT, 1.3.6.1.4.1.311.25.2 (MS-WCCE 2.2.2.7.7.4)
inline constexpr std::uint8_t security_identifier_extension[]
  = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x19, 0x02};
/// szOID_NTDS_OBJECTSID, 1.3.6.1.4.1.311.25.2.1
inline constexpr std::uint8_t security_identifier[]
  = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x19, 0x02, 0x01};

} // namespace pfx::crypto::oids
