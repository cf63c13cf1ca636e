// The one form of the switcher's memory.
#include "release/switch_state.hpp"

#include <algorithm>
#include <array>

#include "core/release_text.hpp"

namespace pfx::release {

namespace {

using detail::line;

constexpr std::size_t state_bytes_max = 8u << 10;
constexpr std::array<std::string_view, 3> phases = {"idle", "trying", "returning"};

std::string version_line(std::string_view name, const installed_version& value) {
  return line(name, to_string(value.what) + " " + std::to_string(value.store_format));
}

installed_version read_version(detail::lines& in, std::string_view name) {
  const auto text = in.value(name);
  const auto blank = text.find(' ');
  const auto what = version_from(text.substr(0, blank));
  const auto format = blank == std::string_view::npos
    ? std::nullopt
    : detail::whole_number(text.substr(blank + 1), store_format_max);
  if (!what || !format) {
    in.note(name, "must be a version and a number");
    return {};
  }
  return {*what, static_cast<std::uint32_t>(*format)};
}

} // namespace

std::string encode(const switch_state& value) {
  auto out = line("pfxengine-switch-state", "1")
    + line("phase", phases[static_cast<std::size_t>(value.phase) - 1])
    + version_line("current", value.current);
  if (value.previous)
    out += version_line("previous", *value.previous);
  if (value.target)
    out += version_line("target", *value.target);
  out += line("tries", std::to_string(value.tries)) + line("by-hand", value.by_hand ? "1" : "0");
  for (const auto& one : value.held)
    out += line("held", to_string(one));
  if (value.had_begun)
    out += line("had-begun", "1");
  if (!value.answered.empty())
    out += line("answered", value.answered);
  return out + line("reason", value.reason);
}

result<switch_state> decode_switch_state(std::string_view text) {
  if (text.size() > state_bytes_max)
    return failure(errc::corrupt, "state", "is longer than it can be");
  detail::lines in(text);
  switch_state out;
  static_cast<void>(in.number("pfxengine-switch-state", 1, 1));
  const auto* const phase = std::find(phases.begin(), phases.end(), in.value("phase"));
  if (phase == phases.end())
    in.note("phase", "is no word of ours");
  else
    out.phase = static_cast<switch_phase>(phase - phases.begin() + 1);
  out.current = read_version(in, "current");
  if (in.at("previous"))
    out.previous = read_version(in, "previous");
  if (in.at("target"))
    out.target = read_version(in, "target");
  out.tries = static_cast<std::uint32_t>(in.number("tries", 0, switch_tries_max));
  out.by_hand = in.number("by-hand", 0, 1) == 1;
  while (in.at("held") && out.held.size() < held_max)
    out.held.push_back(in.a_version("held"));
  if (in.at("had-begun"))
    out.had_begun = in.number("had-begun", 1, 1) == 1;
  if (in.at("answered"))
    out.answered = in.value("answered");
  out.reason = in.value("reason");
  in.end();
  if (in.fault())
    return failure(errc::corrupt, in.fault()->field, in.fault()->message);
  if ((out.phase != switch_phase::idle && !out.target) || encode(out) != text)
    return failure(errc::corrupt, "state", "is not in its one form");
  return out;
}

bool is_held(const switch_state& in, const version& what) {
  return std::find(in.held.begin(), in.held.end(), what) != in.held.end();
}

void hold(switch_state& in, const version& what) {
  std::erase(in.held, what);
  in.held.push_back(what);
  if (in.held.size() > held_max)
    in.held.erase(in.held.begin());
}

} // namespace pfx::release
