// Where the program's words go: lines on stderr, text for people or JSON for machines. For `app`;
// an embedding host gives the engine a sink of its own. Never shows a control character of foreign
// text.
#pragma once

#include <memory>

#include "engine/engine.hpp"

namespace pfx::engine {

/// Thread-safe. Owner of the log's output; the sinks it gives away keep it alive.
class log {
public:
  /// `level`: debug | info | warning | error. `format`: text | json | auto (text on a terminal).
  [[nodiscard]] static result<log> make(const std::string& level, const std::string& format);

  /// For engine::start.
  [[nodiscard]] event_sink sink() const;
  /// One line of the program itself (channel "system", no number).
  void line(std::string_view level, std::string_view text) const;
  void flush() const;
  /// For all sinks that were given away, too. Any thread.
  void set_level(const std::string& level) const;

private:
  struct state;
  explicit log(std::shared_ptr<const state> s) : state_(std::move(s)) {}
  std::shared_ptr<const state> state_;
};

/// One event as one line without its end; what `sink()` writes behind time and level.
[[nodiscard]] std::string text_line(const event& what);
/// One JSON object without line break: time, level, channel, event, request, call, durationMs,
/// text.
[[nodiscard]] std::string json_line(const event& what);

} // namespace pfx::engine
