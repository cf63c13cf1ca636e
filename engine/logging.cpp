// spdlog behind a small face: one line per event, every text made printable first.
#include "engine/logging.hpp"

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace pfx::engine {
namespace {

constexpr std::size_t text_characters_max = 2'000; ///< of one line

std::string_view name_of(event_channel value) noexcept {
  switch (value) {
    case event_channel::admin:
      return "admin";
    case event_channel::operational:
      return "operational";
    case event_channel::system:
      return "system";
  }
  return "unknown";
}

spdlog::level::level_enum level_of(std::string_view word) noexcept {
  if (word == "debug")
    return spdlog::level::debug;
  if (word == "warning")
    return spdlog::level::warn;
  if (word == "error")
    return spdlog::level::err;
  return spdlog::level::info;
}

spdlog::sink_ptr make_sink(bool json) {
  if (json)
    return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  return std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>();
}

std::unique_ptr<spdlog::formatter> make_formatter(bool json) {
  return std::make_unique<spdlog::pattern_formatter>(
    json ? "%v" : "%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %v", spdlog::pattern_time_type::utc);
}

} // namespace

std::string text_line(const event& what) {
  std::string line;
  if (what.id != 0)
    line = std::to_string(what.id) + " ";
  if (!what.request_context.empty())
    line += "[" + printable(what.request_context) + "] ";
  line += printable(what.text, text_characters_max);
  if (what.duration_ms > 0)
    line += " (" + std::to_string(what.duration_ms) + " ms)";
  if (!what.call_id.empty())
    line += " call=" + printable(what.call_id);
  return line;
}

std::string json_line(const event& what) {
  nlohmann::ordered_json line{{"time", to_rfc3339(what.at)},
                              {"level", printable(what.level)},
                              {"channel", name_of(what.channel)}};
  if (what.id != 0)
    line["event"] = what.id;
  if (!what.request_context.empty())
    line["request"] = printable(what.request_context, 1'024);
  if (!what.call_id.empty())
    line["call"] = printable(what.call_id);
  if (what.duration_ms > 0)
    line["durationMs"] = what.duration_ms;
  line["text"] = printable(what.text, text_characters_max);
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

struct log::state {
  mutable spdlog::logger out;
  bool json = false;

  void write(const event& what) const noexcept {
    try {
      const auto at = spdlog::log_clock::time_point(std::chrono::milliseconds(what.at));
      const auto line = json ? json_line(what) : text_line(what);
      out.log(at, spdlog::source_loc{}, level_of(what.level), line);
    } catch (...) { // a full pipe behind stderr is no reason to lose a request
    }
  }
};

result<log> log::make(const std::string& level, const std::string& format) {
  try {
    const bool json = format == "json" || (format != "text" && ::isatty(STDERR_FILENO) == 0);
    auto s = std::make_shared<state>(state{spdlog::logger("pfxengine", make_sink(json)), json});
    s->out.set_formatter(make_formatter(json));
    s->out.set_level(level_of(level));
    s->out.flush_on(spdlog::level::info);
    s->out.set_error_handler([](const std::string&) {}); // spdlog's own would write to stderr
    return log(std::move(s));
  } catch (const std::exception& fault) {
    return failure(errc::io, "log", printable(fault.what()));
  }
}

event_sink log::sink() const {
  return [kept = state_](const event& what) { kept->write(what); };
}

void log::line(std::string_view level, std::string_view text) const {
  event what;
  what.channel = event_channel::system;
  what.level = level;
  what.at = system_clock().wall();
  what.text = text;
  state_->write(what);
}

void log::flush() const { state_->out.flush(); }

void log::set_level(const std::string& level) const { state_->out.set_level(level_of(level)); }

} // namespace pfx::engine
