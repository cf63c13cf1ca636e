// Reads a journal. Refuses lines that are too long or no JSON object.
#include "sandbox/journal_lines.hpp"

#include <fstream>

#include <nlohmann/json.hpp>

namespace pfx::sandbox {

using json = nlohmann::json;

result<void> for_each_line(const std::string& path, const std::function<void(const json&)>& take) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return failure(errc::io, "directory", "cannot read " + path);
  }
  std::string one;
  for (std::uint64_t at = 1; std::getline(in, one); ++at) {
    const bool torn = in.eof(); // no newline behind it
    const auto parsed = one.size() <= journal_line_bytes_max ? json::parse(one, nullptr, false)
                                                             : json(json::value_t::discarded);
    if (!parsed.is_object()) {
      if (torn) {
        return {};
      }
      return failure(errc::corrupt, "directory",
                     path + ": line " + std::to_string(at) + " is damaged");
    }
    take(parsed);
  }
  if (in.bad()) {
    return failure(errc::io, "directory", "cannot read " + path);
  }
  return {};
}

std::string text(const json& from, const char* name) {
  const auto at = from.find(name);
  return at != from.end() && at->is_string() ? at->get<std::string>() : std::string();
}

bool flag(const json& from, const char* name) {
  const auto at = from.find(name);
  return at != from.end() && at->is_boolean() && at->get<bool>();
}

std::int64_t number(const json& from, const char* name) {
  const auto at = from.find(name);
  return at != from.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
}

} // namespace pfx::sandbox
