// Which stage does what, and what is left when nobody answers.
#include "actors/tasks/outcome.hpp"

namespace pfx::actors::tasks {

using lifecycle::action;
using lifecycle::event_kind;

stage stage_of(action what) noexcept {
  switch (what) {
    case action::submit:
    case action::find:
    case action::walk:
      return stage::issuer;
    case action::upload:
    case action::query:
      return stage::uploader;
    case action::claim_slowly:
    case action::work_slowly:
      return stage::slow_lane;
    default:
      return stage::processor;
  }
}

lifecycle::event lost_answer(action what, std::string why) {
  lifecycle::event out;
  out.text = std::move(why);
  switch (what) {
    case action::work:
    case action::work_slowly:
      out.kind = event_kind::work_failed;
      break;
    case action::build:
      out.kind = event_kind::build_failed;
      break;
    case action::submit:
      out.kind = event_kind::submit_unanswered;
      break;
    case action::upload:
      out.kind = event_kind::upload_unanswered;
      break;
    case action::query:
      out.kind = event_kind::query_unanswered;
      break;
    default:
      out.kind = event_kind::ca_unavailable;
      break;
  }
  return out;
}

} // namespace pfx::actors::tasks
