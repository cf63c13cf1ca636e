// A service that has an engine inside: starts it, hears its events, waits until so many requests
// are delivered, stops it within a deadline. Sees nothing of the engine but engine/engine.hpp.
//
//   example_host CONFIGURATION DELIVERED [SECONDS]
//
// Exit code 0: that many were delivered and the stop was clean; 1: not within SECONDS (default
// 120); 2: it could not start.
#include "engine/engine.hpp"

#include <atomic>
#include <charconv>
#include <cstdio>
#include <string_view>

namespace {

using clock_type = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto stop_deadline = 20s;
constexpr auto look_interval = 100ms;

bool read_number(std::string_view text, unsigned long& into) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), into);
  return fault == std::errc{} && end == text.data() + text.size();
}

/// The engine calls from its own threads, one call at a time: counting is quick enough to do here.
/// A sink that writes to a disk or a socket would hand the event to a queue of its own.
struct event_counter {
  std::atomic<std::uint64_t> admin = 0;
  std::atomic<std::uint64_t> all = 0;

  void operator()(const pfx::engine::event& what) noexcept {
    ++all;
    if (what.channel == pfx::engine::event_channel::admin)
      ++admin;
    if (what.level == "error")
      std::fprintf(stderr, "engine: %s\n", what.text.c_str());
  }
};

/// True if `wanted` were delivered before `until`; false also if the engine halted by itself.
bool wait_delivered(const pfx::engine::engine& running, std::uint64_t wanted,
                    clock_type::time_point until) {
  while (clock_type::now() < until) {
    if (running.current().totals.delivered >= wanted)
      return true;
    if (running.wait_halted(look_interval)) {
      const auto last = running.current();
      std::fprintf(stderr, "the engine halted: %s\n", last.message.c_str());
      return false;
    }
  }
  return false;
}

int serve(const pfx::engine::configuration& settings, std::uint64_t wanted,
          std::chrono::seconds patience) {
  event_counter events; // outlives the engine, which calls it
  auto running = pfx::engine::engine::start(
    settings, [&events](const pfx::engine::event& what) { events(what); });
  if (!running) {
    std::fprintf(stderr, "%s\n", to_string(running.error()).c_str());
    return 2;
  }
  const bool delivered = wait_delivered(**running, wanted, clock_type::now() + patience);
  const auto last = (*running)->current();
  const auto stopped = (*running)->stop(stop_deadline);
  std::printf("delivered %llu, events %llu, admin events %llu, stopped %s\n",
              static_cast<unsigned long long>(last.totals.delivered),
              static_cast<unsigned long long>(events.all.load()),
              static_cast<unsigned long long>(events.admin.load()), stopped ? "clean" : "late");
  return delivered && stopped ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  unsigned long wanted = 0;
  unsigned long seconds = 120;
  if (argc < 3 || argc > 4 || !read_number(argv[2], wanted)
      || (argc == 4 && !read_number(argv[3], seconds))) {
    std::fprintf(stderr, "usage: example_host CONFIGURATION DELIVERED [SECONDS]\n");
    return 2;
  }
  const auto settings = pfx::engine::load_configuration(argv[1]);
  if (!settings) {
    for (const auto& fault : settings.error().faults)
      std::fprintf(stderr, "%s\n", to_string(fault).c_str());
    return 2;
  }
  return serve(*settings, wanted, std::chrono::seconds(seconds));
}
