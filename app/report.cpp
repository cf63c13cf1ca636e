// Writes and reads the two machine forms; never a control character inside a value.
#include "app/report.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "core/error.hpp"

namespace pfx::app {
namespace {

constexpr std::size_t text_characters_max = 4'096;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : printable(text, text_characters_max)) { // no control character is left
    if (c == '"' || c == '\\')
      out += '\\';
    out += c;
  }
  return out + "\"";
}

/// Three digits behind the point are a microsecond of a millisecond: enough, and readable.
std::string number_text(double value) {
  if (!std::isfinite(value))
    return "0";
  std::array<char, 64> room{};
  const auto [end, fault]
    = std::to_chars(room.data(), room.data() + room.size(), std::round(value * 1'000) / 1'000);
  return fault == std::errc{} ? std::string(room.data(), end) : "0";
}

struct json_value {
  std::string operator()(std::uint64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return number_text(value); }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(const std::string& value) const { return quoted(value); }
  std::string operator()(const std::vector<std::string>& values) const {
    std::string out = "[";
    for (const auto& value : values)
      out.append(out.size() > 1 ? "," : "").append(quoted(value));
    return out + "]";
  }
  std::string operator()(const block& texts) const {
    std::string out = "{";
    for (const auto& [name, value] : texts)
      out.append(out.size() > 1 ? "," : "").append(quoted(name)).append(":").append(quoted(value));
    return out + "}";
  }
};

} // namespace

std::string json_object(const fields& all) {
  std::string out = "{";
  for (const auto& each : all)
    out.append(out.size() > 1 ? "," : "")
      .append(quoted(each.name))
      .append(":")
      .append(std::visit(json_value{}, each.value));
  return out + "}";
}

std::string plain_line(const std::string& event, const fields& all) {
  auto out = event;
  for (const auto& each : all) {
    if (std::holds_alternative<std::vector<std::string>>(each.value))
      continue;
    if (const auto* texts = std::get_if<block>(&each.value)) {
      for (const auto& [name, value] : *texts)
        out.append("\t" + each.name + "." + name + "=")
          .append(printable(value, text_characters_max));
      continue;
    }
    const auto* text = std::get_if<std::string>(&each.value);
    out.append("\t").append(each.name).append("=").append(text != nullptr
                                                            ? printable(*text, text_characters_max)
                                                            : std::visit(json_value{}, each.value));
  }
  return out;
}

plain_words read_plain_line(std::string_view line) {
  plain_words out;
  const auto next = [&line] {
    const auto end = line.find('\t');
    const auto word = line.substr(0, end);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    return word;
  };
  out.event = next();
  while (!line.empty()) {
    const auto pair = next();
    if (const auto equals = pair.find('='); equals != std::string_view::npos)
      out.values.emplace(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return out;
}

std::uint64_t plain_words::number(const std::string& name) const {
  const auto word = text(name);
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), value);
  return fault == std::errc{} && end == word.data() + word.size() ? value : 0;
}

std::string plain_words::text(const std::string& name) const {
  const auto found = values.find(name);
  return found == values.end() ? std::string() : found->second;
}

} // namespace pfx::app
