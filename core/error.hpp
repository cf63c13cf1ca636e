// What can go wrong, as a value. One entry per reaction of some caller; texts are for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pfx {

enum class errc : std::uint8_t {
  none = 0,
  bad_input,       ///< a value from outside is wrong; `field` names it; never retried
  policy,          ///< well formed, but recipients.trust or issuance forbids it; `field` names it
  not_supported,   ///< well formed, but this build or configuration cannot do it
  too_large,       ///< a named limit was exceeded; `field` names what
  conflict,        ///< the same identity with other content
  not_found,       ///< the thing asked for is not there
  crypto,          ///< a cryptographic operation failed or did not verify
  wrong_key,       ///< sealed bytes were made under another master key
  corrupt,         ///< stored bytes are damaged; nothing may be concluded from them
  io,              ///< the operating system failed a call
  disk_full,       ///< below the free-space floor; nothing was written; may be retried
  store_poisoned,  ///< a write failed before; the store takes no more writes in this process
  store_locked,    ///< another process owns the data directory
  store_newer,     ///< written by a newer program
  unavailable,     ///< the other side refused for now; may be retried
  unknown_outcome, ///< no definite answer: it may have happened
  unauthorized,    ///< the other side does not accept who we are
  stale_epoch,     ///< another process lives, or lived, under our name
  stopping,        ///< the engine is being stopped
  internal,        ///< a bug of ours
};

/// Name as used in logs and on the control socket, for example "bad_input".
[[nodiscard]] std::string_view name_of(errc code) noexcept;

/// An error: what kind, which field of the input (may be empty), and a sentence for a person.
/// The sentence never holds a secret, nor bytes that were not made printable.
struct error {
  errc code = errc::internal;
  std::string field;
  std::string message;

  bool operator==(const error&) const = default;
};

/// One line: "code: field: message", with control characters made visible.
[[nodiscard]] std::string to_string(const error& what);

/// Replaces control characters, escapes and invalid UTF-8 by visible forms and cuts at `length_max`
/// characters. Use it on every piece of foreign text that goes into a log or an error.
[[nodiscard]] std::string printable(std::string_view text, std::size_t length_max = 128);

/// Error codes of the service's protocol: 4000-4007 are final, 4100-4103 may be retried.
enum class service_code : std::uint16_t {
  none = 0,
  non_retryable = 4000,
  data_serialization = 4001,
  parameter_invalid = 4002,
  cryptography = 4003,
  certificate_not_found = 4004,
  conflict = 4005,
  not_supported = 4006,
  payload_too_large = 4007,
  retryable = 4100,
  service_unavailable = 4101,
  service_too_busy = 4102,
  authentication = 4103,
};

/// False for a number that stands for no code.
[[nodiscard]] bool is_known(service_code value) noexcept;

/// The code that reports `code` to the service.
[[nodiscard]] service_code service_code_of(errc code) noexcept;

} // namespace pfx
