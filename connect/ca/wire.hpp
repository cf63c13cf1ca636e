// Bodies of the "pfxengine CA service", both directions (docs/protocol.md, CA interface). Text in,
// values out; no I/O. Refuses duplicate keys, wrong types and words it does not know, naming the
// field.
#pragma once

#include <string>

#include "connect/ca/authority.hpp"
#include "core/limits.hpp"

namespace pfx::connect::ca::wire {

inline constexpr std::string_view api_version = "2026-11-01";
inline constexpr std::size_t chain_max = limits::chain_certificates_max;

[[nodiscard]] std::string encode_submit(const submission& what);
[[nodiscard]] result<submission> decode_submit(std::string_view body);
/// find and close have the same body.
[[nodiscard]] std::string encode_find(const digest& transaction_id);
[[nodiscard]] result<digest> decode_find(std::string_view body);
[[nodiscard]] std::string encode_revoke(const revoke_order& what);
[[nodiscard]] result<revoke_order> decode_revoke(std::string_view body);

[[nodiscard]] std::string encode_answer(const ca_answer& answer);
[[nodiscard]] result<ca_answer> decode_answer(std::string_view body);
[[nodiscard]] std::string encode_answer(const revoke_answer& answer);
[[nodiscard]] result<revoke_answer> decode_revoke_answer(std::string_view body);

/// {"error":{"code","message"}}
[[nodiscard]] std::string encode_error(std::string_view code, std::string_view message);
/// The message of such a body, printable; a short form of the body itself if it is none.
[[nodiscard]] std::string error_message(std::string_view body);

} // namespace pfx::connect::ca::wire
