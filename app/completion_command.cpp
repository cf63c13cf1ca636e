// `completion`: what a shell needs to complete our words, made from the command line's own
// description, so that it cannot grow old.
#include <memory>

#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/console.hpp"

namespace pfx::app {
namespace {

/// One command, and what may follow it.
struct words {
  std::string path; ///< "key create"; empty for the program itself
  std::vector<std::pair<std::string, std::string>> commands; ///< name, description
  std::vector<std::pair<std::string, std::string>> options;  ///< "--config", description
};

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

void collect(const CLI::App& from, const std::string& path, std::vector<words>& into) {
  words one{path, {}, {}};
  for (const auto* command : from.get_subcommands({}))
    one.commands.emplace_back(command->get_name(), first_line(command->get_description()));
  for (const auto* option : from.get_options())
    for (const auto& name : option->get_lnames())
      one.options.emplace_back("--" + name, first_line(option->get_description()));
  into.push_back(one);
  for (const auto* command : from.get_subcommands({}))
    collect(*command, path.empty() ? command->get_name() : path + " " + command->get_name(), into);
}

std::string names(const words& one) {
  std::string out;
  for (const auto* list : {&one.commands, &one.options})
    for (const auto& [name, description] : *list)
      out += (out.empty() ? "" : " ") + name;
  return out;
}

/// The words before the one that is typed, options left out, name the command; a word that is no
/// command (an argument) ends the walk. bash and zsh read the same.
std::string cases_of(const std::vector<words>& all) {
  std::string out;
  for (const auto& one : all)
    out += "    '" + one.path + "') found='" + names(one) + "' ;;\n";
  return out;
}

std::string bash_text(const std::vector<words>& all) {
  return "# bash completion of pfxengine; made by `pfxengine completion bash`\n"
         "_pfxengine_words() { # the command so far -> found\n"
         "  case $1 in\n"
    + cases_of(all)
    + "    *) return 1 ;;\n"
      "  esac\n"
      "}\n"
      "_pfxengine() {\n"
      "  local found path='' at word=${COMP_WORDS[COMP_CWORD]}\n"
      "  for ((at = 1; at < COMP_CWORD; at++)); do\n"
      "    _pfxengine_words \"${path:+$path }${COMP_WORDS[at]}\" &&\n"
      "      path=${path:+$path }${COMP_WORDS[at]}\n"
      "  done\n"
      "  _pfxengine_words \"$path\"\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$found\" -- \"$word\")\n"
      "  [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
      "}\n"
      "complete -F _pfxengine pfxengine\n";
}

std::string zsh_text(const std::vector<words>& all) {
  return "#compdef pfxengine\n"
         "# zsh completion of pfxengine; made by `pfxengine completion zsh`\n"
         "_pfxengine_words() { # the command so far -> found\n"
         "  case $1 in\n"
    + cases_of(all)
    + "    *) return 1 ;;\n"
      "  esac\n"
      "}\n"
      "_pfxengine() {\n"
      "  local path_so_far='' found='' word typed\n"
      "  typed=(${words[2,CURRENT-1]})\n"

      "  for word in $typed; do\n"
      "    _pfxengine_words \"${path_so_far:+$path_so_far }$word\" &&\n"
      "      path_so_far=\"${path_so_far:+$path_so_far }$word\"\n"
      "  done\n"
      "  _pfxengine_words \"$path_so_far\"\n"
      "  compadd -- ${=found} || _files\n"
      "}\n"
      "_pfxengine \"$@\"\n";
}

std::string fish_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text)
    out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return out + "'";
}

/// fish asks a function whether the words so far are exactly a command's.
std::string fish_text(const std::vector<words>& all) {
  std::string out = "# fish completion of pfxengine; made by `pfxengine completion fish`\n"
                    "function __pfxengine_at\n"
                    "    set -l so_far (commandline -opc)[2..-1]\n"
                    "    set -l plain (string match -v -- '-*' $so_far)\n"
                    "    set -l wanted (string split -n ' ' -- \"$argv[1]\")\n"
                    "    test (count $wanted) -eq 0; and begin\n"
                    "        test (count $plain) -eq 0\n"
                    "        return\n"
                    "    end\n"
                    "    test \"$plain[1..(count $wanted)]\" = \"$wanted\"\n"
                    "end\n";
  for (const auto& one : all) {
    const auto head
      = "complete -c pfxengine -n " + fish_quoted("__pfxengine_at \"" + one.path + "\"");
    for (const auto& [name, description] : one.commands)
      out += head + " -f -a " + name + " -d " + fish_quoted(description) + "\n";
    for (const auto& [name, description] : one.options)
      out += head + " -l " + name.substr(2) + " -d " + fish_quoted(description) + "\n";
  }
  return out;
}

} // namespace

void add_completion(CLI::App& root, exit_code& code) {
  auto* command = root.add_subcommand("completion", "Print what a shell needs to complete words");
  auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")
    ->required()
    ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer("The package installs all three.\n\n"
                  "Example:\n  source <(pfxengine completion bash)");
  command->callback([&root, shell, &code] {
    std::vector<words> all;
    collect(root, "", all);
    auto text = *shell == "bash" ? bash_text(all)
      : *shell == "zsh"          ? zsh_text(all)
                                 : fish_text(all);
    text.pop_back(); // say() ends the line
    say(text);
    code = exit_code::done;
  });
}

} // namespace pfx::app
