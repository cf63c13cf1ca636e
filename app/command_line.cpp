// Knows which options of `register` take a value, and nothing else of the program's commands.
#include "app/command_line.hpp"

namespace pfx::app {

namespace {

bool is_option(const std::string& word) { return word.starts_with("-"); }
bool takes_value(const std::string& option) { return option == "--config" || option == "--name"; }

/// Which words behind `register` are secret, one after the other.
class code_search {
public:
  bool is_secret(const std::string& word) {
    if (value_)
      return value_ = false;
    if (word == "-") // the code comes by stdin
      return false;
    if (!options_ || !is_option(word))
      return true;
    options_ = word != "--";
    value_ = takes_value(word);
    return false;
  }

private:
  bool options_ = true; ///< no `--` yet
  bool value_ = false;  ///< the next word is an option's
};

} // namespace

std::string quoted(const std::string& word) {
  constexpr std::string_view plain
    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
      "_-./:=,+@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos)
    return word;
  std::string out = "'";
  for (const char c : word)
    out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

std::string said_again(const std::vector<std::string>& words) {
  std::string out;
  std::string command;
  code_search search;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    const bool secret = command == "register" && search.is_secret(word);
    out.append(i == 0 ? "" : " ").append(secret ? "CODE" : quoted(word));
    if (i > 0 && command.empty() && !is_option(word))
      command = word;
  }
  return out;
}

} // namespace pfx::app
