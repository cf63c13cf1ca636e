// Takes a mix apart, and what connectors are to hear of their version; which kinds of requests
// exist it leaves to the sandbox.
#include "app/sandbox_options.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <CLI/CLI.hpp>

#include "sandbox/sandbox.hpp"

namespace pfx::app {

namespace {

void add_moment(CLI::App& command, const char* name, std::optional<unix_ms>& into,
                const char* words) {
  command
    .add_option_function<std::string>(
      name, [&into](const std::string& text) { into = from_rfc3339(text).value_or(0); }, words)
    ->check([](const std::string& text) {
      return from_rfc3339(text) ? std::string()
                                : std::string("must be a time like 2026-11-01T12:00:00Z");
    });
}

} // namespace

void add_connector_notice(CLI::App& command, sandbox::options& options) {
  auto& said = options.connectors;
  command.add_option("--connectors", said.word, "What connectors hear of their version")
    ->check(CLI::IsMember({"supported", "warning", "error"}));
  command.add_option("--latest-version", said.latest_version,
                     "The newest version of the connector, as they hear it");
  add_moment(command, "--deprecated-after", said.deprecated_after,
             "Since when their version is deprecated, as they hear it");
  add_moment(command, "--unsupported-after", said.unsupported_after,
             "Since when it is no longer supported; if they do not hear it, six months later");
}

result<std::vector<std::pair<std::string, double>>> read_mix(const std::string& text) {
  std::vector<std::pair<std::string, double>> out;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const auto equals = part.find('=');
    const auto kind = part.substr(0, equals);
    double weight = 1;
    if (equals != std::string_view::npos) {
      const auto word = part.substr(equals + 1);
      const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), weight);
      if (fault != std::errc{} || end != word.data() + word.size()
          || !(weight > 0 && weight <= 1e6))
        return failure(errc::bad_input, "mix",
                       "has a weight that is no positive number: " + printable(part));
    }
    if (kind.empty())
      return failure(errc::bad_input, "mix", "has an entry without a kind");
    out.emplace_back(kind, weight);
  }
  return out;
}

bool needs_import_key(const std::string& mix) {
  const auto kinds = read_mix(mix);
  return kinds && std::ranges::any_of(*kinds, [](const auto& one) {
           return sandbox::needs_import_key(one.first);
         });
}

} // namespace pfx::app
