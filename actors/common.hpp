// What every actor of ours does the same way: nothing unexpected is printed, every exception and
// every unhandled message becomes an event of the host, and work that blocks goes to an executor.
#pragma once

#include <exception>
#include <string>
#include <utility>

#include "actors/interfaces.hpp"

namespace pfx::actors {

/// Messages one actor handles before it lets others run (facts: CAF's own default is without
/// limit).
inline constexpr std::size_t messages_per_turn_max = 64;

inline void tell_system(const tasks::plant& p, tasks::report::level level, std::uint16_t id,
                        std::string text) {
  p.tell({tasks::report::channel::system, level, id, p.time->wall(), "", "", 0, std::move(text)});
}

[[nodiscard]] inline std::string words_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return printable(e.what());
  } catch (...) {
    return "not a std::exception";
  }
}

/// Sets the handlers that CAF would otherwise fill with prints to stdout.
template <class Self>
void prepare(Self* self, const tasks::plant& p, std::string name) {
  self->set_default_handler(
    [&p, name](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
      tell_system(p, tasks::report::level::error, 9,
                  name + ": a message nobody expected was dropped");
      return caf::sec::unexpected_message;
    });
  self->set_error_handler([&p, name](caf::scheduled_actor* me, caf::error& why) {
    tell_system(p, tasks::report::level::error, 9,
                name + ": ended by an error, code " + std::to_string(static_cast<int>(why.code())));
    me->quit(std::move(why));
  });
  self->set_exception_handler(
    [&p, name](caf::scheduled_actor*, std::exception_ptr& thrown) -> caf::error {
      tell_system(p, tasks::report::level::error, 9, name + ": exception: " + words_of(thrown));
      return caf::exit_reason::unhandled_exception;
    });
}

template <class T>
[[nodiscard]] parcel<T> pack(T value) {
  return std::make_shared<const T>(std::move(value));
}

/// A parcel that nobody else holds any more may be emptied; the only use of the cast.
template <class T>
[[nodiscard]] T unpack(parcel<T>& from) {
  T out = from.use_count() == 1 ? std::move(const_cast<T&>(*from)) : *from;
  from.reset();
  return out;
}

} // namespace pfx::actors
