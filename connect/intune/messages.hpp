// What the clients of Microsoft Intune's public services exchange with their callers: values only.
// Sources of all names: the published validation library and its API page (docs/protocol.md).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/secret.hpp"

namespace pfx::connect::intune {

/// What a call can end with besides its answer: errc::unavailable (not done; may be asked again),
/// errc::unknown_outcome (may have been done), errc::unauthorized (credentials or permissions),
/// errc::not_found (the tenant has no such service), errc::policy (we were told to call an address
/// that we may not), errc::bad_input (an argument, or an answer that is not the protocol's),
/// errc::too_large, errc::conflict, errc::stopping.
struct call_error {
  error what;
  int status = 0;                  ///< HTTP; 0 = no answer
  std::string service_code;        ///< the other side's word for it, made printable
  std::string request_id;          ///< client-request-id of the last attempt; empty = none was made
  std::int64_t retry_after_ms = 0; ///< 0 = the caller's own back-off
};
template <class T>
using answer = tl::expected<T, call_error>;

[[nodiscard]] inline tl::unexpected<call_error> refusal(error what) {
  return tl::unexpected(call_error{std::move(what), 0, {}, {}, 0});
}

/// A bearer token; shared between calls, wiped with its last owner.
using bearer = std::shared_ptr<const secret_bytes>;

// -- revocation ------

/// One certificate that Intune wants revoked.
struct revocation_request {
  std::string request_context; ///< opaque; goes back with the result
  std::string serial_number;   ///< as it was notified: decimal or hexadecimal, unchanged
  std::optional<std::string> issuer_name;
  std::optional<std::string> ca_configuration;

  bool operator==(const revocation_request&) const = default;
};

struct revocation_batch {
  std::vector<revocation_request> requests;
  std::size_t unreadable = 0; ///< entries without context or serial, or over a limit; left out
  std::string request_id;     ///< client-request-id, for logs
};

struct revocation_result {
  std::string request_context;
  bool succeeded = false;
  service_code code = service_code::none; ///< none exactly if succeeded
  std::string message;                    ///< empty if succeeded
};

// -- SCEP ------

/// The published result codes; `unknown` also stands for words that came later.
enum class scep_code : std::uint8_t {
  unknown,
  success,
  certificate_request_decoding_failed,
  challenge_password_missing,
  challenge_deserialization_error,
  challenge_decryption_error,
  challenge_decoding_error,
  challenge_invalid_timestamp,
  challenge_expired,
  subject_name_missing,
  subject_name_mismatch,
  subject_alt_name_missing,
  subject_alt_name_mismatch,
  key_usage_mismatch,
  key_length_mismatch,
  enhanced_key_usage_missing,
  enhanced_key_usage_mismatch,
  aad_key_identifier_list_missing,
  registered_key_mismatch,
  signing_cert_thumbprint_mismatch,
  scep_profile_no_longer_targeted_to_the_client,
  signature_validation_failed,
  bad_certificate_request_id_in_challenge,
  bad_device_id_in_challenge,
  bad_user_id_in_challenge,
};

/// What the service decided. HTTP 200 alone accepts nothing.
struct scep_verdict {
  scep_code code = scep_code::unknown;
  std::string code_text;   ///< as it came, made printable
  std::string description; ///< made printable; may be empty
  std::string request_id;  ///< client-request-id, for logs

  [[nodiscard]] bool accepted() const noexcept { return code == scep_code::success; }
};

// -- credentials ------

struct credential_state {
  std::size_t index = 0; ///< its place in the list
  std::string name;
  bool is_certificate = false;
  std::optional<unix_ms> expires; ///< nothing = not known
  bool working = false;           ///< the one that was accepted last
};

} // namespace pfx::connect::intune
