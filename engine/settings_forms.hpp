// What strings in a configuration must look like, beyond being strings. Private to engine/.
#pragma once

#include "engine/settings_table.hpp"

namespace pfx::engine::detail {

extern const form https_url;
extern const form https_url_or_none;
extern const form proxy_url;
extern const form day;
extern const form purpose;
extern const form sid_domain;
extern const form address_range;
extern const form domain_suffix;
extern const form short_word;

/// Calls `fits` for each part between separators; false for an empty part or text.
template <class Predicate>
bool each_part(std::string_view text, char separator, Predicate fits) {
  while (true) {
    const auto end = text.find(separator);
    if (!fits(text.substr(0, end)))
      return false;
    if (end == std::string_view::npos)
      return true;
    text.remove_prefix(end + 1);
  }
}

} // namespace pfx::engine::detail
