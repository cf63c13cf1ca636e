// Events × states: every cell filled. The order of the columns is the order of record_state.
#include "core/lifecycle_reactions.hpp"

namespace pfx::lifecycle {

namespace {

/// A reaction and the sentence that docs print for it.
struct cell {
  reaction react;
  std::string_view text;
};

constexpr cell ign{&ignore, "nothing"};
constexpr cell ref{&refuse, "refused: does not fit this state"};
constexpr cell lea{&take_lease, "takes the higher leaseNumber and its deadline"};
constexpr cell con{&note_conflict, "conflict recorded, never processed; the first one goes on"};
constexpr cell reo{&reopen, "reopened as received"};
constexpr cell rco{&refuse_conflict, "refused: failure 4005 is prepared"};
constexpr cell beg{&begin_attempt, "attempt n started; over the limit: quarantined"};
constexpr cell itt{&store_intent, "intent stored: submitting"};
constexpr cell fai{&fail, "a failure is to be prepared"};
constexpr cell rtw{&retry_work, "back to received after a wait; over the limit: quarantined"};
constexpr cell slo{&go_slow,
                   "back to received, the attempt is taken back; waits for the slow lane"};
constexpr cell rtb{&retry_build, "built again after a wait; over the limit: quarantined"};
constexpr cell cer{&store_certificate, "certificate stored: issued"};
constexpr cell gen{&next_generation,
                   "next generation, same key and CSR; after the last: quarantined"};
constexpr cell pen{&store_pending, "the CA's word stored: pending"};
constexpr cell wff{&wait_for_foreign, "asks the CA again after a wait"};
constexpr cell ask{&ask_again, "the CA is asked what it has"};
constexpr cell sub{&submit_again, "the same CSR is submitted"};
constexpr cell ser{&ask_service, "the service is asked first"};
constexpr cell arr{&send_may_arrive, "unknown: the CA is asked before anything is sent again"};
constexpr cell lat{&note_late_send, "noted: closing waits until it can no longer arrive"};
constexpr cell wai{&wait, "tried again after a wait"};
constexpr cell res{&store_result, "bytes frozen: prepared"};
constexpr cell acc{&close_accepted, "closing; settled at once where the walk may be skipped"};
constexpr cell rec{&close_recorded, "closing"};
constexpr cell par{&park, "parked: nothing is sent, the service is asked"};
constexpr cell aba{&abandon, "abandoned: key, fingerprint and time are kept"};
constexpr cell rej{&reject, "a failure is prepared instead; the second time: quarantined"};
constexpr cell dis{&disown, "quarantined: the service does not know it"};
constexpr cell que{&query_upload, "the service is asked, then the same bytes go again"};
constexpr cell goo{&go_on, "goes on; without a lease it waits to be handed out"};
constexpr cell hol{&hold_lease, "the lease is held until its new deadline"};
constexpr cell exp{&expire, "a failure is to be prepared: expired"};
constexpr cell enq{&end_quarantine,
                   "a failure is to be prepared; disowned: settled as failed, nothing is revoked"};
constexpr cell wal{&walk, "surplus certificates listed for revocation; ended: settled"};
constexpr cell rel{&release, "released for a new round of attempts"};
constexpr cell rsc{&restart_clean, "an open attempt counts; the lease is asked about"};
constexpr cell rsu{&restart_unclean,
                   "as clean; runs alone if it was at work; the walk is due; a send may arrive"};

using row = std::array<cell, record_state_count>;

// clang-format off
constexpr std::array<row, event_kind_count> table{{
  //                    rcvd  work  sub.  pend  iss.  prep  clos  sett  aban  quar
  /* offered_same */  {{ lea,  lea,  lea,  lea,  lea,  lea,  lea,  ign,  reo,  lea }},
  /* offered_other */ {{ con,  con,  con,  con,  con,  con,  con,  ign,  rco,  con }},
  /* claimed */       {{ beg,  ref,  ref,  ref,  beg,  ref,  ref,  ref,  ref,  ref }},
  /* worked */        {{ ign,  itt,  ign,  ign,  ign,  ign,  ign,  ign,  ign,  ign }},
  /* work_refused */  {{ ign,  fai,  ign,  ign,  fai,  ign,  ign,  ign,  ign,  ign }},
  /* work_failed */   {{ ign,  rtw,  ign,  ign,  ign,  ign,  ign,  ign,  ign,  ign }},
  /* work_slow */     {{ ign,  slo,  ign,  ign,  ign,  ign,  ign,  ign,  ign,  ign }},
  /* ca_issued */     {{ ign,  ign,  cer,  cer,  ign,  ign,  ign,  ign,  ign,  ign }},
  /* ca_foreign */    {{ ign,  ign,  gen,  gen,  ign,  ign,  ign,  ign,  ign,  ign }},
  /* ca_pending */    {{ ign,  ign,  pen,  pen,  ign,  ign,  ign,  ign,  ign,  ign }},
  /* c_pend_foreign */{{ ign,  ign,  wff,  wff,  ign,  ign,  ign,  ign,  ign,  ign }},
  /* ca_refused */    {{ ign,  ign,  fai,  fai,  ign,  ign,  ign,  ign,  ign,  ign }},
  /* ca_conflict */   {{ ign,  ign,  ask,  ask,  ign,  ign,  ign,  ign,  ign,  ign }},
  /* ca_never_seen */ {{ ign,  ign,  sub,  sub,  ign,  ign,  ign,  ign,  ign,  ign }},
  /* ca_closed */     {{ ign,  ign,  ser,  ser,  ign,  ign,  ign,  ign,  ign,  ign }},
  /* submit_unansw. */{{ ign,  ign,  arr,  arr,  lat,  lat,  lat,  ign,  ign,  lat }},
  /* ca_unavailable */{{ ign,  ign,  wai,  wai,  ign,  ign,  wai,  ign,  ign,  ign }},
  /* built */         {{ res,  res,  res,  res,  res,  res,  ign,  ign,  ign,  ign }},
  /* build_failed */  {{ wai,  wai,  wai,  wai,  rtb,  wai,  ign,  ign,  ign,  ign }},
  /* upl_accepted */  {{ rec,  rec,  rec,  rec,  rec,  acc,  ign,  ign,  rec,  rec }},
  /* upl_recorded */  {{ rec,  rec,  rec,  rec,  rec,  rec,  ign,  ign,  rec,  rec }},
  /* upl_lease_lost */{{ aba,  aba,  par,  par,  par,  par,  ign,  ign,  ign,  par }},
  /* upl_missing */   {{ wai,  wai,  wai,  wai,  wai,  wai,  ign,  ign,  ign,  ign }},
  /* upl_rejected */  {{ ign,  ign,  ign,  ign,  ign,  rej,  ign,  ign,  ign,  ign }},
  /* upl_unknown */   {{ ign,  ign,  ign,  ign,  ign,  dis,  ign,  ign,  ign,  ign }},
  /* upl_unanswered */{{ ign,  ign,  ign,  ign,  ign,  que,  ign,  ign,  ign,  ign }},
  /* query_open */    {{ goo,  goo,  goo,  goo,  goo,  goo,  ign,  ign,  ign,  goo }},
  /* query_leased */  {{ goo,  goo,  goo,  goo,  goo,  goo,  ign,  ign,  ign,  goo }},
  /* query_recorded */{{ rec,  rec,  rec,  rec,  rec,  rec,  ign,  ign,  rec,  rec }},
  /* query_unknown */ {{ aba,  aba,  dis,  dis,  dis,  dis,  ign,  ign,  ign,  dis }},
  /* query_unansw. */ {{ wai,  wai,  wai,  wai,  wai,  wai,  ign,  ign,  ign,  wai }},
  /* lease_renewed */ {{ hol,  hol,  hol,  hol,  hol,  hol,  ign,  ign,  ign,  hol }},
  /* lease_lost */    {{ aba,  aba,  par,  par,  par,  par,  ign,  ign,  ign,  par }},
  /* deadline */      {{ exp,  exp,  exp,  exp,  exp,  ign,  ign,  ign,  ign,  enq }},
  /* walked */        {{ ign,  ign,  ign,  ign,  ign,  ign,  wal,  ign,  ign,  ign }},
  /* operator_retry */{{ ref,  ref,  ref,  ref,  ref,  ref,  ref,  ref,  ref,  rel }},
  /* operator_give */ {{ ref,  ref,  ref,  ref,  ref,  ref,  ref,  ref,  ref,  enq }},
  /* restart clean */ {{ rsc,  rsc,  rsc,  rsc,  rsc,  rsc,  rsc,  ign,  ign,  rsc }},
  /* restart unclean*/{{ rsu,  rsu,  rsu,  rsu,  rsu,  rsu,  rsu,  ign,  ign,  rsu }},
}};
// clang-format on

const cell& cell_of(event_kind what, record_state in) noexcept {
  return table[static_cast<std::size_t>(what)][static_cast<std::size_t>(in) - 1];
}

/// The durable part only: what differs in `live` alone needs no write.
bool durably_equal(const record& left, record right) {
  right.live = left.live;
  return left == right;
}

} // namespace

std::string_view reaction_text(event_kind what, record_state in) noexcept {
  return cell_of(what, in).text;
}

step_result step(const record& now_is, event what, const rules& by, const moment& now) {
  const auto kind = what.kind;
  turn t{step_result{.next = now_is}, std::move(what), by, now};
  cell_of(kind, now_is.state).react(t);
  t.out.changed = !durably_equal(now_is, t.out.next);
  return std::move(t.out);
}

} // namespace pfx::lifecycle
