// The bodies and addresses of the control socket, both ways. Private to engine/.
#pragma once

#include "engine/control.hpp"

namespace pfx::engine::detail {

/// All octets but letters, digits and "-._~" as %XX (RFC 3986 2.1).
[[nodiscard]] std::string percent_encoded(std::string_view text);
/// errc::bad_input for a broken escape.
[[nodiscard]] result<std::string> percent_decoded(std::string_view text);

[[nodiscard]] result<request_page> requests_from_json(std::string_view text);
[[nodiscard]] result<order_page> orders_from_json(std::string_view text);
[[nodiscard]] result<request_timeline> timeline_from_json(std::string_view text);

[[nodiscard]] result<audit_excerpt> excerpt_from_json(std::string_view text);

struct audit_note {
  std::uint16_t event = 0;
  std::string text;
};
[[nodiscard]] std::string note_to_json(std::uint16_t event, const std::string& text);
/// errc::bad_input for anything else than {"event","text"} within the limits.
[[nodiscard]] result<audit_note> note_from_json(std::string_view text);

[[nodiscard]] std::string error_to_json(const error& what);
/// The error in a body; a body that holds none becomes errc::internal.
[[nodiscard]] error error_from_json(std::string_view text, int http_status);

} // namespace pfx::engine::detail
