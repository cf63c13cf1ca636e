// A source file as the tidy rules see it: its text, and the same text without comments and without
// the insides of literals. A rough reader of C++, no parser; it never fails.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace pfx::tidy {

struct source {
  std::string path;              ///< relative to the top of the tree, with '/'
  std::string text;              ///< as it is
  std::vector<std::string> raw;  ///< its lines
  std::vector<std::string> code; ///< its lines, comments and insides of literals as spaces
};

/// Splits a text and blanks what is no code. Only C++ files get blanked lines that differ.
[[nodiscard]] source read_source(std::string path, std::string text);

/// All of our own text files below `top`, sorted by path; without build trees and test data.
[[nodiscard]] std::vector<source> read_tree(const std::filesystem::path& top);

/// True for .cpp and .hpp.
[[nodiscard]] bool is_cpp(std::string_view path);
[[nodiscard]] bool is_header(std::string_view path);

/// "core" of "core/bytes.hpp"; empty for a file at the top.
[[nodiscard]] std::string_view room_of(std::string_view path);

/// The position of `word` as a whole identifier in `line` from `from` on, or npos.
[[nodiscard]] std::size_t find_word(std::string_view line, std::string_view word,
                                    std::size_t from = 0);

} // namespace pfx::tidy
