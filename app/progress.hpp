// One line on stderr that shows how far something is; silent where nobody looks.
#pragma once

#include <cstdint>
#include <string>

namespace pfx::app {

class progress_bar {
public:
  /// `silent`: nothing is written at all. Not on a terminal: one line per tenth.
  explicit progress_bar(bool silent);
  /// `share` of 0..1; `words` behind the bar. At most ten times a second on a terminal.
  void show(double share, const std::string& words);
  /// A line of its own, above the bar.
  void note(const std::string& line);
  /// Removes the bar.
  void end();

private:
  bool silent_;
  bool terminal_;
  bool shown_ = false;
  int last_tenth_ = 0;
};

} // namespace pfx::app
