// Draws the bar; writes no escape sequence where no terminal is.
#include "app/progress.hpp"

#include <algorithm>
#include <cstdio>

#include <unistd.h>

namespace pfx::app {
namespace {

constexpr int bar_width = 30;
constexpr const char* clear_line = "\r\033[K";

} // namespace

progress_bar::progress_bar(bool silent)
    : silent_(silent), terminal_(::isatty(STDERR_FILENO) != 0) {}

void progress_bar::show(double share, const std::string& words) {
  if (silent_)
    return;
  share = std::clamp(share, 0.0, 1.0);
  const int tenth = static_cast<int>(share * 10);
  if (!terminal_) {
    if (tenth > last_tenth_)
      std::fprintf(stderr, "%3d %%  %s\n", tenth * 10, words.c_str());
    last_tenth_ = tenth;
    return;
  }
  const int full = static_cast<int>(share * bar_width);
  const auto bar = std::string(static_cast<std::size_t>(full), '#')
    + std::string(static_cast<std::size_t>(bar_width - full), '.');
  std::fprintf(stderr, "%s[%s] %s", clear_line, bar.c_str(), words.c_str());
  shown_ = true;
}

void progress_bar::note(const std::string& line) {
  if (silent_)
    return;
  end();
  std::fprintf(stderr, "%s\n", line.c_str());
}

void progress_bar::end() {
  if (shown_)
    std::fprintf(stderr, "%s", clear_line);
  shown_ = false;
}

} // namespace pfx::app
