// Every limit that two rooms share, with its unit last. Limits of one room live in that room.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pfx::limits {

inline constexpr std::size_t body_bytes_max = 32u << 20;         ///< a decompressed HTTP body
inline constexpr std::size_t request_bytes_max = 256u << 10;     ///< one request of a download
inline constexpr std::size_t pfx_bytes_max = 128u << 10;         ///< one PKCS#12 file
inline constexpr std::size_t json_depth_max = 32;
inline constexpr std::size_t batch_requests_max = 500;
inline constexpr std::size_t request_context_bytes_max = 512;
inline constexpr std::size_t recipients_max = 64;
inline constexpr std::size_t extended_key_usages_max = 500;
inline constexpr std::size_t alternative_names_max = 500;
inline constexpr std::size_t certificate_bytes_max = 32u << 10;
inline constexpr std::size_t chain_certificates_max = 8;
inline constexpr std::size_t common_name_characters_max = 64;    ///< RFC 5280, ub-common-name
inline constexpr std::uint8_t generations_max = 8;               ///< txid(0) .. txid(7)
/// Walks over a CA whose answers do not fit, before a request is settled without them.
inline constexpr std::uint32_t walk_doubts_max = 12;
/// The longest silence that a service or a CA may ask for (Retry-After); it is asked again then.
inline constexpr std::int64_t asked_wait_ms_max = 600'000;
inline constexpr std::size_t instances_max = 100;                ///< per tenant

} // namespace pfx::limits
