// Every step is written down before it is taken; a step that was taken twice does no harm.
#include "release/switch.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <unistd.h>

#include "core/fault_point.hpp"
#include "core/program_version.hpp"
#include "release/files.hpp"
#include "release/incoming.hpp"
#include "release/updater.hpp"

namespace pfx::release {

namespace {

constexpr std::size_t state_bytes_max = 8u << 10;

std::string state_path(const std::string& folder) { return folder + "/state"; }

/// One line without what would end it.
std::string one_line(const std::string& words) { return printable(words, 300); }

} // namespace

struct switcher::lock {
  detail::descriptor file;
};

switcher::switcher(switch_settings settings, switch_state state, std::unique_ptr<lock> held)
    : settings_(std::move(settings)), state_(std::move(state)), lock_(std::move(held)) {}
switcher::switcher(switcher&&) noexcept = default;
switcher::~switcher() = default;

result<switch_state> read_switch_state(const std::string& state_folder) {
  const auto text = detail::read_file(state_path(state_folder), state_bytes_max);
  return text ? decode_switch_state(*text) : failure(text.error());
}

std::string switch_history_path(const std::string& state_folder) {
  return state_folder + "/history";
}

result<switcher> switcher::open(switch_settings settings) {
  if (auto made = detail::make_folder(settings.state_folder, 0755); !made)
    return failure(made.error());
  const auto path = settings.state_folder + "/lock";
  auto held = std::make_unique<lock>(lock{
    detail::descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600))});
  if (!held->file.open())
    return failure(detail::system_error(path, "cannot be opened"));
  if (::flock(held->file.number(), LOCK_EX | LOCK_NB) != 0)
    return failure(errc::store_locked, printable(path, 512), "another switch goes on");
  auto state = read_switch_state(settings.state_folder);
  if (!state && state.error().code != errc::not_found)
    return failure(state.error());
  if (!state) {
    switch_state first;
    first.current = {detail::linked_version(settings.programs_folder).value_or(version{}),
                     store_format_version};
    state = first;
  }
  return switcher(std::move(settings), std::move(*state), std::move(held));
}

result<void> switcher::remember(switch_state next) {
  auto done = detail::replace_file(state_path(settings_.state_folder), as_bytes(encode(next)), 0644,
                                   "switch.state");
  if (done)
    state_ = std::move(next);
  return done;
}

void switcher::note(unix_ms at, const std::string& words) const {
  add_history(switch_history_path(settings_.state_folder), at, words);
}

// -- what is asked for ------

result<switched> switcher::run(service_control& service) {
  if (state_.phase != switch_phase::idle)
    return go_on(service);
  const auto wish = detail::read_wish(settings_.update_folder);
  if (!wish)
    return failure(wish.error());
  if (!*wish || (settings_.wish_once && (*wish)->name == state_.answered))
    return switched::nothing;
  const auto& wanted = (*wish)->what;
  if (auto right = check_current(); !right)
    return failure(right.error());
  if (wanted == state_.current.what)
    return switched::nothing;
  if (is_held(state_, wanted))
    return failure(errc::policy, "version", to_string(wanted) + " is held: " + state_.reason);
  return take(wanted, (*wish)->name, service);
}

bool switcher::asked_for_more() const {
  const auto wish = detail::read_wish(settings_.update_folder);
  return state_.phase == switch_phase::idle && wish && *wish && (*wish)->name != state_.answered
    && (*wish)->what != state_.current.what && !is_held(state_, (*wish)->what);
}

result<switched> switcher::take(const version& wanted, const std::string& wish,
                                service_control& service) {
  const auto taken = take_staged(wanted, service);
  auto next = state_;
  next.answered = wish;
  if (!taken) {
    note(service.now(), "refused " + to_string(wanted) + ": " + one_line(to_string(taken.error())));
    static_cast<void>(remember(std::move(next))); // else it is refused once more, at worst
    return failure(taken.error());
  }
  const auto before = look(service);
  next.phase = switch_phase::trying;
  next.target = *taken;
  next.tries = 1;
  next.by_hand = false;
  next.had_begun = before && before->active && before->begun;
  if (auto done = remember(std::move(next)); !done)
    return failure(done.error());
  return try_target(service);
}

result<installed_version> switcher::take_staged(const version& wanted, service_control& service) {
  if (auto linked = check_link(service); !linked)
    return failure(linked.error());
  const auto taken = detail::take_incoming(settings_, state_.current.what, service.now());
  if (!taken)
    return failure(taken.error());
  if (taken->what.what != wanted)
    return failure(errc::policy, "version",
                   to_string(wanted) + " is asked for, " + to_string(taken->what.what)
                     + " is staged");
  const installed_version out{wanted, taken->what.store_format};
  if (auto reads = can_read_store(out); !reads)
    return failure(reads.error());
  if (auto done = detail::install(*taken, settings_.programs_folder); !done)
    return failure(done.error());
  ::unlink(taken->package.c_str());
  return out;
}

result<switched> switcher::roll_back(service_control& service) {
  if (state_.phase != switch_phase::idle)
    return go_on(service);
  if (!state_.previous)
    return failure(errc::not_found, "version", "there is no version before this one");
  if (auto reads = can_read_store(*state_.previous); !reads)
    return failure(reads.error());
  if (auto linked = check_link(service); !linked)
    return failure(linked.error());
  if (auto right = check_current(); !right)
    return failure(right.error());
  auto next = state_;
  next.phase = switch_phase::trying;
  next.target = state_.previous;
  next.tries = 1;
  next.by_hand = true;
  next.had_begun = false; // an operator knows why
  if (auto done = remember(std::move(next)); !done)
    return failure(done.error());
  return try_target(service);
}

