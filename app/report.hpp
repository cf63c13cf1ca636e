// What commands tell machines: one JSON object, or one line of tab-separated name=value pairs that
// a shell script, or this program itself, can take apart without a JSON reader.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pfx::app {

/// Texts of one thing: an object in JSON, "name.key=value" in a line.
using block = std::vector<std::pair<std::string, std::string>>;
struct field {
  std::string name;
  std::variant<std::uint64_t, double, bool, std::string, std::vector<std::string>, block> value;
};
using fields = std::vector<field>;

/// One line, no line break at its end.
[[nodiscard]] std::string json_object(const fields& all);
/// "event<TAB>name=value<TAB>…"; lists are left out, control characters in strings made visible.
[[nodiscard]] std::string plain_line(const std::string& event, const fields& all);

struct plain_words {
  std::string event;
  std::map<std::string, std::string> values;
  /// Zero if it is not there or no whole number.
  [[nodiscard]] std::uint64_t number(const std::string& name) const;
  /// Empty if it is not there.
  [[nodiscard]] std::string text(const std::string& name) const;
};
[[nodiscard]] plain_words read_plain_line(std::string_view line);

} // namespace pfx::app
