// The rules of the house that a machine can hold. Each says why it exists when it is broken.
#pragma once

#include <string>
#include <vector>

#include "tests/tidy/source.hpp"

namespace pfx::tidy {

struct finding {
  std::string rule; ///< its short name, for example "arrows"
  std::string path;
  std::size_t line = 0; ///< from 1
  std::string why;      ///< a sentence
};

inline constexpr std::size_t line_characters_max = 100;
inline constexpr std::size_t function_lines_max = 70;
inline constexpr std::size_t file_lines_max = 400;

/// All findings of all rules in one file, in the order of the rules.
[[nodiscard]] std::vector<finding> check(const source& file);

// -- groups of rules, one file each -------------------------------------------

/// "arrows" (rooms that a room may include) and "parties" (third parties outside their room).
void check_includes(const source& file, std::vector<finding>& out);
/// "long-line", "long-function", "long-file", "whitespace", "opening", "pragma-once".
void check_shape(const source& file, std::vector<finding>& out);
/// "todo", "print", "aout", "infinite", "await", "endless-wait", "sleep", "banned-word".
void check_words(const source& file, std::vector<finding>& out);

} // namespace pfx::tidy