result<void> switcher::release_hold(const version& what) {
  if (!is_held(state_, what))
    return failure(errc::not_found, "version", to_string(what) + " is not held");
  auto next = state_;
  std::erase(next.held, what);
  return remember(std::move(next));
}

result<void> switcher::can_read_store(const installed_version& what) const {
  if (settings_.store_marker.empty())
    return {};
  const auto format = detail::store_format(settings_.store_marker);
  if (!format)
    return failure(format.error());
  if (!*format || **format <= what.store_format)
    return {};
  return failure(errc::policy, "store",
                 "has format " + std::to_string(**format) + ", " + to_string(what.what)
                   + " reads up to " + std::to_string(what.store_format));
}

// -- there and back ------

/// A former run ended in the middle.
result<switched> switcher::go_on(service_control& service) {
  if (state_.phase == switch_phase::returning)
    return go_back(service);
  if (state_.tries >= switch_tries_max)
    return give_up(service,
                   "the switch was interrupted " + std::to_string(switch_tries_max) + " times");
  if (auto linked = check_link(service); !linked)
    return failure(linked.error());
  auto next = state_;
  ++next.tries;
  if (auto done = remember(std::move(next)); !done)
    return failure(done.error());
  return try_target(service);
}

result<switched> switcher::try_target(service_control& service) {
  // A link that could not be changed is no fault of the version: the next run goes on.
  if (auto led = lead_to(state_.target->what); !led)
    return failure(led.error());
  if (auto ready = service.restart(settings_.ready_ms); !ready)
    return give_up(service, to_string(ready.error()));
  fault_point("switch.restarted");
  return hold_out(service);
}

/// One that failed tells nothing about the version: the manager may be busy, or start anew itself.
result<service_control::sight> switcher::look(service_control& service) const {
  for (int failed = 1;; ++failed) {
    auto seen = service.look();
    if (seen || failed >= looks_failed_max)
      return seen;
    service.pause(settings_.look_every_ms);
  }
}

/// It has to stay what it is: the same process, active, until the watch is over; and by then it
/// must have done what the one before had done, which is to check in.
result<switched> switcher::hold_out(service_control& service) {
  auto seen = look(service);
  const auto process = seen ? seen->process : 0;
  for (std::int64_t left = settings_.watch_ms;; left -= settings_.look_every_ms) {
    if (!seen)
      return give_up(service, "nobody could see whether it holds: " + to_string(seen.error()));
    if (!seen->active || seen->process != process)
      return give_up(service,
                     "it ended within " + std::to_string((settings_.watch_ms - left) / 1000 + 1)
                       + " s after it had been ready");
    if (left <= 0)
      break;
    service.pause(std::min(left, settings_.look_every_ms));
    seen = look(service);
  }
  if (state_.had_begun && !seen->begun)
    return give_up(service,
                   "it had not checked in " + std::to_string(settings_.watch_ms / 1000)
                     + " s after it had been ready, and the version before had");
  auto next = state_;
  next.had_begun = false;
  next.phase = switch_phase::idle;
  next.previous = state_.current;
  next.current = *state_.target;
  next.target.reset();
  next.tries = 0;
  next.reason.clear();
  if (state_.by_hand)
    hold(next, state_.current.what);
  next.by_hand = false;
  if (auto done = remember(std::move(next)); !done)
    return failure(done.error());
  note(service.now(),
       "switched from " + to_string(state_.previous->what) + " to "
         + to_string(state_.current.what));
  sweep();
  return switched::done;
}

/// The one way back: written down first, so that a crash on it does not try the target again.
result<switched> switcher::give_up(service_control& service, const std::string& why) {
  auto next = state_;
  next.phase = switch_phase::returning;
  next.reason = one_line(why);
  if (auto done = remember(std::move(next)); !done)
    return failure(done.error());
  return go_back(service);
}

result<switched> switcher::go_back(service_control& service) {
  const auto failed = state_.target->what;
  const auto reads = can_read_store(state_.current);
  auto next = state_;
  next.phase = switch_phase::idle;
  next.target.reset();
  next.tries = 0;
  next.by_hand = false;
  next.had_begun = false;
  hold(next, failed);
  if (!reads) { // worse than a program that does not run is one that cannot read its store
    next.previous = state_.current;
    next.current = *state_.target;
    next.reason = one_line(state_.reason + "; no way back: " + to_string(reads.error()));
    if (auto done = remember(std::move(next)); !done)
      return failure(done.error());
    note(service.now(), to_string(failed) + " failed: " + state_.reason);
    return failure(errc::unavailable, "store", state_.reason);
  }
  if (auto led = lead_to(state_.current.what); !led)
    return failure(errc::unavailable, led.error().field, led.error().message);
  const auto ready = service.restart(settings_.ready_ms);
  if (!ready)
    next.reason = one_line(state_.reason + "; and the version before: " + to_string(ready.error()));
  if (auto done = remember(std::move(next)); !done)
    return failure(done.error());
  note(service.now(),
       "returned from " + to_string(failed) + " to " + to_string(state_.current.what) + ": "
         + state_.reason);
  if (!ready)
    return failure(errc::unavailable, "service", state_.reason);
  return switched::returned;
}

} // namespace pfx::release
