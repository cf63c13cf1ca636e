// Decompression with a limit. Internal to connect/http.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace pfx::connect::http {

/// gzip members, one or more (RFC 1952). errc::too_large as soon as more than `bytes_max` octets
/// come out, errc::bad_input for damaged or cut input or other octets behind the end.
[[nodiscard]] result<std::string> gunzip(std::string_view compressed, std::size_t bytes_max);

} // namespace pfx::connect::http
