// Every key of the store is built here and nowhere else: one octet of family, then length-prefixed
// texts and big-endian numbers, so that the order of the octets is the order of the values.
#pragma once

#include <optional>
#include <string_view>

#include "core/record.hpp"

namespace pfx::storage::keys {

/// The first octet of every key. Numbers are part of the stored format: never reused.
enum class prefix : std::uint8_t {
  audit = 'a',   ///< sequence
  blob = 'b',    ///< request, blob kind
  due = 'd',     ///< time, request: something of this request may be purged from then on
  engine = 'e',  ///< the store's own facts: format, id, running
  issued = 'i',  ///< authority, serial number
  meta = 'm',    ///< name given by the caller
  notice = 'n',  ///< SCEP request
  order = 'o',   ///< revocation order
  reported = 'q', ///< revocation order
  record = 'r',  ///< request
  settled = 's', ///< request
  trail = 't',   ///< request, number
  surplus = 'u', ///< request, authority, issuer, serial number
};

inline constexpr std::size_t tenant_bytes_max = 256;
inline constexpr std::size_t meta_name_bytes_max = 64;

/// Refuses what no request can be called: errc::bad_input, field "request_key". A context has at
/// most 512 octets, or 8,192 of a revocation order.
[[nodiscard]] result<void> check(const request_key& key);

[[nodiscard]] bytes record(const request_key& key);
[[nodiscard]] bytes settled(const request_key& key);
[[nodiscard]] bytes blob(const request_key& key, blob_kind kind);
[[nodiscard]] bytes trail(const request_key& key, std::uint64_t number);
[[nodiscard]] bytes surplus(const surplus_certificate& value);
[[nodiscard]] bytes order(const request_key& key);
[[nodiscard]] bytes reported(const request_key& key);
[[nodiscard]] bytes notice(const request_key& key);
[[nodiscard]] bytes issued(std::string_view authority, std::string_view serial);
[[nodiscard]] bytes audit(std::uint64_t sequence);
[[nodiscard]] bytes meta(std::string_view name);
[[nodiscard]] bytes engine(std::string_view name);
[[nodiscard]] bytes due(unix_ms at, const request_key& key);

// -- ranges: [first, last) ------

struct range {
  bytes first;
  bytes last;
};
[[nodiscard]] range all(prefix family);
[[nodiscard]] range trail_of(const request_key& key);
[[nodiscard]] range surplus_of(const request_key& key);
[[nodiscard]] range audit_from(std::uint64_t sequence);
/// Issued certificates of the authorities behind `authority`; an empty one: of all.
[[nodiscard]] range issued_behind(std::string_view authority);
/// What is due at a time before `at`.
[[nodiscard]] range due_before(unix_ms at);

// -- and back: an empty optional for octets that are no such key ------

/// Of a record's or a settled record's key.
[[nodiscard]] std::optional<request_key> request_of(prefix family, byte_view key);
[[nodiscard]] std::optional<request_key> request_of_due(byte_view key);
[[nodiscard]] std::optional<std::string> authority_of_issued(byte_view key);
[[nodiscard]] std::optional<std::uint64_t> audit_sequence(byte_view key);
struct blob_place {
  request_key request;
  blob_kind kind = blob_kind::request;
};
[[nodiscard]] std::optional<blob_place> blob_of(byte_view key);

} // namespace pfx::storage::keys
