// The configuration's other faces, all from the one table: JSON Schema, documentation, and the text
// that reads back as a given value.
#include <nlohmann/json.hpp>

#include "engine/settings_forms.hpp"

namespace pfx::engine {
namespace {

using namespace detail;
using nlohmann::ordered_json;

/// Elements to point at where only the defaults of a fresh value are wanted.
struct fresh {
  configuration whole;
  authority_settings authority;
  issuance_settings::allowed_authority allowed;
  intune_credential_settings credential;
  fresh() {
    whole.intune.emplace().proxy.emplace();
    whole.updates.emplace();
  }
  [[nodiscard]] place at() { return {&whole, &authority, &allowed, &credential}; }
};

ordered_json number_of(const setting& row, double stored) {
  const auto value = stored / static_cast<double>(row.scale);
  const auto whole = static_cast<std::int64_t>(value);
  if (static_cast<double>(whole) == value)
    return whole;
  return value;
}

ordered_json value_of(const setting& row, const place& at) {
  return std::visit(
    [&](auto* held) -> ordered_json {
      using held_type = std::remove_pointer_t<decltype(held)>;
      if constexpr (std::is_arithmetic_v<held_type> && !std::is_same_v<held_type, bool>)
        return number_of(row, static_cast<double>(*held));
      else
        return *held;
    },
    row.where(at));
}

/// The default as it would stand in a file; null if there is none.
ordered_json default_of(const setting& row) {
  fresh values;
  auto value = value_of(row, values.at());
  if (row.mandatory || (value.is_string() && value.get_ref<const std::string&>().empty()))
    return nullptr;
  return value;
}

// -- schema ------

ordered_json schema_of_word(const setting& row) {
  ordered_json schema{{"type", "string"}, {"maxLength", text_bytes_max}};
  if (!row.choices.empty())
    schema = {{"enum", split_choices(row.choices)}};
  else if (row.looks != nullptr)
    schema["pattern"] = row.looks->pattern;
  else if (row.mandatory || row.is == shape::words)
    schema["minLength"] = 1;
  return schema;
}

ordered_json schema_of(const setting& row) {
  ordered_json schema;
  if (row.is == shape::words)
    schema = {{"type", "array"}, {"items", schema_of_word(row)}, {"maxItems", list_entries_max}};
  else if (row.is == shape::count || row.is == shape::amount)
    schema = {{"type", row.is == shape::count ? "integer" : "number"},
              {"minimum", number_of(setting{}, row.minimum)},
              {"maximum", number_of(setting{}, row.maximum)}};
  else if (row.is == shape::flag)
    schema = {{"type", "boolean"}};
  else
    schema = schema_of_word(row);
  schema["description"] = row.sentence;
  if (auto value = default_of(row); !value.is_null())
    schema["default"] = std::move(value);
  return schema;
}

bool has_mandatory(const section& part) {
  for (const auto& row : all_settings())
    if (row.mandatory && row.section() == part.path)
      return true;
  return false;
}

ordered_json schema_of(const section& part) {
  ordered_json properties = ordered_json::object();
  ordered_json required = ordered_json::array();
  for (const auto& row : all_settings()) {
    if (row.section() != part.path)
      continue;
    properties[std::string(row.name())] = schema_of(row);
    if (row.mandatory)
      required.push_back(row.name());
  }
  for (const auto& inner : all_sections()) {
    if (inner.path.empty() || parent_of(inner.path) != part.path)
      continue;
    auto schema = schema_of(inner);
    if (is_list(inner.path))
      schema = {{"type", "array"}, {"maxItems", list_entries_max}, {"items", std::move(schema)}};
    else if (inner.make == nullptr && has_mandatory(inner))
      required.push_back(key_of(inner.path));
    properties[std::string(key_of(inner.path))] = std::move(schema);
  }
  ordered_json schema{{"type", "object"},
                      {"description", part.sentence},
                      {"additionalProperties", false},
                      {"properties", std::move(properties)}};
  if (!required.empty())
    schema["required"] = std::move(required);
  return schema;
}

// -- documentation ------

std::string type_words(const setting& row) {
  switch (row.is) {
    case shape::text:
      return row.looks == &https_url || row.looks == &https_url_or_none ? "https URL" : "string";
    case shape::file:
      return "path";
    case shape::count:
      return "whole number, " + number_of(setting{}, row.minimum).dump() + " to "
        + number_of(setting{}, row.maximum).dump();
    case shape::amount:
      return "number, " + number_of(setting{}, row.minimum).dump() + " to "
        + number_of(setting{}, row.maximum).dump();
    case shape::flag:
      return "`true` or `false`";
    case shape::choice:
    case shape::words:
      break;
  }
  std::string text = row.is == shape::words ? "list of " : "";
  if (row.choices.empty())
    return text + "strings";
  for (const auto word : split_choices(row.choices))
    text.append("`").append(word).append("`, ");
  text.resize(text.size() - 2);
  return text;
}

std::string default_words(const setting& row) {
  if (row.mandatory)
    return "**mandatory**";
  if (!row.default_note.empty())
    return std::string(row.default_note);
  const auto value = default_of(row);
  return value.is_null() ? "none" : "`" + value.dump() + "`";
}

std::string document_of(const section& part) {
  std::string text
    = part.path.empty() ? "## The file itself\n\n" : "## `" + std::string(part.path) + "`\n\n";
  text.append(part.sentence)
    .append("\n\n| setting | type | default | meaning |\n|---|---|---|---|\n");
  for (const auto& row : all_settings())
    if (row.section() == part.path)
      text.append("| `")
        .append(row.name())
        .append("` | ")
        .append(type_words(row))
        .append(" | ")
        .append(default_words(row))
        .append(" | ")
        .append(row.sentence)
        .append(" |\n");
  return text + "\n";
}

constexpr std::string_view document_head = R"(# Configuration

<!-- Made by `pfxengine config doc`; a test compares. Change engine/settings_table.cpp instead. -->

One JSON file, by default `/etc/pfxengine/pfxengine.json`. Comments (`//` and `/* */`) are allowed.
Relative paths are relative to the file's folder. Nothing secret stands in it: keys are named by the
files they lie in.

A key that is not known is refused, with the nearest known one in the message; a key that stands
twice in one object is refused too. All faults are reported at once:

```
pfxengine config check --config pfxengine.json
pfxengine config schema > pfxengine.schema.json
```

`config check` also opens everything that is named and looks at its rights and contents; it calls
nobody. Units are part of the names; numbers with a unit of time or space may have a fraction.

A small file that works:

```json
{
  "dataDirectory": "/var/lib/pfxengine",
  "masterKeyFile": "/etc/pfxengine/master.key",
  "service": {"url": "https://service.example.test/pfx", "tenant": "example"},
  "authorities": [
    {"name": "Example-CA", "url": "https://ca.example.test/ca", "chainRootsFile": "example-ca.pem"}
  ],
  "recipients": {"trustFile": "device-roots.pem"},
  "issuance": {
    "authorities": [{"name": "Example-CA", "templates": ["User"]}],
    "nameTypes": ["rfc822", "upn"],
    "nameSuffixes": ["example.test"],
    "extendedKeyUsages": ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4"]
  }
}
```

)";

// -- a file from a value ------

void write_section(ordered_json& object, const section& part, const place& at,
                   configuration& whole) {
  for (const auto& row : all_settings())
    if (row.section() == part.path)
      object[std::string(row.name())] = value_of(row, at);
  for (const auto& inner : all_sections()) {
    if (inner.path.empty() || parent_of(inner.path) != part.path)
      continue;
    if (inner.present != nullptr && !inner.present(whole))
      continue;
    auto& into = object[std::string(key_of(inner.path))];
    if (!is_list(inner.path)) {
      into = ordered_json::object();
      write_section(into, inner, at, whole);
      continue;
    }
    into = ordered_json::array();
    for (const auto& element : elements_of(inner.path, whole))
      write_section(into.emplace_back(ordered_json::object()), inner, element, whole);
  }
}

} // namespace

std::string configuration_schema() {
  auto schema = schema_of(all_sections().front());
  ordered_json head{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                    {"title", "pfxengine configuration"}};
  head.update(schema);
  return head.dump(2) + "\n";
}

std::string configuration_document() {
  std::string text(document_head);
  for (const auto& part : all_sections())
    text += document_of(part);
  text.pop_back(); // one newline at the end
  return text;
}

std::string to_json(const configuration& value) {
  auto copy = value; // the table's rows point at values that can be written
  auto object = ordered_json::object();
  write_section(object, all_sections().front(), place{.whole = &copy}, copy);
  return object.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

} // namespace pfx::engine
