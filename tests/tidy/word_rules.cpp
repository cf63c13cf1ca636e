// Words that have no place: output from rooms, waits without an end, promises without a name.
#include <algorithm>
#include <array>
#include <cctype>

#include "tests/tidy/rules.hpp"

namespace pfx::tidy {

namespace {

struct word_rule {
  std::string_view rule;
  std::string_view word; ///< a whole identifier or a piece of code
  std::string_view why;
};

/// Searched for in the code of the rooms, without comments and literals.
constexpr std::array<word_rule, 18> in_rooms = {{
  {"aout", "aout", "logging goes through the event sink, not to an actor's stdout"},
  {"infinite", "infinite", "every wait has a named limit"},
  {"await", ".await(", "an actor that awaits answers nobody else; use .then("},
  {"sleep", "sleep_for", "sleeping holds a thread; wait for a condition or ask for a timer"},
  {"sleep", "sleep_until", "sleeping holds a thread; wait for a condition or ask for a timer"},
  {"sleep", "usleep", "sleeping holds a thread; wait for a condition or ask for a timer"},
  {"sleep", "nanosleep", "sleeping holds a thread; wait for a condition or ask for a timer"},
  {"sleep", "::sleep(", "sleeping holds a thread; wait for a condition or ask for a timer"},
  {"print", "std::cout", "only programs speak to the terminal"},
  {"print", "std::cerr", "only programs speak to the terminal"},
  {"print", "std::clog", "only programs speak to the terminal"},
  {"print", "printf", "only programs speak to the terminal"},
  {"print", "fprintf", "only programs speak to the terminal"},
  {"print", "vfprintf", "only programs speak to the terminal"},
  {"print", "puts", "only programs speak to the terminal"},
  {"print", "fputs", "only programs speak to the terminal"},
  {"print", "putchar", "only programs speak to the terminal"},
  {"print", "perror", "only programs speak to the terminal"},
}};

constexpr std::array<std::string_view, 10> rooms
  = {"core",    "crypto", "storage", "connect", "actors",
     "release", "engine", "app",     "sandbox", "switcher"};

bool is_in_room(const source& file) {
  const auto room = room_of(file.path);
  return is_cpp(file.path) && std::find(rooms.begin(), rooms.end(), room) != rooms.end();
}

void check_code(const source& file, std::vector<finding>& out) {
  for (std::size_t at = 0; at < file.code.size(); ++at) {
    for (const auto& one : in_rooms) {
      const bool program = room_of(file.path) == "app" || room_of(file.path) == "switcher";
      const bool terminal = one.rule == "print" && program;
      if (!terminal && find_word(file.code[at], one.word) != std::string::npos) {
        out.push_back({std::string(one.rule), file.path, at + 1,
                       std::string(one.word) + ": " + std::string(one.why)});
      }
    }
  }
}

/// The arguments behind the parenthesis at `open`, which may go over several lines.
std::string arguments_at(const source& file, std::size_t line, std::size_t open) {
  constexpr std::size_t lines_max = 40;
  std::string out;
  int depth = 0;
  for (std::size_t at = line; at < std::min(file.code.size(), line + lines_max); ++at) {
    const auto& code = file.code[at];
    for (std::size_t column = at == line ? open : 0; column < code.size(); ++column) {
      depth += code[column] == '(' ? 1 : code[column] == ')' ? -1 : 0;
      if (depth == 0) {
        return out.substr(1);
      }
      out += code[column];
    }
    out += ' ';
  }
  return out;
}

/// True if `name` is a lock in this file: that is what a condition without a predicate waits with.
bool is_lock(const source& file, std::string name) {
  name.erase(std::remove(name.begin(), name.end(), ' '), name.end());
  return std::any_of(file.code.begin(), file.code.end(), [&name](const std::string& line) {
    const auto at = std::min(line.find("unique_lock"), line.find("shared_lock"));
    return at != std::string::npos && find_word(line, name, at) != std::string::npos;
  });
}

/// `wait()` of a future and `wait(lock)` of a condition have no end; `wait(lock, predicate)` ends
/// when its predicate, which a stop also fulfils, is true; `wait_for`, `wait_until` and our own
/// `wait(limit)` have a limit.
void check_waits(const source& file, std::vector<finding>& out) {
  for (std::size_t at = 0; at < file.code.size(); ++at) {
    for (const std::string_view call : {".wait(", "->wait("}) {
      for (auto found = file.code[at].find(call); found != std::string::npos;
           found = file.code[at].find(call, found + 1)) {
        const auto arguments = arguments_at(file, at, found + call.size() - 1);
        if (arguments.find_first_not_of(' ') == std::string::npos || is_lock(file, arguments)) {
          out.push_back(
            {"endless-wait", file.path, at + 1, "a wait without predicate or limit may never end"});
        }
      }
    }
  }
}

/// The marks are put together here, so that this file does not break its own rules.
void check_todo(const source& file, std::vector<finding>& out) {
  static const std::string open = std::string("TO") + "DO";
  static const std::array<std::string, 3> never
    = {std::string("FIX") + "ME", std::string("XX") + "X", std::string("HA") + "CK"};
  for (std::size_t at = 0; at < file.raw.size(); ++at) {
    const auto& line = file.raw[at];
    for (auto found = find_word(line, open); found != std::string::npos;
         found = find_word(line, open, found + 1)) {
      const auto behind = found + open.size();
      const bool named = behind + 1 < line.size() && line[behind] == '('
        && std::isalpha(static_cast<unsigned char>(line[behind + 1])) != 0;
      if (!named) {
        out.push_back({"todo", file.path, at + 1, open + " names who does it: " + open + "(name)"});
      }
    }
    for (const auto& word : never) {
      if (find_word(line, word) != std::string::npos) {
        out.push_back({"todo", file.path, at + 1, "say what is left as " + open + "(name)"});
      }
    }
  }
}

std::string lower(const std::string& text) {
  std::string out = text;
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return out;
}

/// Places of one machine and papers that a reader of the project does not have.
void check_banned(const source& file, std::vector<finding>& out) {
  static const std::array<std::string, 4> banned
    = {std::string("/wo") + "rk/", std::string("/ho") + "me/", std::string("/tmp/te") + "am",
       std::string("iss") + "ue #"};
  for (std::size_t at = 0; at < file.raw.size(); ++at) {
    const auto line = lower(file.raw[at]);
    for (const auto& word : banned) {
      if (line.find(word) != std::string::npos) {
        out.push_back({"banned-word", file.path, at + 1,
                       "\"" + word + "\" means nothing to a reader of the project"});
      }
    }
  }
}

} // namespace

void check_words(const source& file, std::vector<finding>& out) {
  check_todo(file, out);
  check_banned(file, out);
  if (is_in_room(file)) {
    check_code(file, out);
    check_waits(file, out);
  }
}

std::vector<finding> check(const source& file) {
  std::vector<finding> out;
  check_includes(file, out);
  check_shape(file, out);
  check_words(file, out);
  return out;
}

} // namespace pfx::tidy
