// JSON read strictly: depth limit, duplicate keys found and named, UTF-8 checked. The DOM is
// nlohmann's.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/limits.hpp"
#include "core/result.hpp"

namespace pfx::connect::http {

/// Kept; as many may mean that there were more
inline constexpr std::size_t json_duplicates_max = 100;

struct parsed_json {
  nlohmann::json value;
  /// JSON pointers (RFC 6901) of keys that appeared twice in one object, e.g. "/value/3/kind"; the
  /// value is then the last one. At most json_duplicates_max are kept.
  std::vector<std::string> duplicates;
};

/// errc::bad_input (with line-free position) for malformed text, invalid UTF-8 or depth over
/// `depth_max`; errc::too_large for more than two million values (their memory is many times the
/// text's).
[[nodiscard]] result<parsed_json> parse_json(std::string_view text,
                                             std::size_t depth_max = limits::json_depth_max);
/// As parse_json, and any duplicate key is errc::bad_input with its pointer as field.
[[nodiscard]] result<nlohmann::json> parse_json_strict(std::string_view text);

} // namespace pfx::connect::http
