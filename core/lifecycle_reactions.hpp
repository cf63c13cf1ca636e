// What can happen to a record, one function each; lifecycle_table.cpp says when. Internal to core.
#pragma once

#include "core/lifecycle.hpp"

namespace pfx::lifecycle {

/// All that a reaction may look at and change.
struct turn {
  step_result out;   ///< out.next starts as the record is
  event what;
  const rules& by;
  const moment& now;

  record& next() { return out.next; }
};

using reaction = void (*)(turn&);

void ignore(turn& t);
void refuse(turn& t);
void take_lease(turn& t);
void note_conflict(turn& t);
void reopen(turn& t);
void refuse_conflict(turn& t);
void begin_attempt(turn& t);
void store_intent(turn& t);
void fail(turn& t);
void retry_work(turn& t);
void go_slow(turn& t);
void retry_build(turn& t);
void store_certificate(turn& t);
void next_generation(turn& t);
void store_pending(turn& t);
void wait_for_foreign(turn& t);
void ask_again(turn& t);
void submit_again(turn& t);
void ask_service(turn& t);
void send_may_arrive(turn& t);
void note_late_send(turn& t);
void wait(turn& t);
void store_result(turn& t);
void close_accepted(turn& t);
void close_recorded(turn& t);
void park(turn& t);
void abandon(turn& t);
void reject(turn& t);
void disown(turn& t);
void query_upload(turn& t);
void go_on(turn& t);
void hold_lease(turn& t);
void expire(turn& t);
void end_quarantine(turn& t);
void walk(turn& t);
void release(turn& t);
void restart_clean(turn& t);
void restart_unclean(turn& t);

} // namespace pfx::lifecycle
