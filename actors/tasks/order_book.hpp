// The book of open revocation orders: which is to be looked up, carried out or reported next, and
// what has to be durable before. Plain C++ in one thread; the actor around it only moves messages.
// Nothing leaves it before the write it rests on was synced.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "actors/tasks/plant.hpp"
#include "core/revocation.hpp"

namespace pfx::actors::tasks {

/// One synced write, and what is told when it is.
struct order_batch {
  storage::batch operations;
  std::vector<report> reports;
  std::vector<audit_note> audit;
};

class order_book {
public:
  static constexpr std::size_t open_max = 5'000; ///< no more are downloaded beyond
  /// No more wait for an operator: the others are sent back, to come again.
  static constexpr std::size_t held_max = 5'000;

  /// `hour_max`: intents in one hour; beyond it orders are held for an operator.
  order_book(revocation::rules by, std::size_t hour_max) : by_(by), hour_max_(hour_max) {}

  // -- at the start ------
  /// `unclean`: whoever had it before did not end in order, and may have been in a call.
  void load(revocation_order value, bool unclean, const revocation::moment& now);
  /// One that was reported by a former run: it may count for the hour.
  void remember(const revocation_order& reported, const revocation::moment& now);

  // -- what comes in ------
  /// A download is asked for, and what it brings is looked up among the reported ones. From here to
  /// receive() the book remembers what ends, so that an order which is reported meanwhile is not
  /// taken for a new one.
  void expect();
  void receive(std::vector<revocation::offer> list,
               std::map<request_key, revocation_order> reported, const revocation::moment& now);
  /// Nothing was done with what take() gave.
  void give_back(const request_key& key, const revocation::moment& now);
  void apply(const request_key& key, revocation::event what, const revocation::moment& now);
  /// The report of these was not recorded: each goes alone from now on.
  void separate(const std::vector<request_key>& keys);
  /// errc::not_found, errc::conflict; errc::none: it is on its way to the disk.
  [[nodiscard]] error operator_word(const request_key& key, revocation::event_kind word,
                                    const revocation::moment& now);
  /// True if nothing about it waits for the disk.
  [[nodiscard]] bool durable(const request_key& key) const {
    const auto found = open_.find(key);
    return found == open_.end() || found->second.undurable == 0;
  }
  void tick(const revocation::moment& now);

  // -- what goes out ------
  /// At most `count_max` orders whose next action is `what`; each stays in flight until apply().
  [[nodiscard]] std::vector<revocation_order> take(revocation::action what, std::size_t count_max,
                                                   const revocation::moment& now);
  /// Orders that may be reported in one call: of one transaction, or a single one.
  [[nodiscard]] std::vector<revocation_order> take_report(std::size_t count_max,
                                                          const revocation::moment& now);
  /// How many may be reported now, of whatever transaction.
  [[nodiscard]] std::size_t reportable(const revocation::moment& now) const;
  /// The next write, if none is in flight and something waits.
  [[nodiscard]] std::optional<order_batch> take_batch();
  void committed();
  /// The write did not happen (disk full): it is offered again.
  void not_committed();
  /// The store does not take the write. Its changes are offered again one by one; one that is
  /// refused alone is given up. Its order leaves the book, to come with a later download; one of
  /// which the store has an open form goes back to that form and rests until the next start, so
  /// that what is under way for it never meets a younger order. True if that was so; `who` is its
  /// key.
  [[nodiscard]] bool refused(request_key& who);
  /// Goes on with the next start only.
  [[nodiscard]] bool resting(const request_key& key) const {
    const auto found = open_.find(key);
    return found != open_.end() && found->second.resting;
  }

  /// What waits for an operator takes no room.
  [[nodiscard]] std::size_t room() const;
  [[nodiscard]] bool quiet() const { return in_flight_ == 0 && waiting_.empty() && !writing_; }
  [[nodiscard]] std::map<order_state, std::uint64_t> count_by_state() const;
  void each(const std::function<void(const revocation_order&)>& visit) const;
  /// The oldest ones first; with `wanted`, only those.
  [[nodiscard]] std::vector<revocation_order> list(std::size_t count_max,
                                                   std::optional<order_state> wanted = {}) const;

private:
  struct entry {
    revocation_order value;
    std::uint32_t undurable = 0; ///< changes that are not synced yet
    bool alone = false;
    bool resting = false; ///< the store refused a change of it
  };
  struct change {
    request_key key;
    order_batch what;
    std::size_t size = 0;
    std::optional<revocation_order> before = {}; ///< durable when this is written; none: it is new
  };

  void absorb(entry& in, revocation::step_result&& out, const revocation::moment& now);
  [[nodiscard]] std::size_t held() const;
  /// What becomes of an order that is over the hour's limit.
  [[nodiscard]] revocation::event guarded() const;
  [[nodiscard]] bool hour_is_full(const revocation::moment& now);
  [[nodiscard]] bool ready(const entry& in, revocation::action what,
                           const revocation::moment& now) const;

  revocation::rules by_;
  std::size_t hour_max_;
  std::map<request_key, entry> open_;
  std::deque<change> waiting_;
  std::vector<change> writing_kept_;
  bool writing_ = false;
  std::size_t singly_ = 0; ///< so many of the next changes are written alone
  bool looking_up_ = false;
  std::map<request_key, revocation_order> ended_meanwhile_;
  std::size_t in_flight_ = 0;
  std::uint64_t arrivals_ = 0;
  std::deque<boot_ms> intents_; ///< of the last hour, oldest first; no clock that can be set
};

} // namespace pfx::actors::tasks
