// Walks a file along the table and complains of each thing that has no row, or the wrong value.
#include "engine/settings_reader.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <numeric>

#include <nlohmann/json.hpp>

namespace pfx::engine::detail {
namespace {

using nlohmann::json;

constexpr std::size_t faults_max = 100; ///< a file that is not ours at all would have thousands

std::string below(const std::string& shown, std::string_view key) {
  return shown.empty() ? std::string(key) : shown + "." + std::string(key);
}

const setting* row_of(const section& part, std::string_view key) {
  for (const auto& row : all_settings())
    if (row.section() == part.path && row.name() == key)
      return &row;
  return nullptr;
}

bool inside(const section& inner, const section& part) {
  return !inner.path.empty() && parent_of(inner.path) == part.path;
}

const section* section_of(const section& part, std::string_view key) {
  for (const auto& inner : all_sections())
    if (inside(inner, part) && key_of(inner.path) == key)
      return &inner;
  return nullptr;
}

/// The known name of this section that is nearest to `key`, or the path of a setting that has just
/// this name elsewhere; empty if nothing is near.
std::string nearest_name(std::string_view key, const section& part) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, key.size() / 3) + 1;
  const auto offer = [&](std::string_view name) {
    const auto distance = distance_between(key, name);
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  };
  for (const auto& row : all_settings())
    if (row.section() == part.path)
      offer(row.name());
  for (const auto& inner : all_sections())
    if (inside(inner, part))
      offer(key_of(inner.path));
  if (!best.empty())
    return best;
  for (const auto& row : all_settings())
    if (row.name() == key)
      return std::string(row.path);
  return best;
}

std::string number_text(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15)
    return std::to_string(static_cast<std::int64_t>(value));
  return json(value).dump();
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(
    text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// An address may hold a password by mistake, so what looks like one is not repeated.
std::string not_this(std::string_view text) {
  return text.find('@') == std::string_view::npos ? ", not \"" + printable(text) + "\"" : "";
}

std::string alternatives(std::string_view choices) {
  std::string text = "must be one of ";
  for (const auto word : split_choices(choices))
    text.append(word).append(", ");
  text.resize(text.size() - 2);
  return text;
}

} // namespace

