// Two configurations, setting by setting: both are written out whole, so that no setting can be
// forgotten here.
#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "engine/configuration.hpp"

namespace pfx::engine {

namespace {

/// "/authorities/0/url" as the configuration's words: "authorities[0].url".
std::string setting_of(const std::string& pointer) {
  std::string out;
  for (std::size_t at = 1; at <= pointer.size();) {
    const auto end = std::min(pointer.find('/', at), pointer.size());
    const auto word = pointer.substr(at, end - at);
    if (!word.empty() && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; }))
      out += "[" + word + "]";
    else
      out += (out.empty() ? "" : ".") + word;
    at = end + 1;
  }
  return out;
}

} // namespace

std::vector<std::string> changed_settings(const configuration& one, const configuration& other) {
  const auto left = nlohmann::json::parse(to_json(one)).flatten();
  const auto right = nlohmann::json::parse(to_json(other)).flatten();
  std::set<std::string> changed;
  for (const auto* side : {&left, &right})
    for (const auto& [pointer, value] : side->items())
      if (!value.is_null() // an empty list, flattened: what the other side has in it is told
          && (!left.contains(pointer) || !right.contains(pointer)
              || left[pointer] != right[pointer]))
        changed.insert(setting_of(pointer));
  return {changed.begin(), changed.end()};
}

} // namespace pfx::engine
