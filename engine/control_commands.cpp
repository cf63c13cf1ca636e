// Binds the control socket to an engine, and to nothing but its public face.
#include "engine/control.hpp"

namespace pfx::engine {

control_commands commands_of(engine& which) {
  control_commands out;
  out.current = [&which] { return which.current(); };
  out.requests
    = [&which](const std::string& state, std::size_t count_max, const std::string& flow) {
        return which.requests(state, count_max, flow);
      };
  out.show = [&which](const std::string& context, const std::string& flow) {
    return which.show(context, flow);
  };
  out.revocations = [&which](const std::string& state, std::size_t count_max) {
    return which.revocations(state, count_max);
  };
  out.decide_revocation = [&which](const std::string& context, bool approve) {
    return approve ? which.approve_revocation(context) : which.reject_revocation(context);
  };
  out.retry = [&which](const std::string& context) { return which.retry(context); };
  out.give_up = [&which](const std::string& context) { return which.give_up(context); };
  out.audit = [&which](std::size_t last) { return which.audit(last); };
  out.note_audit = [&which](std::uint16_t event, const std::string& text) {
    return which.note_audit(event, text);
  };
  return out;
}

} // namespace pfx::engine
