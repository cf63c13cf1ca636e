// Two notices, each told once when it begins and once when it ends.
#include "actors/tasks/acceptance.hpp"

#include "actors/tasks/plant.hpp"

namespace pfx::actors::tasks {

namespace {

constexpr std::uint16_t acceptance_event = 5002;
constexpr const char* unaccepted = "not accepted";
constexpr const char* unreached = "not reached";

void say(const plant& p, report::level level, std::string text) {
  if (p.tell) {
    p.tell({report::channel::system, level, acceptance_event, p.time->wall(), "", "", 0,
            std::move(text)});
  }
}

} // namespace

void note_acceptance(const plant& p, const connect::service::call_error* fault) {
  if (fault == nullptr) {
    const bool reached_again = p.attention.clear(unreached);
    if (p.attention.clear(unaccepted) || reached_again) {
      say(p, report::level::info, "the service accepts this connector again");
    }
    return;
  }
  const auto& what = fault->what;
  if (what.code != errc::unauthorized) {
    return;
  }
  if (!what.field.empty()) { // who answered in its place: the service itself said nothing
    const auto sentence = "the service is not reached: the " + printable(what.field, 40) + " "
      + printable(what.message, 400);
    if (p.attention.set(unreached, sentence)) {
      say(p, report::level::error, sentence);
    }
    return;
  }
  p.attention.clear(unreached);
  if (p.attention.set(unaccepted,
                      "the service does not accept this connector's certificate; its "
                      "administrator can tell why, after a new registration restart the "
                      "engine: "
                        + printable(what.message, 400))) {
    say(p, report::level::error, "the service does not accept this connector: " + to_string(what));
  }
}

} // namespace pfx::actors::tasks
