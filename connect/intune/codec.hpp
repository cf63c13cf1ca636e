// Bodies of the public services as values: what we write, and what is understood of what comes.
// Refuses JSON that is malformed, too deep or has a key twice; ignores fields it does not know;
// tolerates null where the services send it. Knows no HTTP.
#pragma once

#include <map>
#include <string_view>

#include "connect/intune/messages.hpp"
#include "core/revocation.hpp"

namespace pfx::connect::intune {

inline constexpr std::size_t token_bytes_max = 32u << 10;
inline constexpr std::int64_t token_life_s_max = 86'400; ///< believed at most
inline constexpr std::int64_t token_life_s_else = 300;   ///< where the answer does not say
inline constexpr std::size_t services_max = 1'000;       ///< of one tenant
inline constexpr int revocations_max = 500;              ///< published bound of maxRequests
inline constexpr std::size_t serial_bytes_max = 256;
inline constexpr std::size_t issuer_bytes_max = 4'096; ///< of an answer

// -- sign-in (RFC 6749 5.1, 5.2) ------

struct token_grant {
  secret_bytes token;
  std::int64_t life_ms = 0;
};
/// Wipes `body`. A token is printable ASCII without spaces, of type Bearer.
[[nodiscard]] result<token_grant> decode_token(std::string& body);

struct token_refusal {
  std::string error;       ///< "invalid_client"; empty = not an OAuth2 refusal
  std::string aadsts;      ///< "AADSTS7000215", or empty
  std::string description; ///< as it came; may be long, may quote what was sent
};
[[nodiscard]] token_refusal decode_token_refusal(std::string_view body);

// -- discovery ------

struct service_page {
  std::map<std::string, std::string> services; ///< name in lower case → uri; the first one counts
  std::string next;                            ///< @odata.nextLink, or empty
};
[[nodiscard]] result<service_page> decode_services(std::string_view body);

// -- any service ------

struct service_fault {
  std::string code;    ///< made printable; may be empty
  std::string message; ///< made printable; the inner one where a message is JSON in a string
};
[[nodiscard]] service_fault decode_fault(std::string_view body);

// -- revocation ------

[[nodiscard]] std::string encode_download(int max_requests,
                                          const std::optional<std::string>& issuer_name);
[[nodiscard]] result<revocation_batch> decode_revocations(std::string_view body);
[[nodiscard]] std::string encode_upload(const std::vector<revocation_result>& results);
/// Succeeds for `"value": true` and for "true" as a string in any case; an error for all else.
[[nodiscard]] result<void> decode_recorded(std::string_view body);
/// "CertificateNotFoundError"; the published name of a code.
[[nodiscard]] std::string_view name_of(service_code code) noexcept;

// -- SCEP ------

[[nodiscard]] result<scep_verdict> decode_verdict(std::string_view body);
/// `unknown` for words that are not published.
[[nodiscard]] scep_code scep_code_of(std::string_view text) noexcept;
[[nodiscard]] std::string_view name_of(scep_code code) noexcept;

} // namespace pfx::connect::intune
