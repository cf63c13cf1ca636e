// The one table of all settings: what the parser, the schema, the documentation and the writer
// read. Private to engine/; knows no JSON.
#pragma once

#include <span>
#include <variant>

#include "engine/configuration.hpp"

namespace pfx::engine::detail {

/// The objects a row's value can live in; only the one that the row's section needs is set.
struct place {
  configuration* whole = nullptr;
  authority_settings* authority = nullptr;
  issuance_settings::allowed_authority* allowed = nullptr;
  intune_credential_settings* credential = nullptr;
};

using slot = std::variant<bool*, std::string*, std::int64_t*, std::uint32_t*, std::uint64_t*,
                          std::vector<std::string>*>;

enum class shape : std::uint8_t {
  text,   ///< a string
  file,   ///< a path; relative ones are relative to the configuration's folder
  choice, ///< one of `choices`
  count,  ///< a whole number
  amount, ///< a number with a unit, fractions allowed; stored times `scale`
  words,  ///< a list of strings
  flag,   ///< true or false
};

/// What a string must look like besides being one.
struct form {
  std::string_view pattern;  ///< ECMA 262, for the schema
  std::string_view sentence; ///< "must be …"
  bool (*fits)(std::string_view text);
};

struct setting {
  std::string_view path; ///< "service.url"; elements of lists: "authorities[].url"
  shape is = shape::text;
  std::string_view sentence; ///< for people
  slot (*where)(place in) = nullptr;
  bool mandatory = false;
  std::int64_t scale = 1; ///< stored units in one unit of the file
  double minimum = 0;     ///< in units of the file
  double maximum = 0;
  std::string_view choices = {}; ///< separated by '|'
  const form* looks = nullptr;
  std::string_view default_note = {}; ///< where the default is not a constant

  [[nodiscard]] std::string_view section() const noexcept; ///< "" | "service" | "authorities[]" …
  [[nodiscard]] std::string_view name() const noexcept;    ///< "url"
};

struct section {
  std::string_view path; ///< "" = the whole file
  std::string_view sentence;
  /// Where it may be left out whole: whether it is there, and how it comes to be.
  bool (*present)(const configuration& in) = nullptr;
  void (*make)(configuration& in) = nullptr;
};

[[nodiscard]] std::span<const setting> all_settings();
/// Those of the section "intune"; part of all_settings().
[[nodiscard]] std::span<const setting> intune_settings_rows() noexcept;
/// Those of the section "updates"; part of all_settings().
[[nodiscard]] std::span<const setting> updates_settings_rows() noexcept;
/// In the order of the documentation; a section stands before those inside it.
[[nodiscard]] std::span<const section> all_sections() noexcept;
[[nodiscard]] bool is_list(std::string_view section_path) noexcept;
/// Adds an element to the list that this section describes.
[[nodiscard]] place add_element(std::string_view section_path, configuration& whole);
/// The elements that the list has.
[[nodiscard]] std::vector<place> elements_of(std::string_view section_path, configuration& whole);
/// "issuance.authorities[]" → "issuance"; "service" → "".
[[nodiscard]] std::string_view parent_of(std::string_view section_path) noexcept;
/// "issuance.authorities[]" → "authorities".
[[nodiscard]] std::string_view key_of(std::string_view section_path) noexcept;
[[nodiscard]] std::vector<std::string_view> split_choices(std::string_view choices);
/// True if `word` is one of them.
[[nodiscard]] bool among(std::string_view choices, std::string_view word);

inline constexpr std::size_t file_bytes_max = 1u << 20;      ///< of a configuration file
inline constexpr std::size_t text_bytes_max = 4'096;         ///< of one string in it
inline constexpr std::size_t list_entries_max = 1'000;       ///< of one list in it
inline constexpr std::size_t control_socket_bytes_max = 107; ///< sockaddr_un

} // namespace pfx::engine::detail
