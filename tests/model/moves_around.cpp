// The service, the CA and the network between: hand-outs, what arrives, what is lost or late.
#include <algorithm>

#include "tests/model/moves.hpp"

namespace pfx::model {

using lifecycle::event_kind;

namespace {

constexpr auto settled_state = static_cast<std::uint64_t>(record_state::settled);

} // namespace

state mover::first() const {
  state s{};
  s.restores_left = by_.restores;
  for (std::size_t i = 0; i < by_.connectors; ++i) {
    s.at[i].exists = 1;
  }
  return s;
}

const std::vector<successor>& mover::expand(const state& from) {
  out_.clear();
  service_moves(from);
  for (std::size_t i = 0; i < by_.seats(); ++i) {
    const auto& c = from.at[i];
    if (c.exists == 0) {
      continue;
    }
    network_moves(from, i);
    if (c.awaits == awaited::walk) {
      walk(from, i);
    } else {
      act(from, i);
    }
    lease_moves(from, i);
    time_moves(from, i);
    revoker_moves(from, i);
    end_moves(from, i);
    memory_moves(from, i);
  }
  return out_;
}

/// Held only while the service holds it too: our own deadline is the earlier one.
std::uint64_t mover::lease_of(const state& s, std::uint8_t number) const {
  return s.leased != 0 && number == s.highest ? lease_held : lease_past;
}

void mover::service_moves(const state& from) {
  if (from.leased != 0) {
    auto s = from;
    s.leased = 0;
    let_lapse(s);
    emit(s, move::lease_expires, nobody);
  }
  for (std::size_t g = 0; g < slots; ++g) {
    if ((from.ca[g] & slot::pending) != 0) {
      auto s = from;
      s.ca[g] &= static_cast<std::uint8_t>(~slot::pending);
      emit(s, move::granted, nobody);
      if (by_.refuses) {
        s = from;
        s.ca[g] = static_cast<std::uint8_t>((s.ca[g] & slot::key_mask) | slot::refused);
        emit(s, move::grant_refused, nobody, true);
      }
    }
  }
  if (by_.forgets && from.recorded == 0 && from.highest != 0) {
    auto s = from;
    s.gone = from.gone != 0 ? 0 : 1;
    if (s.gone != 0) {
      s.leased = 0;
      let_lapse(s);
    }
    emit(s, s.gone != 0 ? move::service_forgets : move::service_knows_again, nobody, s.gone != 0);
  }
  for (std::size_t i = 0; i < by_.seats(); ++i) {
    const auto& c = from.at[i];
    const bool wanted = from.leased == 0 && from.gone == 0
      && (from.recorded == 0 || by_.hands_out_again) && (!by_.heir || i == 0 || from.recorded != 0);
    if (!wanted || c.exists == 0 || c.forgot != 0 || c.offer != 0) {
      continue;
    }
    auto s = from;
    s.highest = static_cast<std::uint8_t>(from.highest + 1);
    s.leased = 1;
    s.at[i].was_handed = 1;
    emit(s, move::hand_out_lost, i, true);
    s.at[i].offer = s.highest;
    emit(s, move::hand_out, i);
  }
}

// -- the network ------

void mover::network_moves(const state& from, std::size_t i) {
  const auto& c = from.at[i];
  if (c.offer != 0) {
    auto s = from;
    auto& r = s.at[i].record;
    const auto number = c.offer;
    s.at[i].offer = 0;
    if (r.state == settled_state) {
      const bool stands = from.recorded != 0 || by_.forgets;
      emit(s, move::reacknowledge, i, false, stands ? nullptr : "settled here, not recorded there");
    } else {
      if (r.state == 0) {
        r = flow_.receive(number, lease_of(from, number));
        notice_lapse(s, i);
      } else {
        auto offered = happens(event_kind::offered_same);
        offered.number = number & 0xfU;
        offered.lease = lease_of(from, number) & 3U;
        if (by_.other_body) {
          auto other = s;
          offered.kind = static_cast<std::uint64_t>(event_kind::offered_other) & 0x3fU;
          apply(other, i, offered);
          emit(other, move::take_other_body, i, true);
          offered.kind = static_cast<std::uint64_t>(event_kind::offered_same) & 0x3fU;
        }
        apply(s, i, offered);
      }
      emit(s, move::take_offer, i);
    }
  }
  submit_on_its_way(from, i);
  upload_on_its_way(from, i);
  time_outs(from, i);
}

/// The CA fills a slot once and for all.
void mover::certify(state& s, std::uint8_t message, bool refuse) const {
  const auto key = submission::key(message);
  std::size_t g = submission::generation(message);
  if (by_.cannot_be_asked) { // a certificate for each; a third one for a key is as the second
    g = 0;
    int twins = 0;
    while (g + 1 < slots && s.ca[g] != 0) {
      twins += slot::holds(s.ca[g], key) ? 1 : 0;
      ++g;
    }
    if (twins >= 2) {
      return;
    }
  }
  if (s.ca[g] == 0) {
    s.ca[g] = static_cast<std::uint8_t>((key + 1)
                                        | (refuse          ? slot::refused
                                             : by_.pending ? slot::pending
                                                           : 0));
  }
}

/// What the CA says to a submission that it has just filled a slot with, or found one filled.
happening mover::submit_answer(const state& s, std::uint8_t message) const {
  const auto key = submission::key(message);
  const std::size_t g = submission::generation(message);
  std::size_t at = g;
  if (by_.cannot_be_asked) { // the newest of ours
    for (std::size_t k = 0; k < slots; ++k) {
      at = slot::holds(s.ca[k], key) ? k : at;
    }
  }
  auto kind = event_kind::ca_issued;
  if (!slot::holds(s.ca[at], key)) {
    kind = event_kind::ca_conflict;
  } else if ((s.ca[at] & slot::refused) != 0) {
    kind = event_kind::ca_refused;
  } else if ((s.ca[at] & slot::pending) != 0) {
    kind = event_kind::ca_pending;
  }
  auto out = happens(kind);
  out.generation = g & 7U;
  out.thumbprint = kind == event_kind::ca_issued ? (at + 1) & 0xfU : 0U;
  return out;
}

void mover::submit_on_its_way(const state& from, std::size_t i) {
  const auto& c = from.at[i];
  if (c.submit != 0) {
    const auto g = submission::generation(c.submit);
    for (const bool refuse : {false, true}) {
      if (refuse && (!by_.refuses || from.ca[g] != 0)) {
        continue;
      }
      auto s = from;
      certify(s, c.submit, refuse);
      s.at[i].submit = 0;
      emit(s, move::submit_arrives, i, true); // and its answer is lost
      s.at[i].awaits = awaited::nothing;
      s.at[i].record.ticket = 0;
      apply(s, i, submit_answer(s, c.submit));
      emit(s, refuse ? move::submit_refused : move::submit_answered, i, refuse);
    }
    auto s = from;
    s.at[i].submit = 0;
    emit(s, move::submit_lost, i, true);
  }
  for (std::size_t k = 0; k < late_max; ++k) {
    if (c.late_submits[k] != 0) {
      auto s = from;
      s.at[i].late_submits[k] = 0;
      emit(s, move::late_submit_lost, i, true);
      if (by_.actors_end) {
        auto heard = s;
        apply(heard, i, happens(event_kind::submit_unanswered));
        emit(heard, move::late_submit_lost, i, true);
      }
      certify(s, c.late_submits[k], false);
      emit(s, move::late_submit_arrives, i);
      if (by_.actors_end) {
        apply(s, i, submit_answer(s, c.late_submits[k]));
        emit(s, move::late_submit_heard, i);
      }
    }
  }
}

upload_word mover::record(state& s, const upload_message& what, const char*& broken) const {
  if (s.recorded != 0) {
    return upload_word::recorded;
  }
  if (what.number != s.highest || s.gone != 0) {
    return upload_word::lease_lost;
  }
  s.recorded = what.document;
  s.leased = 0;
  const auto thumbprint = document::thumbprint(what.document);
  if (thumbprint != 0 && (s.ca[thumbprint - 1U] & slot::revoked) != 0) {
    broken = "P2: a revoked certificate was recorded";
  }
  const bool may_fail
    = by_.gives_up || by_.rejects || by_.refuses || by_.attempts_max != 0 || by_.other_body;
  if (!document::succeeded(what.document) && !may_fail) {
    broken = "P3: a failure was recorded though nothing failed";
  }
  return upload_word::accepted;
}

happening mover::upload_answer(const state& s, upload_word word, std::uint8_t number) const {
  static constexpr std::array<event_kind, 5> kinds{
    event_kind::upload_unanswered, event_kind::upload_accepted, event_kind::upload_recorded,
    event_kind::upload_lease_lost, event_kind::upload_rejected};
  const bool unknown = word == upload_word::lease_lost && s.gone != 0;
  auto out = happens(unknown ? event_kind::upload_unknown : kinds[static_cast<std::size_t>(word)]);
  out.number = number & 0xfU;
  out.document = word <= upload_word::recorded ? s.recorded : std::uint8_t{0};
  return out;
}

void mover::upload_on_its_way(const state& from, std::size_t i) {
  const auto& c = from.at[i];
  if (c.upload.document != 0) {
    auto s = from;
    s.at[i].upload = {};
    emit(s, move::upload_lost, i, true);
    const char* broken = nullptr;
    s.at[i].answer = record(s, c.upload, broken);
    s.at[i].answer_number = c.upload.number;
    emit(s, move::upload_arrives, i, false, broken);
    if (by_.rejects && from.recorded == 0 && c.upload.number == from.highest) {
      s = from;
      s.at[i].upload = {};
      s.at[i].answer = upload_word::rejected;
      s.at[i].answer_number = c.upload.number;
      emit(s, move::upload_rejected, i, true);
    }
  }
  for (std::size_t k = 0; k < late_max; ++k) {
    if (const auto late = c.late_uploads[k]; late.document != 0) {
      auto s = from;
      s.at[i].late_uploads[k] = {};
      emit(s, move::late_upload_lost, i, true);
      const char* broken = nullptr;
      const auto word = record(s, late, broken);
      emit(s, move::late_upload_arrives, i, false, broken);
      if (by_.actors_end) {
        apply(s, i, upload_answer(s, word, late.number));
        emit(s, move::late_upload_heard, i, false, broken);
      }
    }
  }
  if (c.answer != upload_word::none) {
    auto s = from;
    auto& mine = s.at[i];
    mine.answer = upload_word::none;
    mine.answer_number = 0;
    mine.awaits = awaited::nothing;
    mine.record.ticket = 0;
    apply(s, i, upload_answer(from, c.answer, c.answer_number));
    emit(s, move::upload_answered, i);
  }
}

void mover::time_outs(const state& from, std::size_t i) {
  const auto& c = from.at[i];
  if (c.awaits != awaited::submit && c.awaits != awaited::upload) {
    return;
  }
  auto s = from;
  auto& mine = s.at[i];
  const bool submitted = c.awaits == awaited::submit;
  const bool under_way = submitted ? c.submit != 0 : c.upload.document != 0;
  if (c.submit != 0) {
    make_late(mine.late_submits, c.submit);
  }
  if (c.upload.document != 0) {
    make_late(mine.late_uploads, c.upload);
  }
  mine.submit = 0;
  mine.upload = {};
  mine.answer = upload_word::none;
  mine.answer_number = 0;
  mine.awaits = awaited::nothing;
  mine.record.ticket = 0;
  apply(s, i, happens(submitted ? event_kind::submit_unanswered : event_kind::upload_unanswered));
  emit(s, submitted ? move::submit_times_out : move::upload_times_out, i,
       under_way || c.answer != upload_word::none);
}

} // namespace pfx::model
