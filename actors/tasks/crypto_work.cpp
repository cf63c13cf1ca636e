// Which work a task is, and what is left of it when it throws.
#include "actors/tasks/crypto_work.hpp"

#include <cstdlib>
#include <exception>

#include "actors/tasks/create_work.hpp"
#include "actors/tasks/import_work.hpp"
#include "actors/tasks/vault.hpp"
#include "core/fault_point.hpp"

namespace pfx::actors::tasks {

namespace {

using lifecycle::action;
using lifecycle::event;
using lifecycle::event_kind;

request_result failure_document(const record& of) {
  request_result out;
  out.code = of.failure_code == service_code::none ? service_code::non_retryable : of.failure_code;
  out.message = printable(of.reason, 400);
  out.retryable = of.failure_retryable;
  return out;
}

/// What was at work when the process died runs alone, and therefore without a change of lanes.
std::int64_t budget_of(const record& of, action what) {
  return what == action::work && !of.live.suspect ? crypto::pfx_limits::fast_iterations_max
                                                  : crypto::pfx_limits::slow_iterations_max;
}

event work_on(const plant& p, const record& of, action what) {
  auto request = load_request(p, of.key);
  if (!request) {
    return failed(event_kind::work_failed, request.error());
  }
  switch (request->kind) {
    case request_kind::pfx_create:
      return make_intent(p, of, *request);
    case request_kind::pfx_import:
      return import_pfx(p, of, *request, budget_of(of, what));
    case request_kind::unknown:
      break;
  }
  return refused({errc::not_supported, "kind",
                  "this version does not process " + printable(request->kind_word)});
}

} // namespace

event build_result(const plant& p, const record& of) {
  if (of.failing) {
    return freeze(p, of.key, failure_document(of));
  }
  if (of.kind == request_kind::pfx_import) {
    return work_on(p, of, action::work_slowly);
  }
  return build_created(p, of);
}

outcome run_crypto_task(const plant& p, const task& what) noexcept {
  outcome out{.key = what.of->key, .ticket = what.ticket, .what = what.what};
  const bool is_work = what.what == action::work || what.what == action::work_slowly;
  try {
    if (is_work && poisonous(what.of->key.context)) {
      std::abort(); // what a request does that breaks a parser below us
    }
    out.event = is_work ? work_on(p, *what.of, what.what) : build_result(p, *what.of);
  } catch (const std::exception& thrown) {
    out.event = lost_answer(what.what, std::string("exception: ") + printable(thrown.what()));
  }
  return out;
}

} // namespace pfx::actors::tasks
