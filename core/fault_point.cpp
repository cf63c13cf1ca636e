// Reads the wishes of a test from the environment, once. Empty in a build without fault points.
#include "core/fault_point.hpp"

#if PFX_FAULT_POINTS

#  include <atomic>
#  include <charconv>
#  include <csignal>
#  include <cstdint>
#  include <cstdlib>

#  include <unistd.h>

namespace pfx {

namespace {

/// What PFXENGINE_KILL_AT says, read once: the environment does not change while we run.
struct armed_kill {
  std::string label;
  std::uint64_t pass = 0;

  armed_kill() {
    const char* wish = std::getenv("PFXENGINE_KILL_AT");
    if (wish == nullptr) {
      return;
    }
    const std::string_view text = wish;
    const auto colon = text.rfind(':');
    label = std::string(text.substr(0, colon));
    pass = 1;
    if (colon != std::string_view::npos) {
      std::from_chars(text.data() + colon + 1, text.data() + text.size(), pass);
    }
  }
};

const armed_kill& armed() {
  static const armed_kill wish;
  return wish;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

} // namespace

void fault_point(std::string_view label) {
  const auto& wish = armed();
  if (wish.pass == 0 || label != wish.label) {
    return;
  }
  static std::atomic<std::uint64_t> passes{0};
  if (++passes == wish.pass) {
    ::kill(::getpid(), SIGKILL);
    ::pause(); // the signal is on its way; nothing after the point may happen
  }
}

void fault_point(std::string_view when, std::string_view what) {
  if (armed().pass != 0) {
    fault_point(std::string(when) + "." + std::string(what));
  }
}

bool mutated(std::string_view mutation) {
  static const std::string list = "," + environment("PFXENGINE_MUTATE") + ",";
  return list.find("," + std::string(mutation) + ",") != std::string::npos;
}

bool poisonous(std::string_view context) {
  static const std::string prefix = environment("PFXENGINE_POISON");
  return !prefix.empty() && context.starts_with(prefix);
}

} // namespace pfx

#endif
