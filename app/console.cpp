// Writes lines; knows no format but "one line", and hides no failed write from flush_console().
#include "app/console.hpp"

#include <cstdio>

namespace pfx::app {

void say(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

void complain(std::string_view text) {
  const auto line = "pfxengine: " + std::string(text) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

exit_code refuse(const error& what) {
  complain(to_string(what));
  return exit_code_of(what.code);
}

bool flush_console() noexcept { return std::fflush(stdout) == 0 && std::ferror(stdout) == 0; }

void complain_all(const std::string& path, const std::vector<error>& faults) {
  for (const auto& fault : faults) {
    const auto field = fault.field.empty() || fault.field == path ? "" : fault.field + " ";
    complain(printable(path, 512) + ": " + field + fault.message);
  }
  if (faults.size() > 1)
    complain(std::to_string(faults.size()) + " faults");
}

std::optional<engine::configuration> load_or_complain(const std::string& path) {
  auto settings = engine::load_configuration(path);
  if (settings)
    return std::move(*settings);
  complain_all(path, settings.error().faults);
  return std::nullopt;
}

} // namespace pfx::app
