// Configuration text to values, by the table alone. Gathers every fault; private to engine/.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "engine/settings_table.hpp"

namespace pfx::engine::detail {

/// Reads one JSON object tree into a configuration. Used once; `faults` grows as it goes.
class settings_reader {
public:
  settings_reader(configuration& into, std::string folder, std::vector<error>& faults);

  void read(const nlohmann::json& whole);

private:
  void read_section(const nlohmann::json& object, const section& part, const std::string& shown,
                    const place& at);
  void read_inner(const nlohmann::json& object, const section& part, const std::string& shown,
                  const place& at);
  void read_elements(const nlohmann::json& list, const section& part, const std::string& shown);
  void read_value(const nlohmann::json& value, const setting& row, const std::string& shown,
                  const place& at);
  void read_text(const std::string& text, const setting& row, const std::string& shown,
                 std::string& into);
  void read_number(const nlohmann::json& value, const setting& row, const std::string& shown,
                   const slot& into);
  void read_words(const nlohmann::json& value, const setting& row, const std::string& shown,
                  std::vector<std::string>& into);
  void refuse_unknown(std::string_view key, const section& part, const std::string& shown);
  void complain(const std::string& field, std::string sentence, errc code = errc::bad_input);

  configuration& into_;
  std::string folder_;
  std::vector<error>& faults_;
};

/// Absolute and without "." and ".."; "credential:NAME" becomes the service manager's path.
[[nodiscard]] std::string resolve_path(const std::string& text, const std::string& folder);

/// The number of insertions, removals, replacements that turn one word into the other, upper and
/// lower case being the same.
[[nodiscard]] std::size_t distance_between(std::string_view left, std::string_view right);

} // namespace pfx::engine::detail
