// The queue keeper's book: every open request, what waits to be made durable, what may be done
// next. Plain C++ in one thread; the actor around it only moves messages. Nothing leaves this book
// (a task, an event for the host, an answer) before the batch it rests on was synced.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "actors/tasks/order_book.hpp"
#include "actors/tasks/outcome.hpp"
#include "actors/tasks/service_calls.hpp"

namespace pfx::actors::tasks {

/// Meta value of the store: open requests have to be asked about before they go on.
inline constexpr std::string_view ask_everything_mark = "ask-everything";

/// Meta value of the store: why a former run halted for good; empty or missing if none did.
inline constexpr std::string_view halted_mark = "halted";

struct key_hash {
  std::size_t operator()(const request_key& key) const noexcept {
    return std::hash<std::string>()(key.context) ^ static_cast<std::size_t>(key.in);
  }
};

/// One synced write: whole steps, in order.
struct sealed_batch {
  storage::batch operations;
  std::vector<record_state> entered; ///< states that become durable with it, for fault points
};

class ledger {
public:
  explicit ledger(const plant& p);

  // -- at the start ------
  /// Takes over an open record from the store; the restart is an event of its life.
  void load(record value, bool unclean);
  /// Another process may have worked under our name: the service is asked about every open request
  /// before it goes on, and no closing walk is skipped.
  void ask_everything();
  /// Everything was asked about: leaves a line with a random value in the audit and takes the mark
  /// away.
  void reconciled(const std::string& random);
  /// Abandoned records that the store purges as well.
  void forget_abandoned(unix_ms before);
  void continue_audit(std::uint64_t sequence, const digest& head);

  // -- what comes in ------
  /// The keys of a download that are not open here: to be looked up among the settled ones.
  /// From here to receive() the book remembers what ends, so that a request which settles while the
  /// look-up is under way is not taken for a new one.
  [[nodiscard]] std::vector<request_key> unknown_of(const std::vector<arrival>& list);
  /// `settled` in the order of unknown_of(). Returns the number of the last change it caused:
  /// the download may be acknowledged once durable() has reached it.
  std::uint64_t receive(std::vector<arrival> list,
                        const std::map<request_key, settled_record>& settled);
  void apply(outcome what);
  void operator_word(const request_key& key, lifecycle::event_kind word, error* refusal);
  void surplus_answered(const surplus_certificate& what);
  /// What the book of revocation orders wants durable.
  void write(const order_batch& what);
  /// A line of the audit that belongs to no request.
  void note(const audit_note& what);
  void tick();

  // -- credit ------
  void grant(stage who, std::size_t tasks);
  /// The stage died: what it held is unknown.
  void stage_lost(stage who);
  /// For the next download. Tells `status`, too, of requests that have long waited to be closed.
  [[nodiscard]] demand room() const;
  void stop_dispatching() { dispatching_ = false; }
  /// Nothing in flight, nothing to write.
  [[nodiscard]] bool quiet() const;

  // -- what goes out ------
  /// The next write, if none is in flight and something waits.
  [[nodiscard]] std::optional<sealed_batch> take_batch();
  /// The write was synced: its consequences are released.
  void committed();
  /// The write did not happen (disk full): it is offered again.
  void not_committed();
  [[nodiscard]] std::uint64_t durable() const { return durable_; }
  /// The number of the last change so far.
  [[nodiscard]] std::uint64_t enqueued() const { return enqueued_; }
  [[nodiscard]] std::vector<task> take_tasks(stage who);
  [[nodiscard]] std::vector<lease_wish> take_renewals(std::size_t count_max);
  /// A renewal call ended; wishes it left unanswered are made again.
  void renewals_done(const std::vector<lease_wish>& asked);
  [[nodiscard]] std::vector<settled_again> take_reacknowledgements(std::size_t count_max);
  [[nodiscard]] std::vector<surplus_certificate> take_surplus();

