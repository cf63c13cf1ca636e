// Typed reading of a JSON object: the first fault is kept with the path of its field, later ones
// are dropped, wrong types never throw. JSON null counts as absent. Internal to connect/service.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/bytes.hpp"
#include "core/clock.hpp"

namespace pfx::connect::service {

using json = nlohmann::json;

/// Any one text that has no limit of its own
inline constexpr std::size_t text_bytes_max = 16u << 10;

/// The first thing that is wrong with a body.
struct fault {
  std::optional<error> first;
  void note(errc code, std::string field, std::string message);
  [[nodiscard]] bool any() const noexcept { return first.has_value(); }
};

/// What the words of an enum are read with: name_type_of and the like.
template <class Enum>
using word_reader = std::optional<Enum> (*)(std::string_view) noexcept;

/// View of one object and of the fault it shares with others. Values that could not be read are
/// the type's default; ask `fault::any` before using them.
class fields {
public:
  fields(const json& value, std::string path, fault& into);

  /// The object itself; nullptr if it is none.
  [[nodiscard]] const json* whole() const noexcept;
  /// "name" behind this object's own path.
  [[nodiscard]] std::string path(std::string_view name) const;
  /// The value, or nullptr if absent or null.
  [[nodiscard]] const json* find(const char* name) const;

  [[nodiscard]] std::string text(const char* name, std::size_t bytes_max = text_bytes_max);
  /// Mandatory too, but may be "".
  [[nodiscard]] std::string any_text(const char* name, std::size_t bytes_max = text_bytes_max);
  [[nodiscard]] std::string optional_text(const char* name, std::size_t bytes_max = text_bytes_max);
  /// A whole number in `min`..`max`.
  [[nodiscard]] std::uint64_t number(const char* name, std::uint64_t min, std::uint64_t max);
  [[nodiscard]] std::uint64_t optional_number(const char* name, std::uint64_t max);
  [[nodiscard]] bool flag(const char* name);
  [[nodiscard]] bool optional_flag(const char* name);
  /// Base64; not empty.
  [[nodiscard]] bytes octets(const char* name, std::size_t bytes_max);
  [[nodiscard]] bytes optional_octets(const char* name, std::size_t bytes_max);
  /// A SHA-256 in hexadecimal.
  [[nodiscard]] digest hash(const char* name);
  [[nodiscard]] digest optional_hash(const char* name);
  /// RFC 3339.
  [[nodiscard]] unix_ms moment(const char* name);
  [[nodiscard]] std::optional<unix_ms> optional_moment(const char* name);
  [[nodiscard]] fields object(const char* name);
  /// The members of a mandatory array; empty if it is none.
  [[nodiscard]] const json::array_t& items(const char* name);
  [[nodiscard]] const json::array_t& optional_items(const char* name);

  template <class Enum>
  [[nodiscard]] Enum word(const char* name, word_reader<Enum> read, Enum otherwise) {
    return known(name, text(name), read, otherwise);
  }
  template <class Enum>
  [[nodiscard]] Enum optional_word(const char* name, word_reader<Enum> read, Enum otherwise) {
    return find(name) == nullptr ? otherwise : word(name, read, otherwise);
  }

  /// `list[i].name` for the members of an array.
  [[nodiscard]] std::string path(const char* list, std::size_t index) const;
  /// The texts of an array; each non-empty.
  [[nodiscard]] std::vector<std::string> texts(const char* list, const json::array_t& items);
  void note(errc code, std::string_view name, std::string message);
  [[nodiscard]] fault& shared() noexcept { return *fault_; }

private:
  [[nodiscard]] const json* need(const char* name);
  [[nodiscard]] const std::string* need_string(const char* name, std::size_t bytes_max);
  void note_unknown_word(const char* name, const std::string& text);

  template <class Enum>
  Enum known(const char* name, const std::string& text, word_reader<Enum> read, Enum otherwise) {
    if (auto value = read(text))
      return *value;
    if (!text.empty())
      note_unknown_word(name, text);
    return otherwise;
  }

  const json* value_;
  std::string path_;
  fault* fault_;
};

} // namespace pfx::connect::service
