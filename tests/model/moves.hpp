// Everything that can happen next in a state: what connectors do, what the network, the service and
// the CA do, and what goes wrong.
#pragma once

#include <vector>

#include "tests/model/flow.hpp"
#include "tests/model/plan.hpp"

namespace pfx::model {

enum class move : std::uint8_t {
  hand_out,
  hand_out_lost,
  take_offer,
  take_other_body,
  reacknowledge,
  lease_expires,
  own_lease_ends,
  asks_to_renew,
  renewed,
  loss_on_its_way,
  hears_loss,
  loss_unheard,
  claims,
  makes_intent,
  makes_file,
  takes_long,
  work_fails,
  work_refused,
  submits_too_early,
  submits,
  finds_nothing,
  finds_ours,
  finds_foreign,
  finds_pending,
  finds_pending_foreign,
  finds_refused,
  cannot_ask,
  builds,
  build_fails,
  uploads,
  uploads_too_early,
  asks_open,
  asks_recorded,
  asks_unknown,
  walks,
  walk_waits,
  walk_ends,
  submit_answered,
  submit_refused,
  submit_arrives,
  submit_lost,
  submit_times_out,
  late_submit_arrives,
  late_submit_lost,
  late_submit_heard,
  upload_arrives,
  upload_rejected,
  upload_lost,
  upload_times_out,
  upload_answered,
  late_upload_arrives,
  late_upload_lost,
  late_upload_heard,
  granted,
  grant_refused,
  revokes,
  revokes_unheard,
  settle_time_passes,
  deadline_passes,
  operator_retries,
  operator_gives_up,
  crashes,
  stops,
  backup,
  restored,
  cloned,
  reconciles,
  service_forgets,
  service_knows_again,
};
[[nodiscard]] std::string_view name_of(move what) noexcept;

struct successor {
  state next;
  move what;
  std::int8_t who;    ///< -1: nobody in particular
  bool fault;         ///< not counted upon: a good end must be reachable without it
  const char* broken; ///< the property that this very step breaks, or null
};

class mover {
public:
  mover(const plan& by, flow& with) : by_(by), flow_(with) {}
  [[nodiscard]] state first() const;
  [[nodiscard]] const std::vector<successor>& expand(const state& from);

private:
  // moves_around.cpp: the service, the CA, the network
  void service_moves(const state& from);
  void network_moves(const state& from, std::size_t i);
  void submit_on_its_way(const state& from, std::size_t i);
  void upload_on_its_way(const state& from, std::size_t i);
  void time_outs(const state& from, std::size_t i);
  void certify(state& s, std::uint8_t message, bool refuse) const;
  [[nodiscard]] happening submit_answer(const state& s, std::uint8_t message) const;
  [[nodiscard]] happening upload_answer(const state& s, upload_word word,
                                        std::uint8_t number) const;
  [[nodiscard]] upload_word record(state& s, const upload_message& what, const char*& broken) const;
  // moves_connector.cpp: what a record calls for
  void act(const state& from, std::size_t i);
  void work(const state& from, std::size_t i);
  void submit(const state& from, std::size_t i);
  void find(const state& from, std::size_t i);
  void build(const state& from, std::size_t i);
  void upload(const state& from, std::size_t i);
  void query(const state& from, std::size_t i);
  void walk(const state& from, std::size_t i);
  // moves_faults.cpp: time, leases, crashes, restores, operators, the revoker
  void lease_moves(const state& from, std::size_t i);
  void time_moves(const state& from, std::size_t i);
  void revoker_moves(const state& from, std::size_t i);
  void end_moves(const state& from, std::size_t i);
  void memory_moves(const state& from, std::size_t i);
  void restart(state& s, std::size_t i, bool clean) const;

  /// Gives the event to the record, and what follows from it by itself.
  void apply(state& s, std::size_t i, happening what);
  void notice_lapse(state& s, std::size_t i);
  void let_lapse(state& s);
  void emit(const state& next, move what, std::size_t who, bool fault = false,
            const char* broken = nullptr);
  [[nodiscard]] std::uint64_t lease_of(const state& s, std::uint8_t number) const;

  const plan& by_;
  flow& flow_;
  std::vector<successor> out_;
  const char* broken_ = nullptr; ///< by the step that is being made
};

inline constexpr std::size_t nobody = ~std::size_t{0};

/// A late message keeps its place in the network; if all are taken the oldest is lost.
template <class Message>
void make_late(std::array<Message, late_max>& late, const Message& what) {
  late.back() = late.front();
  late.front() = what;
}

} // namespace pfx::model
