// One notice, told once when it begins and once when it ends.
#include "actors/tasks/acceptance.hpp"

#include "actors/tasks/plant.hpp"

namespace pfx::actors::tasks {

namespace {

constexpr std::uint16_t acceptance_event = 5002;
constexpr const char* topic = "not accepted";

void say(const plant& p, report::level level, std::string text) {
  if (p.tell) {
    p.tell({report::channel::system, level, acceptance_event, p.time->wall(), "", "", 0,
            std::move(text)});
  }
}

} // namespace

void note_acceptance(const plant& p, const connect::service::call_error* fault) {
  if (fault == nullptr) {
    if (p.attention.clear(topic)) {
      say(p, report::level::info, "the service accepts this connector again");
    }
    return;
  }
  if (fault->what.code == errc::unauthorized
      && p.attention.set(topic,
                         "the service does not accept this connector's certificate; its "
                         "administrator can tell why, after a new registration restart the "
                         "engine: "
                           + printable(fault->what.message, 400))) {
    say(p, report::level::error,
        "the service does not accept this connector: " + to_string(fault->what));
  }
}

} // namespace pfx::actors::tasks
