// Leases and time, the revoker, crashes and stops, backups and clones, operators.
#include "tests/model/moves.hpp"

namespace pfx::model {

using lifecycle::event_kind;

namespace {

constexpr auto settled_state = static_cast<std::uint64_t>(record_state::settled);
constexpr auto abandoned_state = static_cast<std::uint64_t>(record_state::abandoned);
constexpr auto quarantined_state = static_cast<std::uint64_t>(record_state::quarantined);

/// What a backup has of a record.
facts durable(facts of) {
  of.lease = lease_none;
  of.sent_lately = of.lease_asked = of.ask_service = of.ticket = of.slow = 0;
  return of;
}

} // namespace

// -- leases ------

/// The service's lease ended, so every holder's own deadline has passed.
void mover::let_lapse(state& s) {
  for (std::size_t i = 0; i < by_.seats(); ++i) {
    if (auto& c = s.at[i]; c.exists != 0 && c.record.lease == lease_held) {
      c.record.lease = lease_past;
      notice_lapse(s, i);
    }
  }
}

void mover::lease_moves(const state& from, std::size_t i) {
  const auto& c = from.at[i];
  const auto& r = c.record;
  if (r.state == 0) {
    return;
  }
  if (r.lease == lease_held) {
    auto s = from;
    s.at[i].record.lease = lease_past;
    notice_lapse(s, i);
    emit(s, move::own_lease_ends, i, true);
  }
  const bool due = by_.renews && r.lease_asked == 0 && flow_.look(r).lease_due;
  if (due) {
    auto s = from;
    s.at[i].record.lease_asked = 1;
    emit(s, move::asks_to_renew, i);
  }
  if (r.lease_asked != 0 && c.forgot == 0 && c.lost == 0) {
    auto s = from;
    if (from.recorded == 0 && from.gone == 0 && r.lease_number == from.highest) {
      s.leased = 1;
      auto held = happens(event_kind::lease_renewed);
      held.number = r.lease_number;
      held.lease = lease_held;
      apply(s, i, held);
      emit(s, move::renewed, i);
    } else {
      s.at[i].lost = static_cast<std::uint8_t>(r.lease_number);
      emit(s, move::loss_on_its_way, i);
    }
  }
  if (c.lost != 0) {
    auto s = from;
    s.at[i].lost = 0;
    emit(s, move::loss_unheard, i, true);
    auto lost = happens(event_kind::lease_lost);
    lost.number = c.lost & 0xfU;
    apply(s, i, lost);
    emit(s, move::hears_loss, i);
  }
}

// -- time and operators ------

void mover::time_moves(const state& from, std::size_t i) {
  const auto& c = from.at[i];
  const auto& r = c.record;
  if (r.state == 0) {
    return;
  }
  const bool sending = c.submit != 0 || c.late_submits[0] != 0;
  if (r.sent_lately != 0 && !sending) {
    auto s = from;
    s.at[i].record.sent_lately = 0;
    emit(s, move::settle_time_passes, i);
  }
  const bool quarantined = r.state == quarantined_state;
  if (by_.gives_up && flow_.look(r).has_deadline) {
    auto s = from;
    auto passed = happens(event_kind::deadline);
    passed.late = 1;
    apply(s, i, passed);
    emit(s, move::deadline_passes, i, !quarantined);
  }
  if (by_.operators && quarantined) {
    auto s = from;
    apply(s, i, happens(event_kind::operator_retry));
    emit(s, move::operator_retries, i);
    if (by_.gives_up) {
      s = from;
      apply(s, i, happens(event_kind::operator_give_up));
      emit(s, move::operator_gives_up, i);
    }
  }
}

// -- the revoker ------

void mover::revoker_moves(const state& from, std::size_t i) {
  const auto& c = from.at[i];
  if (c.surplus == 0 || c.forgot != 0) {
    return;
  }
  for (std::size_t g = 0; g < slots; ++g) {
    if ((c.surplus >> g & 1U) == 0) {
      continue;
    }
    auto s = from;
    s.ca[g] |= slot::revoked;
    const bool stands = document::thumbprint(from.recorded) == g + 1;
    const char* broken = stands ? "P2: the recorded certificate was revoked" : nullptr;
    emit(s, move::revokes_unheard, i, true, broken);
    s.at[i].surplus = static_cast<std::uint8_t>(c.surplus & ~(1U << g));
    emit(s, move::revokes, i, false, broken);
  }
}

// -- ends ------

/// What was not durable is gone; what is in the network stays there. Being down for a while is the
/// same as doing nothing after the start.
void mover::restart(state& s, std::size_t i, bool clean) const {
  auto& c = s.at[i];
  if (c.submit != 0) {
    make_late(c.late_submits, c.submit);
  }
  // A start checks in with a higher epoch before anything else: from then on the service takes
  // nothing more from the run before. The CA knows no epochs.
  c.late_uploads = {};
  c.submit = 0;
  c.upload = {};
  c.answer = upload_word::none;
  c.answer_number = c.offer = c.lost = 0;
  c.awaits = awaited::nothing;
  c.walk_at = c.walk_found = c.walk_early = 0;
  c.record = durable(c.record);
  if (by_.off == rule::keep_surplus) {
    c.surplus = 0;
  }
  if (c.record.state != 0 && c.record.state != settled_state && c.record.state != abandoned_state) {
    c.record
      = flow_
          .apply(c.record,
                 happens(clean ? event_kind::restarted_clean : event_kind::restarted_unclean))
          .next;
  }
  if (c.forgot != 0) {
    c.record = flow_.ask_everything(c.record);
  }
}

void mover::end_moves(const state& from, std::size_t i) {
  const auto& c = from.at[i];
  if (by_.actors_end) {
    return; // answers that belong to another run are not told apart
  }
  auto s = from;
  restart(s, i, false);
  notice_lapse(s, i);
  emit(s, move::crashes, i, true);
  if (c.awaits == awaited::nothing && c.forgot == 0) {
    s = from; // a stop waits for what is under way
    restart(s, i, true);
    notice_lapse(s, i);
    emit(s, move::stops, i, true);
  }
}

// -- loss of memory ------

void mover::memory_moves(const state& from, std::size_t i) {
  const auto& c = from.at[i];
  if (i == 0 && from.restores_left != 0) {
    for (std::size_t k = 0; k < by_.backups; ++k) {
      auto s = from;
      if (from.copies[k].taken == 0) {
        s.copies[k] = copy{durable(c.record), c.surplus, 1, {}};
        emit(s, move::backup, i, true);
        continue;
      }
      s.at[i].record = from.copies[k].record;
      s.at[i].surplus = from.copies[k].surplus;
      s.at[i].forgot = by_.noticed && by_.off != rule::reconcile ? 1 : 0;
      --s.restores_left;
      restart(s, i, false);
      notice_lapse(s, i);
      emit(s, move::restored, i, true);
    }
  }
  if (by_.clone && i == 0 && from.at[by_.connectors].exists == 0) {
    auto s = from;
    auto& twin = s.at[by_.connectors];
    twin.exists = 1;
    twin.record = durable(c.record);
    twin.surplus = c.surplus;
    restart(s, by_.connectors, false);
    notice_lapse(s, by_.connectors);
    emit(s, move::cloned, by_.connectors, true);
  }
  const bool may_arrive = c.late_submits[0] != 0 && by_.off != rule::settle_before_reconcile;
  if (c.forgot == 0 || may_arrive) {
    return;
  }
  auto s = from;
  auto& mine = s.at[i];
  mine.forgot = 0;
  if (from.recorded != 0 && mine.record.state == 0 && c.was_handed != 0) {
    mine.record = flow_.recall(from.highest, from.recorded);
  } else if (from.recorded != 0 && mine.record.state != 0 && mine.record.state != settled_state) {
    auto stands = happens(event_kind::query_recorded);
    stands.document = from.recorded;
    apply(s, i, stands);
  }
  notice_lapse(s, i);
  emit(s, move::reconciles, i);
}

} // namespace pfx::model
