// The table of result codes, in the order of their numbers.
#include "actors/tasks/scep_codes.hpp"

#include <array>

namespace pfx::actors::tasks {

namespace {

using code = connect::intune::scep_code;
using enum fail_info;

constexpr std::array<code_meaning, scep_code_count> table{{
  {code::unknown, "Unknown", false, bad_request,
   "the service gave no reason that this version knows"},
  {code::success, "Success", true, bad_request, "accepted"},
  {code::certificate_request_decoding_failed, "CertificateRequestDecodingFailed", false,
   bad_request, "the service cannot read the certificate request"},
  {code::challenge_password_missing, "ChallengePasswordMissing", false, bad_message_check,
   "the request holds no challenge: it does not come from a profile of Intune"},
  {code::challenge_deserialization_error, "ChallengeDeserializationError", false, bad_message_check,
   "the challenge is not one of Intune's"},
  {code::challenge_decryption_error, "ChallengeDecryptionError", false, bad_message_check,
   "the challenge was made for another tenant or service"},
  {code::challenge_decoding_error, "ChallengeDecodingError", false, bad_message_check,
   "the challenge is damaged"},
  {code::challenge_invalid_timestamp, "ChallengeInvalidTimestamp", false, bad_time,
   "the challenge bears no time that can be right: look at the clocks"},
  {code::challenge_expired, "ChallengeExpired", false, bad_time,
   "the challenge is too old: the device has to check in again"},
  {code::subject_name_missing, "SubjectNameMissing", false, bad_request,
   "the request has no subject, and the profile wants one"},
  {code::subject_name_mismatch, "SubjectNameMismatch", false, bad_request,
   "the subject is not the profile's; a comma or plus sign in a name is a known cause"},
  {code::subject_alt_name_missing, "SubjectAltNameMissing", false, bad_request,
   "the request lacks the alternative names of the profile"},
  {code::subject_alt_name_mismatch, "SubjectAltNameMismatch", false, bad_request,
   "the alternative names are not the profile's"},
  {code::key_usage_mismatch, "KeyUsageMismatch", false, bad_request,
   "the key usage is not the profile's"},
  {code::key_length_mismatch, "KeyLengthMismatch", false, bad_alg,
   "the key has not the profile's length"},
  {code::enhanced_key_usage_missing, "EnhancedKeyUsageMissing", false, bad_request,
   "the request lacks the purposes of the profile"},
  {code::enhanced_key_usage_mismatch, "EnhancedKeyUsageMismatch", false, bad_request,
   "the purposes are not the profile's"},
  {code::aad_key_identifier_list_missing, "AadKeyIdentifierListMissing", false, bad_request,
   "the directory knows no key of this device"},
  {code::registered_key_mismatch, "RegisteredKeyMismatch", false, bad_request,
   "the key is not the one that the device registered"},
  {code::signing_cert_thumbprint_mismatch, "SigningCertThumbprintMismatch", false,
   bad_message_check, "the request is signed with another certificate than the one expected"},
  {code::scep_profile_no_longer_targeted_to_the_client, "ScepProfileNoLongerTargetedToTheClient",
   false, bad_request, "the profile is no longer assigned to this device or user"},
  {code::signature_validation_failed, "SignatureValidationFailed", false, bad_message_check,
   "the challenge's signature does not verify"},
  {code::bad_certificate_request_id_in_challenge, "BadCertificateRequestIdInChallenge", false,
   bad_cert_id, "the challenge belongs to another request"},
  {code::bad_device_id_in_challenge, "BadDeviceIdInChallenge", false, bad_request,
   "the challenge belongs to another device"},
  {code::bad_user_id_in_challenge, "BadUserIdInChallenge", false, bad_request,
   "the challenge belongs to another user"},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].code) != i || table[i].sentence.empty()
        || table[i].accepted != (table[i].code == code::success)) {
      return false;
    }
  }
  return true;
}
static_assert(in_order(), "each code has its line, and one alone is a yes");

} // namespace

const code_meaning& meaning_of(connect::intune::scep_code code) noexcept {
  const auto at = static_cast<std::size_t>(code);
  return at < table.size() ? table[at] : table.front();
}

} // namespace pfx::actors::tasks
