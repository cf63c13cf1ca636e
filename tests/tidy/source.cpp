// The rough reader of C++ behind the tidy rules.
#include "tests/tidy/source.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>

namespace pfx::tidy {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 12> text_endings
  = {".cpp", ".hpp", ".h", ".c", ".md", ".txt", ".cmake", ".sh", ".json", ".yaml", ".yml", ".py"};
constexpr std::array<std::string_view, 5> foreign_folders
  = {"build", ".git", ".cache", "data", "__pycache__"};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Walks over a text once and blanks comments and the insides of literals in `out`.
class blanker {
public:
  explicit blanker(const std::string& text) : text_(text), out_(text) {}

  std::string run() {
    while (at_ < text_.size()) {
      step();
    }
    return std::move(out_);
  }

private:
  void step() {
    if (starts("//")) {
      blank_until("\n", 0);
    } else if (starts("/*")) {
      blank_until("*/", 2);
    } else if (starts("R\"") && (at_ == 0 || !is_word(text_[at_ - 1]))) {
      const auto open = text_.find('(', at_);
      if (open == std::string::npos) {
        ++at_;
        return;
      }
      const auto mark = ")" + text_.substr(at_ + 2, open - at_ - 2) + "\"";
      at_ = open;
      blank_until(mark, mark.size());
    } else if (text_[at_] == '"' || (text_[at_] == '\'' && !is_digit_separator())) {
      literal(text_[at_]);
    } else {
      ++at_;
    }
  }

  [[nodiscard]] bool starts(std::string_view what) const {
    return text_.compare(at_, what.size(), what) == 0;
  }

  /// The quote of 1'000.
  [[nodiscard]] bool is_digit_separator() const {
    return at_ > 0 && at_ + 1 < text_.size()
      && std::isxdigit(static_cast<unsigned char>(text_[at_ - 1])) != 0
      && std::isxdigit(static_cast<unsigned char>(text_[at_ + 1])) != 0
      && (at_ + 2 >= text_.size() || text_[at_ + 2] != '\'');
  }

  void blank(std::size_t from, std::size_t to) {
    for (auto at = from; at < std::min(to, out_.size()); ++at) {
      if (out_[at] != '\n') {
        out_[at] = ' ';
      }
    }
  }

  void blank_until(std::string_view mark, std::size_t with) {
    const auto end = text_.find(mark, at_ + (starts("/*") ? 2 : 1));
    const auto stop = end == std::string::npos ? text_.size() : end + with;
    blank(at_, stop);
    at_ = stop;
  }

  void literal(char quote) {
    auto end = at_ + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n') {
      end += text_[end] == '\\' ? 2 : 1;
    }
    blank(at_ + 1, end);
    at_ = std::min(end + 1, text_.size());
  }

  const std::string& text_;
  std::string out_;
  std::size_t at_ = 0;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::size_t from = 0;
  while (from < text.size()) {
    const auto end = std::min(text.find('\n', from), text.size());
    out.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return out;
}

/// Ours and text: known endings, and the scripts without one.
bool is_ours(const fs::path& file) {
  const auto ending = file.extension().string();
  const auto name = file.filename().string();
  return std::find(text_endings.begin(), text_endings.end(), ending) != text_endings.end()
    || name == "check" || name == "quickstart" || name == "run";
}

} // namespace

source read_source(std::string path, std::string text) {
  source out;
  out.raw = lines_of(text);
  out.code = is_cpp(path) ? lines_of(blanker(text).run()) : out.raw;
  out.path = std::move(path);
  out.text = std::move(text);
  return out;
}

std::vector<source> read_tree(const fs::path& top) {
  std::vector<source> out;
  auto walk = fs::recursive_directory_iterator(top, fs::directory_options::skip_permission_denied);
  for (auto at = fs::begin(walk); at != fs::end(walk); ++at) {
    const auto name = at->path().filename().string();
    if (at->is_directory()) {
      if (std::find(foreign_folders.begin(), foreign_folders.end(), name)
          != foreign_folders.end()) {
        at.disable_recursion_pending();
      }
      continue;
    }
    if (at->is_regular_file() && is_ours(at->path())) {
      std::ifstream in(at->path(), std::ios::binary);
      std::string text{std::istreambuf_iterator<char>(in), {}};
      out.push_back(
        read_source(at->path().lexically_relative(top).generic_string(), std::move(text)));
    }
  }
  std::sort(out.begin(), out.end(),
            [](const source& left, const source& right) { return left.path < right.path; });
  return out;
}

bool is_header(std::string_view path) { return path.ends_with(".hpp"); }

bool is_cpp(std::string_view path) { return path.ends_with(".cpp") || is_header(path); }

std::string_view room_of(std::string_view path) {
  const auto slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::size_t find_word(std::string_view line, std::string_view word, std::size_t from) {
  for (auto at = line.find(word, from); at != std::string_view::npos;
       at = line.find(word, at + 1)) {
    const bool before = at == 0 || !is_word(line[at - 1]) || !is_word(word.front());
    const auto end = at + word.size();
    const bool after = end >= line.size() || !is_word(line[end]) || !is_word(word.back());
    if (before && after) {
      return at;
    }
  }
  return std::string_view::npos;
}

} // namespace pfx::tidy