std::size_t distance_between(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < left.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < right.size(); ++j) {
      const auto changed = diagonal + (lower(left[i]) == lower(right[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

std::string resolve_path(const std::string& text, const std::string& folder) {
  constexpr std::string_view credential = "credential:";
  if (text.starts_with(credential)) {
    // Outside the unit (status, config check) the variable is not set; the place is the same.
    const char* given = std::getenv("CREDENTIALS_DIRECTORY");
    const std::filesystem::path home
      = given != nullptr ? given : "/run/credentials/pfxengine.service";
    return (home / text.substr(credential.size())).lexically_normal().string();
  }
  auto path = (std::filesystem::absolute(folder) / text).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).string(); // no slash at the end
}

settings_reader::settings_reader(configuration& into, std::string folder,
                                 std::vector<error>& faults)
    : into_(into), folder_(std::move(folder)), faults_(faults) {}

void settings_reader::read(const json& whole) {
  if (!whole.is_object())
    return complain("", "the file must hold one JSON object");
  read_section(whole, all_sections().front(), "", place{.whole = &into_});
}

void settings_reader::read_section(const json& object, const section& part,
                                   const std::string& shown, const place& at) {
  for (const auto& [key, value] : object.items()) {
    if (const auto* row = row_of(part, key))
      read_value(value, *row, below(shown, key), at);
    else if (section_of(part, key) == nullptr)
      refuse_unknown(key, part, shown);
  }
  for (const auto& row : all_settings())
    if (row.mandatory && row.section() == part.path && !object.contains(std::string(row.name())))
      complain(below(shown, row.name()), "is missing: " + std::string(row.sentence));
  for (const auto& inner : all_sections())
    if (inside(inner, part))
      read_inner(object, inner, below(shown, key_of(inner.path)), at);
}

/// A section that is left out is read as an empty one, so that what is mandatory in it is missed;
/// unless it is one that may be left out.
void settings_reader::read_inner(const json& object, const section& part, const std::string& shown,
                                 const place& at) {
  const auto found = object.find(std::string(key_of(part.path)));
  if (is_list(part.path)) {
    if (found != object.end())
      read_elements(*found, part, shown);
  } else if (found == object.end()) {
    if (part.make == nullptr)
      read_section(json::object(), part, shown, at);
  } else if (found->is_object()) {
    if (part.make != nullptr)
      part.make(into_);
    read_section(*found, part, shown, at);
  } else {
    complain(shown, "must be an object");
  }
}

void settings_reader::read_elements(const json& list, const section& part,
                                    const std::string& shown) {
  if (!list.is_array())
    return complain(shown, "must be a list of objects");
  if (list.size() > list_entries_max)
    return complain(shown, "has too many entries, at most " + std::to_string(list_entries_max),
                    errc::too_large);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto name = shown + "[" + std::to_string(i) + "]";
    if (!list[i].is_object()) {
      complain(name, "must be an object");
      continue;
    }
    read_section(list[i], part, name, add_element(part.path, into_));
  }
}

void settings_reader::read_value(const json& value, const setting& row, const std::string& shown,
                                 const place& at) {
  const auto into = row.where(at);
  switch (row.is) {
    case shape::text:
    case shape::file:
    case shape::choice:
      if (!value.is_string())
        return complain(shown, "must be a string");
      return read_text(value.get_ref<const std::string&>(), row, shown,
                       *std::get<std::string*>(into));
    case shape::count:
    case shape::amount:
      return read_number(value, row, shown, into);
    case shape::words:
      return read_words(value, row, shown, *std::get<std::vector<std::string>*>(into));
    case shape::flag:
      if (!value.is_boolean())
        return complain(shown, "must be true or false");
      *std::get<bool*>(into) = value.get<bool>();
      return;
  }
}

void settings_reader::read_text(const std::string& text, const setting& row,
                                const std::string& shown, std::string& into) {
  if (text.size() > text_bytes_max)
    return complain(shown, "is longer than " + std::to_string(text_bytes_max) + " bytes",
                    errc::too_large);
  if (has_control_character(text))
    return complain(shown, "holds a control character");
  if (!row.choices.empty() && !among(row.choices, text))
    return complain(shown, alternatives(row.choices) + ", not \"" + printable(text) + "\"");
  if (row.looks != nullptr && !row.looks->fits(text))
    return complain(shown, std::string(row.looks->sentence) + not_this(text));
  if (row.is != shape::file) {
    into = text;
    return;
  }
  if (text.empty()) {
    if (row.mandatory)
      complain(shown, "is empty");
    return; // as if it were left out
  }
  into = resolve_path(text, folder_);
}

void settings_reader::read_number(const json& value, const setting& row, const std::string& shown,
                                  const slot& into) {
  if (!value.is_number())
    return complain(shown, "must be a number");
  const auto number = value.get<double>();
  if (row.is == shape::count && number != std::floor(number))
    return complain(shown, "must be a whole number");
  if (!(number >= row.minimum && number <= row.maximum))
    return complain(shown,
                    "must lie between " + number_text(row.minimum) + " and "
                      + number_text(row.maximum) + ", not " + number_text(number));
  const auto stored = std::llround(number * static_cast<double>(row.scale));
  if (auto* const* place64 = std::get_if<std::int64_t*>(&into))
    **place64 = stored;
  else if (auto* const* place_u32 = std::get_if<std::uint32_t*>(&into))
    **place_u32 = static_cast<std::uint32_t>(stored);
  else
    *std::get<std::uint64_t*>(into) = static_cast<std::uint64_t>(stored);
}

void settings_reader::read_words(const json& value, const setting& row, const std::string& shown,
                                 std::vector<std::string>& into) {
  if (!value.is_array())
    return complain(shown, "must be a list of strings");
  if (value.size() > list_entries_max)
    return complain(shown, "has too many entries, at most " + std::to_string(list_entries_max),
                    errc::too_large);
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto name = shown + "[" + std::to_string(i) + "]";
    std::string word;
    if (!value[i].is_string())
      complain(name, "must be a string");
    else if (value[i].get_ref<const std::string&>().empty())
      complain(name, "is empty");
    else
      read_text(value[i].get_ref<const std::string&>(), row, name, word);
    if (!word.empty())
      into.push_back(std::move(word));
  }
}

void settings_reader::refuse_unknown(std::string_view key, const section& part,
                                     const std::string& shown) {
  const auto near = nearest_name(key, part);
  complain(below(shown, printable(key)),
           near.empty() ? "is not a setting" : "is not a setting; did you mean \"" + near + "\"?");
}

void settings_reader::complain(const std::string& field, std::string sentence, errc code) {
  if (faults_.size() < faults_max)
    faults_.push_back(error{code, field, std::move(sentence)});
}

} // namespace pfx::engine::detail
