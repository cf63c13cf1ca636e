// Lines "name value" read strictly, one after the other. Private to the codecs of releases.
#pragma once

#include "core/release.hpp"

namespace pfx::release::detail {

/// Walks over a text of lines. The first fault is kept, later ones are dropped; values after a
/// fault are the type's default.
class lines {
public:
  explicit lines(std::string_view text) : rest_(text) {}

  /// The value of the next line, which must be called `name`.
  [[nodiscard]] std::string_view value(std::string_view name);
  /// True if there is a next line of that name.
  [[nodiscard]] bool at(std::string_view name) const noexcept;
  /// No more lines.
  void end();

  [[nodiscard]] std::uint64_t number(std::string_view name, std::uint64_t min, std::uint64_t max);
  [[nodiscard]] std::string word(std::string_view name);
  [[nodiscard]] unix_ms moment(std::string_view name);
  [[nodiscard]] version a_version(std::string_view name);
  [[nodiscard]] digest hash(std::string_view name);

  void note(std::string_view field, std::string message, errc code = errc::bad_input);
  [[nodiscard]] const std::optional<error>& fault() const noexcept { return fault_; }

private:
  std::string_view rest_;
  std::optional<error> fault_;
};

[[nodiscard]] std::string line(std::string_view name, std::string_view value);
/// Decimal without leading zeros; nothing if it is none or above `max`.
[[nodiscard]] std::optional<std::uint64_t> whole_number(std::string_view text,
                                                        std::uint64_t max) noexcept;
/// "2026-11-01T12:00:00Z": whole seconds, UTC, of the years 1970 to 9999.
[[nodiscard]] std::optional<unix_ms> whole_second(std::string_view text);
/// Lower-case hexadecimal of exactly so many octets.
[[nodiscard]] bool octets_from(std::string_view text, std::span<std::uint8_t> into);

} // namespace pfx::release::detail
