// An https:// address taken apart, far narrower than the standards: what others tell us to call is
// looked at before it is called. Refuses other schemes, user names, fragments, numbers for hosts in
// odd forms, and every character that parsers disagree about.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace pfx::connect::http {

inline constexpr std::size_t address_characters_max = 2'048;

struct address {
  std::string host; ///< lower case, no dot at its end
  std::uint16_t port = 443;
  std::string path;  ///< "" or "/…", no slash at its end
  std::string query; ///< "" or "?…"

  /// "https://host" or "https://host:port".
  [[nodiscard]] std::string origin() const;
  [[nodiscard]] std::string text() const { return origin() + path + query; }
};

/// errc::bad_input with `field`; the text itself is not repeated.
[[nodiscard]] result<address> parse_address(std::string_view text, std::string_view field);

/// True if `host` is `domain` or ends with "." and `domain`; both in lower case.
[[nodiscard]] bool is_within(std::string_view host, std::string_view domain) noexcept;

} // namespace pfx::connect::http
