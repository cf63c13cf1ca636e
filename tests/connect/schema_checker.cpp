// The few keywords of JSON Schema that docs/openapi.json is written with.
#include "tests/connect/schema_checker.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <regex>

#include "core/clock.hpp"
#include "crypto/digest.hpp"

namespace pfx::test {

using nlohmann::json;

const json& openapi() {
  static const json the = [] {
    std::ifstream in(PFX_SOURCE_DIR "/docs/openapi.json");
    return json::parse(in);
  }();
  return the;
}

const json& openapi_schema(const std::string& name) {
  return openapi().at("components").at("schemas").at(name);
}

const json& resolved(const json& schema) {
  const json* at = &schema;
  while (at->contains("$ref"))
    at = &openapi().at(json::json_pointer(at->at("$ref").get<std::string>().substr(1)));
  return *at;
}

std::set<const json*> properties_of(const json& unresolved) {
  const json& schema = resolved(unresolved);
  std::set<const json*> out;
  auto join = [&](const json& other) { out.merge(properties_of(other)); };
  for (const char* list : {"oneOf", "allOf"})
    if (schema.contains(list))
      for (const json& choice : schema.at(list))
        join(choice);
  if (schema.contains("items"))
    join(schema.at("items"));
  if (schema.contains("properties"))
    for (const auto& [name, property] : schema.at("properties").items()) {
      out.insert(&property);
      join(property);
    }
  return out;
}

std::set<std::string> unknown_keywords(const json& schema) {
  static const std::set<std::string> known = {"$ref",      "oneOf",
                                              "allOf",     "type",
                                              "nullable",  "description",
                                              "required",  "items",
                                              "enum",      "minItems",
                                              "maxItems",  "properties",
                                              "minLength", "maxLength",
                                              "minimum",   "maximum",
                                              "pattern",   "additionalProperties",
                                              "format",    "x-extensible-enum"};
  std::set<std::string> out;
  for (const auto& [keyword, value] : schema.items()) {
    if (!known.contains(keyword))
      out.insert(keyword);
    if (keyword == "properties")
      for (const json& property : value)
        out.merge(unknown_keywords(property));
    if (keyword == "items")
      out.merge(unknown_keywords(value));
    if (keyword == "oneOf" || keyword == "allOf")
      for (const json& choice : value)
        out.merge(unknown_keywords(choice));
  }
  return out;
}

void schema_checker::fault(const std::string& at, const std::string& what) {
  faults.push_back(at + " " + what);
}

void schema_checker::check(const json& unresolved, const json& value, const std::string& at) {
  const json& schema = resolved(unresolved);
  if (value.is_null()) {
    if (!schema.value("nullable", false))
      fault(at, "is null");
  } else if (schema.contains("oneOf")) {
    one_of(schema.at("oneOf"), value, at);
  } else if (schema.contains("allOf")) {
    for (const json& part : schema.at("allOf"))
      check(part, value, at);
  } else {
    check_plain(schema, value, at);
  }
}

void schema_checker::one_of(const json& choices, const json& value, const std::string& at) {
  std::size_t fitting = 0;
  for (const json& choice : choices) {
    schema_checker tried;
    tried.check(choice, value, at);
    if (!tried.faults.empty())
      continue;
    ++fitting;
    properties.insert(properties.end(), tried.properties.begin(), tried.properties.end());
  }
  if (fitting != 1)
    fault(at, "fits " + std::to_string(fitting) + " of the choices");
}

void schema_checker::check_plain(const json& schema, const json& value, const std::string& at) {
  static const std::map<std::string, std::function<bool(const json&)>> types
    = {{"object", [](const json& v) { return v.is_object(); }},
       {"array", [](const json& v) { return v.is_array(); }},
       {"string", [](const json& v) { return v.is_string(); }},
       {"integer", [](const json& v) { return v.is_number_integer(); }},
       {"boolean", [](const json& v) { return v.is_boolean(); }}};
  std::string type = schema.at("type");
  if (!types.at(type)(value))
    return fault(at, "is no " + type);
  if (schema.contains("enum")
      && std::count(schema.at("enum").begin(), schema.at("enum").end(), value) == 0)
    fault(at, "is not a word of the document");
  if (type == "object")
    check_object(schema, value, at);
  if (type == "array")
    check_array(schema, value, at);
  if (type == "string")
    check_text(schema, value.get<std::string>(), at);
  if (type == "integer" && schema.contains("minimum")
      && (!value.is_number_unsigned()
          || value.get<std::uint64_t>() < schema.at("minimum").get<std::uint64_t>()
          || value.get<std::uint64_t>() > schema.at("maximum").get<std::uint64_t>()))
    fault(at, "is out of its range");
}

void schema_checker::check_text(const json& schema, const std::string& text,
                                const std::string& at) {
  if (text.size() < schema.value("minLength", std::size_t{0})
      || text.size() > schema.value("maxLength", std::size_t{1'000'000}))
    fault(at, "has not its length");
  if (schema.contains("pattern")
      && !std::regex_search(text, std::regex(schema.at("pattern").get<std::string>())))
    fault(at, "does not match its pattern");
  std::string format = schema.value("format", "");
  if ((format == "byte" && !crypto::from_base64(text))
      || (format == "date-time" && !from_rfc3339(text)))
    fault(at, "is no " + format);
}

void schema_checker::check_array(const json& schema, const json& value, const std::string& at) {
  if (value.size() < schema.value("minItems", std::size_t{0})
      || value.size() > schema.value("maxItems", std::size_t{1'000'000}))
    fault(at, "has not its number of items");
  for (std::size_t i = 0; i < value.size(); ++i)
    check(schema.at("items"), value[i], at + "/" + std::to_string(i));
}

void schema_checker::check_object(const json& schema, const json& value, const std::string& at) {
  const json required = schema.value("required", json::array());
  for (const json& name : required)
    if (!value.contains(name.get<std::string>()))
      fault(at, "lacks " + name.get<std::string>());
  if (schema.value("additionalProperties", false))
    return;
  for (const auto& [name, member] : value.items()) {
    if (!schema.at("properties").contains(name)) {
      fault(at, "has an undocumented " + name);
      continue;
    }
    const json& property = schema.at("properties").at(name);
    bool is_required = std::count(required.begin(), required.end(), name) > 0;
    if (!member.is_null())
      properties.push_back(
        {&property, at + "/" + name, is_required, resolved(property).value("enum", json())});
    check(property, member, at + "/" + name);
  }
}

} // namespace pfx::test
