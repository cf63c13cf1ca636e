// The validation of SCEP requests in the sandbox's tenant: challenges that it made, the checks
// against them, and what certification authorities said became of them. Anybody who has one of its
// challenges can run a SCEP server of his own against it. Refuses by the published result codes,
// with HTTP 200.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/clock.hpp"

namespace pfx::sandbox {

inline constexpr const char* scep_validate_call = "ScepActions/validateRequest";
inline constexpr const char* scep_success_call = "ScepActions/successNotification";
inline constexpr const char* scep_failure_call = "ScepActions/failureNotification";

/// What a device would be given, and what its request must then hold.
struct scep_challenge {
  std::string password;
  std::string subject; ///< RFC 4514
  unix_ms expires = 0;
  int key_bits_min = 2048; ///< of an RSA key
};

struct scep_desk_options {
  std::vector<scep_challenge> challenges;
};

struct scep_answer {
  std::string wrong; ///< the call is no call of this protocol; then nothing else counts
  std::string transaction;
  std::string code; ///< "Success", "ChallengeExpired", …
  std::string description;
  std::string detail; ///< for the journal: subject, serial number, HRESULT
};

/// Thread-safe.
class scep_desk {
public:
  /// A challenge password with this beginning is answered with the code behind it: all of them can
  /// be had. "answer:SubjectNameMismatch".
  static constexpr std::string_view wish_prefix = "answer:";
  static constexpr std::size_t transactions_max = 100'000;

  explicit scep_desk(scep_desk_options options) : options_(std::move(options)) {}
  /// `name` is one of the three calls.
  [[nodiscard]] scep_answer handle(const std::string& name, const std::string& body, unix_ms now);
  [[nodiscard]] const std::vector<scep_challenge>& challenges() const {
    return options_.challenges;
  }

private:
  struct transaction {
    std::string request;  ///< base64
    std::string notified; ///< "", "success" or "failure"
  };
  struct verdict {
    std::string code;
    std::string description;
    std::string detail = {};
  };
  [[nodiscard]] verdict check(const std::string& request, unix_ms now) const;
  [[nodiscard]] verdict notify(const std::string& id, const std::string& request,
                               const std::string& end);

  const scep_desk_options options_;
  std::mutex mutex_;
  std::map<std::string, transaction> transactions_; ///< validated ones
};

/// The challengePassword (PKCS #9, 1.2.840.113549.1.9.7) of a PKCS #10 request; empty if it has
/// none.
[[nodiscard]] std::string challenge_of(byte_view request);

/// "sandbox" challenges for so many devices, good for a day; from random octets.
[[nodiscard]] std::vector<scep_challenge> make_challenges(std::size_t count, unix_ms now);

} // namespace pfx::sandbox
