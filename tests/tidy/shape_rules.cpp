// The shape of files: lengths of lines, functions and files, and how a file begins.
#include <algorithm>

#include "tests/tidy/rules.hpp"

namespace pfx::tidy {

namespace {

/// Characters, not octets: a line of Greek is no longer than one of English.
std::size_t characters(const std::string& line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

/// Follows braces through blanked code and measures every outermost function body.
class brace_counter {
public:
  explicit brace_counter(const source& file) : file_(file) {}

  void run(std::vector<finding>& out) {
    for (line_ = 0; line_ < file_.code.size(); ++line_) {
      if (is_directive()) {
        continue;
      }
      for (const char c : file_.code[line_]) {
        take(c, out);
      }
      head_ += ' ';
    }
  }

private:
  /// Preprocessor lines, and the lines they go on in, may hold braces without a partner.
  bool is_directive() {
    const auto& line = file_.code[line_];
    const auto first = line.find_first_not_of(" \t");
    const bool directive = continued_ || (first != std::string::npos && line[first] == '#');
    continued_ = directive && !line.empty() && line.back() == '\\';
    return directive;
  }

  void take(char c, std::vector<finding>& out) {
    if (c == '{') {
      open();
    } else if (c == '}') {
      close(out);
    } else if (depth_in_function_ == 0) {
      put(c);
    }
  }

  void put(char c) {
    if (after_initialiser_ && c != ' ') {
      // "a_{1}, b_{2} {" goes on with a constructor's body; anything else begins something new.
      after_initialiser_ = false;
      if (c != ',') {
        head_.clear();
      }
    }
    head_ += c;
    if (c == ';') {
      head_.clear();
    }
  }

  void open() {
    if (depth_in_function_ > 0) {
      ++depth_in_function_;
      return;
    }
    if (is_function_head()) {
      depth_in_function_ = 1;
      begin_ = line_;
    } else {
      head_.clear();
    }
    after_initialiser_ = false;
  }

  void close(std::vector<finding>& out) {
    if (depth_in_function_ == 0) {
      head_.clear();
      return;
    }
    if (--depth_in_function_ > 0) {
      return;
    }
    const std::size_t size = line_ - begin_ + 1;
    if (size > function_lines_max) {
      out.push_back({"long-function", file_.path, begin_ + 1,
                     "a function of " + std::to_string(size) + " lines; at most "
                       + std::to_string(function_lines_max)});
    }
    after_initialiser_ = true; // the head stays: this may have been a member's initialiser
  }

  /// A parenthesis, and not the bases of a type: "struct x : y<decltype(z())> {".
  [[nodiscard]] bool is_function_head() const {
    const auto parenthesis = head_.find('(');
    if (parenthesis == std::string::npos) {
      return false;
    }
    const auto behind = head_.rfind(')');
    for (const std::string_view word : {"namespace", "class", "struct", "union", "enum"}) {
      // "MACRO(x)" without a semicolon stands before what it has nothing to do with.
      if (behind != std::string::npos && find_word(head_, word, behind) != std::string::npos) {
        return false;
      }
      const auto at = find_word(head_, word);
      const bool opens = at < parenthesis && head_.find('<') > at;
      if (opens && head_.find(':', at) < parenthesis) {
        return false;
      }
    }
    return true;
  }

  const source& file_;
  std::size_t line_ = 0;
  std::size_t begin_ = 0;
  std::size_t depth_in_function_ = 0;
  bool continued_ = false;
  bool after_initialiser_ = false;
  std::string head_; ///< code since the last ';', '{' or '}' outside of functions
};

void check_lines(const source& file, std::vector<finding>& out) {
  for (std::size_t at = 0; at < file.raw.size(); ++at) {
    const auto& line = file.raw[at];
    if (characters(line) > line_characters_max) {
      out.push_back({"long-line", file.path, at + 1,
                     "a line of " + std::to_string(characters(line)) + " characters; at most "
                       + std::to_string(line_characters_max)});
    }
    if (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) {
      out.push_back({"whitespace", file.path, at + 1, "white space at the end of the line"});
    }
    if (line.find('\t') != std::string::npos) {
      out.push_back({"whitespace", file.path, at + 1, "a tabulator; indent with two spaces"});
    }
  }
}

} // namespace

void check_shape(const source& file, std::vector<finding>& out) {
  if (!is_cpp(file.path)) {
    return;
  }
  check_lines(file, out);
  brace_counter(file).run(out);
  if (file.raw.size() > file_lines_max) {
    out.push_back({"long-file", file.path, file_lines_max + 1,
                   "a file of " + std::to_string(file.raw.size()) + " lines; at most "
                     + std::to_string(file_lines_max)});
  }
  if (file.raw.empty() || !file.raw.front().starts_with("// ")) {
    out.push_back({"opening", file.path, 1, "a file opens with what it is and what it refuses"});
  }
  if (is_header(file.path)
      && std::find(file.raw.begin(), file.raw.end(), "#pragma once") == file.raw.end()) {
    out.push_back({"pragma-once", file.path, 1, "a header says #pragma once"});
  }
}

} // namespace pfx::tidy
