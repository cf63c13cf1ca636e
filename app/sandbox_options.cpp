// Takes a mix apart; which kinds exist it leaves to the sandbox.
#include "app/sandbox_options.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "sandbox/sandbox.hpp"

namespace pfx::app {

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
