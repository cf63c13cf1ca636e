// Small readings of header values, shared by client and server. Internal to connect/http.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"

namespace pfx::connect::http {

/// ASCII letters in lower case, the rest as it is.
[[nodiscard]] std::string lower(std::string_view text);
/// Without blanks and line ends at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;
/// False if the text would break the header it is put into.
[[nodiscard]] bool is_header_text(std::string_view text) noexcept;
/// Value of Retry-After (RFC 9110 10.2.3) in milliseconds from `now`, clamped to
/// 0..limits::asked_wait_ms_max.
[[nodiscard]] std::optional<std::int64_t> read_retry_after(std::string_view text, unix_ms now);

} // namespace pfx::connect::http