  // -- for status ------
  [[nodiscard]] std::map<record_state, std::uint64_t> count_by_state() const;
  [[nodiscard]] std::vector<record> list(std::optional<record_state> state,
                                         std::size_t count_max) const;

private:
  struct entry {
    record value;
    std::uint32_t undurable = 0; ///< changes that are not synced yet
    bool queued = false;
    std::optional<stage> reserved; ///< whose credit it holds for a claim
    lifecycle::action in_flight = lifecycle::action::none;
    boot_ms timer_at = 0;
    std::set<digest> listed; ///< surplus certificates that its walks found
  };

  /// All that one step wants to be durable, and what may follow from it then.
  struct change {
    request_key key;
    std::vector<storage::operation> operations;
    std::optional<record_state> entered;
    std::vector<report> reports;
    std::vector<surplus_certificate> surplus;
    std::optional<connect::service::anchor> anchor;
    std::size_t size = 0;
    bool of_entry = true;
  };

  void receive_one(arrival& one, const std::map<request_key, settled_record>& settled);
  void receive_new(arrival& one);
  static lifecycle::event recorded_event(const connect::service::recorded& stands);
  void receive_settled(const arrival& one, const settled_record& before);
  void acknowledge_ended(const record& of, std::uint64_t lease_number);
  void hand_out_again(entry& in, arrival& one);
  void absorb(entry& in, record_state before, lifecycle::step_result&& out);
  void absorb_operations(change& to, const record& next, lifecycle::step_result& out) const;
  void add_reports(change& to, const record& next, const lifecycle::step_result& out);
  void add_audit(change& to, std::uint16_t event, const record& of);
  void add_line(change& to, const audit_line& line);
  void take_notes();
  void note_uses(const request_key& key, const std::vector<audit_note>& uses);
  void count(const record& next, record_state before, const lifecycle::step_result& out);
  void enqueue(change&& what);
  void step(entry& in, lifecycle::event what);
  void examine(entry& in);
  void set_timer(entry& in, const lifecycle::moment& now);
  void put_in_line(entry& in, lifecycle::action what);
  void release_reserved(entry& in);
  void keep_or_release(entry& in, lifecycle::action next);
  void give_back(entry& in);
  [[nodiscard]] bool processor_may_take(entry& in, lifecycle::action what);
  [[nodiscard]] bool leave_line(std::deque<request_key>& line, stage who);
  void serve(std::deque<request_key>& line, stage who, std::vector<task>& out);
  [[nodiscard]] std::optional<task> try_dispatch(entry& in, stage who);
  void show_closing() const;
  [[nodiscard]] bool is_suspect(const entry& in) const;
  [[nodiscard]] std::size_t busy(stage who) const { return busy_[static_cast<std::size_t>(who)]; }

  const plant& plant_;
  std::unordered_map<request_key, entry, key_hash> open_;
  std::deque<change> waiting_;
  std::vector<change> writing_;
  std::uint64_t enqueued_ = 0;
  std::uint64_t durable_ = 0;
  std::uint64_t arrivals_ = 0;
  std::uint64_t tickets_ = 0;
  std::uint64_t audit_sequence_ = 0;
  digest audit_head_;
  std::array<std::deque<request_key>, stage_count> lines_;
  std::array<std::size_t, stage_count> credit_{};
  std::array<std::size_t, stage_count> busy_{};
  /// Hold a credit of their stage; go before everything else.
  std::array<std::deque<request_key>, stage_count> claimed_;
  std::deque<request_key> suspects_;
  std::optional<request_key> alone_; ///< the suspect that is at work, with nobody beside it
  std::multimap<boot_ms, request_key> timers_;
  std::deque<lease_wish> renewals_;
  boot_ms renew_not_before_ = 0; ///< after a renewal call without an answer
  std::uint32_t renew_failures_ = 0;
  std::deque<settled_again> again_;
  std::map<request_key, record> ended_meanwhile_; ///< settled while a look-up is under way
  bool look_up_pending_ = false;
  bool uploader_gone_ = false; ///< renewals wait until it is made again
  std::vector<surplus_certificate> surplus_;
  bool dispatching_ = true;
};

} // namespace pfx::actors::tasks
