// What a connector does by itself: the lifecycle's next action, and what it sees of the CA and the
// service when it asks them. An answer that can only be true for ever is taken at once.
#include "tests/model/moves.hpp"

namespace pfx::model {

using lifecycle::action;
using lifecycle::event_kind;

namespace {

constexpr auto closed_state = static_cast<std::uint64_t>(record_state::closing);
constexpr auto settled_state = static_cast<std::uint64_t>(record_state::settled);
constexpr auto prepared_state = static_cast<std::uint64_t>(record_state::prepared);

} // namespace

void mover::emit(const state& next, move what, std::size_t who, bool fault, const char* broken) {
  const auto seats = by_.seats();
  if (fault && by_.faults_max != 0 && next.faults == by_.faults_max) {
    broken_ = nullptr;
    return;
  }
  auto& made = out_.emplace_back(
    successor{next, what, static_cast<std::int8_t>(who == nobody ? -1 : static_cast<int>(who)),
              fault, broken != nullptr ? broken : broken_});
  broken_ = nullptr;
  const bool versions
    = by_.import || by_.off == rule::judge_by_certificate || (!by_.loses_memory() && !by_.rejects);
  if (fault && by_.faults_max != 0) {
    ++made.next.faults;
  }
  const bool keep_spent = by_.cannot_be_asked || by_.actors_end;
  by_.symmetric ? make_symmetric(made.next, seats, versions, keep_spent)
                : make_canonical(made.next, seats, versions, keep_spent);
}

void mover::apply(state& s, std::size_t i, happening what) {
  auto& c = s.at[i];
  const auto before = c.record;
  const auto out = flow_.apply(before, what);
  c.record = out.next;
  c.surplus |= out.surplus;
  const bool ended = c.record.state == closed_state || c.record.state == settled_state;
  if (before.state == settled_state && c.record.state != settled_state) {
    broken_ = "a settled request was worked on again";
  }
  if (!ended && c.record.state != 0 && c.record.lease_number < before.lease_number) {
    broken_ = "a leaseNumber in the store fell";
  }
  notice_lapse(s, i);
}

/// examine() of the ledger looks after every event.
void mover::notice_lapse(state& s, std::size_t i) {
  auto& c = s.at[i];
  if (c.record.state != 0 && flow_.look(c.record).lapsed) {
    auto lost = happens(event_kind::lease_lost);
    lost.number = c.record.lease_number;
    const auto out = flow_.apply(c.record, lost);
    c.record = out.next;
    c.surplus |= out.surplus;
  }
}

void mover::act(const state& from, std::size_t i) {
  const auto& c = from.at[i];
  if (c.forgot != 0 || c.record.state == 0) {
    return;
  }
  auto next = flow_.look(c.record).next;
  if (by_.off == rule::lease_before_send && next == action::query && c.record.has_intent != 0
      && c.record.state == static_cast<std::uint64_t>(record_state::submitting)) {
    next = action::submit;
  }
  if (by_.off == rule::ask_when_parked && next == action::query && c.record.lease != lease_held) {
    return;
  }
  switch (next) {
    case action::claim:
    case action::claim_slowly: {
      auto s = from;
      apply(s, i, happens(event_kind::claimed));
      emit(s, move::claims, i);
      return;
    }
    case action::work:
    case action::work_slowly:
      work(from, i);
      return;
    case action::submit:
      submit(from, i);
      return;
    case action::find:
      find(from, i);
      return;
    case action::build:
      build(from, i);
      return;
    case action::upload:
      upload(from, i);
      return;
    case action::query:
      query(from, i);
      return;
    case action::walk: {
      auto s = from;
      auto& mine = s.at[i];
      mine.record.ticket = 1;
      mine.awaits = awaited::walk;
      mine.walk_early = mine.record.sent_lately != 0 ? 1 : 0;
      walk(s, i); // with the first question
      return;
    }
    case action::none:
      return;
  }
}

void mover::work(const state& from, std::size_t i) {
  auto s = from;
  if (by_.import) {
    auto built = happens(event_kind::built);
    built.document = free_document(from, by_.seats(), document::import);
    apply(s, i, built);
    emit(s, move::makes_file, i);
    auto slow = from;
    apply(slow, i, happens(event_kind::work_slow));
    emit(slow, move::takes_long, i, true);
  } else {
    const auto key = free_key(from, by_.seats());
    apply(s, i, happens(event_kind::worked));
    s.at[i].record.key = key & 7U;
    emit(s, move::makes_intent, i);
    if (by_.off == rule::intent_first && from.at[i].late_submits[1] == 0) {
      auto early = from;
      early.at[i].late_submits[1] = submission::make(key, 0);
      emit(early, move::submits_too_early, i, true);
    }
  }
  if (by_.attempts_max != 0) {
    auto failed = from;
    apply(failed, i, happens(event_kind::work_failed));
    emit(failed, move::work_fails, i, true);
    auto refused = from;
    apply(refused, i, happens(event_kind::work_refused));
    emit(refused, move::work_refused, i, true);
  }
}

void mover::submit(const state& from, std::size_t i) {
  auto s = from;
  auto& c = s.at[i];
  c.submit = submission::make(c.record.key, c.record.generation);
  c.awaits = awaited::submit;
  c.record.ticket = 1;
  const bool leased
    = from.recorded != 0 || (from.leased != 0 && c.record.lease_number == from.highest);
  emit(s, move::submits, i, false, leased ? nullptr : "I10: a submission without a lease");
}

void mover::find(const state& from, std::size_t i) {
  const auto& r = from.at[i].record;
  const auto at = from.ca[r.generation];
  const bool ours = slot::holds(at, r.key);
  auto kind = event_kind::ca_never_seen;
  auto what = move::finds_nothing;
  if (by_.cannot_be_asked) {
    what = move::cannot_ask;
  } else if ((at & slot::refused) != 0) {
    kind = event_kind::ca_refused;
    what = move::finds_refused;
  } else if ((at & slot::pending) != 0) {
    kind = ours ? event_kind::ca_pending : event_kind::ca_pending_foreign;
    what = ours ? move::finds_pending : move::finds_pending_foreign;
  } else if (at != 0) {
    const bool taken = ours || by_.off == rule::check_key;
    kind = taken ? event_kind::ca_issued : event_kind::ca_foreign;
    what = ours ? move::finds_ours : move::finds_foreign;
  }
  auto answer = happens(kind);
  answer.generation = r.generation;
  answer.thumbprint = kind == event_kind::ca_issued ? (r.generation + 1U) & 0xfU : 0U;
  auto s = from;
  apply(s, i, answer);
  emit(s, what, i);
}

void mover::build(const state& from, std::size_t i) {
  const auto& r = from.at[i].record;
  const auto content = r.failing != 0 || r.thumbprint == 0
    ? document::failure
    : static_cast<std::uint8_t>(r.thumbprint - 1);
  const char* broken = nullptr;
  if (content != document::failure && !slot::holds(from.ca[content], r.key)) {
    broken = "a file was built with a certificate for another key";
  }
  auto built = happens(event_kind::built);
  built.document = free_document(from, by_.seats(), content);
  auto s = from;
  apply(s, i, built);
  emit(s, move::builds, i, false, broken);
  if (by_.off == rule::bytes_first && content != document::failure) {
    auto early = from; // sent, and then the write is lost
    auto& c = early.at[i];
    broken = c.uploaded != 0 && c.uploaded != built.document ? "P1: two results uploaded" : nullptr;
    c.uploaded = static_cast<std::uint8_t>(built.document);
    emit(early, move::uploads_too_early, i, true, broken);
  }
  if (by_.attempts_max != 0 && r.failing == 0) {
    auto failed = from;
    apply(failed, i, happens(event_kind::build_failed));
    emit(failed, move::build_fails, i, true);
  }
}

void mover::upload(const state& from, std::size_t i) {
  auto s = from;
  auto& c = s.at[i];
  const auto bytes = static_cast<std::uint8_t>(c.record.result);
  c.upload = {bytes, static_cast<std::uint8_t>(c.record.lease_number)};
  c.awaits = awaited::upload;
  c.record.ticket = 1;
  const char* broken = nullptr;
  if (!by_.loses_memory() && !by_.rejects) {
    broken = c.uploaded != 0 && c.uploaded != bytes ? "P1: two results uploaded" : nullptr;
    c.uploaded = bytes;
  }
  if (c.record.state != prepared_state || bytes == 0) {
    broken = "an upload without frozen bytes";
  }
  emit(s, move::uploads, i, false, broken);
}

void mover::query(const state& from, std::size_t i) {
  auto s = from;
  if (from.gone != 0) {
    apply(s, i, happens(event_kind::query_unknown));
    emit(s, move::asks_unknown, i);
  } else if (from.recorded != 0) {
    auto stands = happens(event_kind::query_recorded);
    stands.document = from.recorded;
    apply(s, i, stands);
    emit(s, move::asks_recorded, i);
  } else {
    apply(s, i, happens(from.leased != 0 ? event_kind::query_leased : event_kind::query_open));
    emit(s, move::asks_open, i);
  }
}

/// One question of a walk. What it found is told to the record only when it ended.
void mover::walk(const state& from, std::size_t i) {
  auto s = from;
  auto& c = s.at[i];
  const auto at = c.walk_at < slots ? from.ca[c.walk_at] : std::uint8_t{0};
  const auto over = [&c] {
    c.record.ticket = 0;
    c.awaits = awaited::nothing;
  };
  if (!by_.cannot_be_asked && (at & slot::pending) != 0) {
    over();
    auto waits = happens(event_kind::ca_unavailable);
    c.walk_at = c.walk_found = c.walk_early = 0;
    apply(s, i, waits);
    emit(s, move::walk_waits, i);
    return;
  }
  if (slot::issued(at)) {
    c.walk_found = static_cast<std::uint8_t>(c.walk_found | 1U << c.walk_at);
  }
  const bool unseen = at == 0 && c.walk_at >= c.record.generation;
  if (!by_.cannot_be_asked && !unseen && c.walk_at + 1U < slots) {
    ++c.walk_at;
    emit(s, move::walks, i);
    return;
  }
  auto walked = happens(event_kind::walked);
  walked.found = by_.cannot_be_asked ? 0 : c.walk_found;
  walked.walk_ended = 1;
  walked.walk_early = c.walk_early & 1U;
  over();
  c.walk_at = c.walk_found = c.walk_early = 0;
  apply(s, i, walked);
  emit(s, move::walk_ends, i);
}

} // namespace pfx::model
