// Writes lines; knows no format but "one line", and hides no failed write from flush_console().
#include "app/console.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include <poll.h>
#include <unistd.h>

#include "app/command_line.hpp"
#include "engine/owner.hpp"

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

bool reader_left() noexcept {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

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

namespace {

constexpr std::size_t command_line_bytes_max = 32u << 10;

/// The words of this process; a one-time code among them is not said again.
std::string own_command_line() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  std::string text(command_line_bytes_max, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\0', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return said_again(words);
}

} // namespace

std::optional<engine::configuration> load_to_change(const std::string& path,
                                                    std::vector<std::string*> key_files) {
  auto settings = load_or_complain(path);
  if (!settings)
    return settings;
  key_files.push_back(&settings->master_key_file);
  if (auto became = engine::become_owner(*settings, key_files); !became) {
    complain(to_string(became.error()));
    return std::nullopt;
  }
  const auto owner = engine::foreign_owner(*settings);
  if (!owner)
    return settings;
  complain(printable(settings->data_directory, 512) + " belongs to the user " + printable(*owner)
           + ", who could not read what is made there by another; run it as that user:\n  sudo -u "
           + quoted(*owner) + " " + printable(own_command_line(), 2'000));
  return std::nullopt;
}

} // namespace pfx::app
