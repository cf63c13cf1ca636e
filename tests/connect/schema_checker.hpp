// Holds JSON against the schemas of docs/openapi.json. Knows the keywords that the document uses
// and refuses a document with others, so that none goes unchecked.
#pragma once

#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace pfx::test {

/// docs/openapi.json, read once.
[[nodiscard]] const nlohmann::json& openapi();
/// components.schemas[name]
[[nodiscard]] const nlohmann::json& openapi_schema(const std::string& name);
/// Follows $ref.
[[nodiscard]] const nlohmann::json& resolved(const nlohmann::json& schema);
/// The schemas of all properties below a schema, by address.
[[nodiscard]] std::set<const nlohmann::json*> properties_of(const nlohmann::json& schema);
/// Keywords below a schema that the checker does not know.
[[nodiscard]] std::set<std::string> unknown_keywords(const nlohmann::json& schema);

/// A property with a value, as a body showed it.
struct seen_property {
  const nlohmann::json* schema = nullptr;
  std::string value; ///< pointer into the body
  bool required = false;
  nlohmann::json words; ///< its enum, or null
};

class schema_checker {
public:
  std::vector<std::string> faults;
  std::vector<seen_property> properties;

  void check(const nlohmann::json& schema, const nlohmann::json& value, const std::string& at = "");

private:
  void fault(const std::string& at, const std::string& what);
  void one_of(const nlohmann::json& choices, const nlohmann::json& value, const std::string& at);
  void check_plain(const nlohmann::json& schema, const nlohmann::json& value,
                   const std::string& at);
  void check_array(const nlohmann::json& schema, const nlohmann::json& value,
                   const std::string& at);
  void check_object(const nlohmann::json& schema, const nlohmann::json& value,
                    const std::string& at);
  void check_text(const nlohmann::json& schema, const std::string& text, const std::string& at);
};

} // namespace pfx::test
