// The bodies and addresses of the control socket, both ways. Private to engine/.
#pragma once

#include "engine/control.hpp"

namespace pfx::engine::detail {

/// All octets but letters, digits and "-._~" as %XX (RFC 3986 2.1).
[[nodiscard]] std::string percent_encoded(std::string_view text);
/// errc::bad_input for a broken escape.
[[nodiscard]] result<std::string> percent_decoded(std::string_view text);

[[nodiscard]] result<std::vector<request_summary>> summaries_from_json(std::string_view text);
[[nodiscard]] result<request_timeline> timeline_from_json(std::string_view text);

[[nodiscard]] std::string error_to_json(const error& what);
/// The error in a body; a body that holds none becomes errc::internal.
[[nodiscard]] error error_from_json(std::string_view text, int http_status);

} // namespace pfx::engine::detail
