// What each published result code of the SCEP validation service means for a device and for an
// administrator. A table and nothing else.
#pragma once

#include <string_view>

#include "connect/intune/messages.hpp"

namespace pfx::actors::tasks {

/// RFC 8894 3.2.1.4: what a SCEP reply may say of a failure.
enum class fail_info : std::uint8_t {
  bad_alg = 0,
  bad_message_check = 1,
  bad_request = 2,
  bad_time = 3,
  bad_cert_id = 4,
};

struct code_meaning {
  connect::intune::scep_code code = connect::intune::scep_code::unknown;
  std::string_view word; ///< as published
  bool accepted = false; ///< of one code alone
  fail_info tell_device = fail_info::bad_request;
  std::string_view sentence; ///< for an administrator: what it is, and what to look at
};

inline constexpr std::size_t scep_code_count = 25;

/// Codes that came after the published ones mean the same as `unknown`: no.
[[nodiscard]] const code_meaning& meaning_of(connect::intune::scep_code code) noexcept;

} // namespace pfx::actors::tasks
