// A small world for the pure lifecycle: virtual time, a network that loses, delays and doubles, the
// request service and the CA of docs/protocol.md, and a checker that knows what must never happen.
// Everything follows from one seed. No threads, no clock, no bytes on a wire.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/lifecycle.hpp"

namespace pfx::simulation {

/// Deliberate faults of an engine: each must be noticed by the checker.
enum class mutation : std::uint8_t {
  none,
  submit_before_durable, ///< the intent is sent while its write may still be lost
  rebuild_on_retry,      ///< a result is built anew when it is sent again
  forget_settled,        ///< a settled request leaves no record
  settle_at_once,        ///< what was recorded is settled without a walk
  revoke_on_lease_loss,
  skip_walk_of_failures,
  judge_by_digest,       ///< what stands is ours only if our bytes stand
  no_settle_wait,        ///< never seen ends the walk although a submit may still arrive
  abandoned_stays,       ///< a new hand-out does not reopen
  lower_lease,           ///< an older hand-out is written over a newer one
  intent_in_memory,      ///< a restart forgets the intent and makes another key
  one_key,               ///< one key pair serves every request
  believe_silence,       ///< an upload without an answer counts as accepted
  endless_walk,
};

enum class violation : std::uint8_t {
  not_durable = 1,   ///< told to the service or the CA before it was synced
  other_bytes,       ///< a repeat of an upload that is not byte-identical
  other_key,         ///< two keys for one request by one engine
  shared_key,        ///< one key for two requests
  recorded_revoked,  ///< the recorded certificate was revoked, or a revoked one recorded
  surplus_alive,     ///< quiet, and a certificate lives that is not the recorded one
  recorded_missing,  ///< quiet, and the recorded certificate does not live
  two_alive,         ///< two certificates at once without takeover and amnesia
  lease_fell,        ///< a leaseNumber in the store fell
  settled_reopened,  ///< a settled request was worked on again
  not_recorded,      ///< settled here, recorded nowhere
  lost,              ///< expired unrecorded although there was time enough without faults
  never_quiet,       ///< still busy long after the last fault
};
[[nodiscard]] std::string_view name_of(violation what);

class dice {
public:
  explicit dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// In [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high);
  bool chance(int percent) { return between(0, 99) < percent; }

private:
  std::uint64_t state_;
};

/// What may go wrong in one run.
struct plan {
  std::uint64_t seed = 0;
  mutation broken = mutation::none;
  int instances = 1;
  int requests = 1;
  std::int64_t faults_until = 0; ///< afterwards nothing goes wrong any more
  std::int64_t expiry_ms = 0;    ///< of a request, from its creation
  int lose = 0, twice = 0;       ///< percent of messages
  int delay = 0, delay_ca = 0;   ///< the same; to and from the service, to and from the CA
  int slow = 0;                  ///< percent of commits and of pieces of work
  int hand_out_recorded = 0;     ///< percent, per poll
  int reject = 0, refuse = 0, pending = 0, work_fails = 0, other_body = 0, operator_acts = 0;
  bool tells = false; ///< keeps the story of the run
  bool crashes = false, poison = false, restore = false, walls_jump = false;
};
[[nodiscard]] plan plan_of(std::uint64_t seed);
[[nodiscard]] std::string describe(const plan& of);

/// A result document: what a digest stands for.
struct document {
  bool succeeded = false;
  digest thumbprint;
};

/// One transaction id at the CA.
struct slot {
  enum class stage : std::uint8_t { issued, pending, refused } at = stage::issued;
  std::string key;
  digest thumbprint;
  std::string serial_number;
  bool revoked = false;
};

/// One request at the service.
struct order {
  std::string context;
  unix_ms created = 0;
  unix_ms expires = 0;
  std::uint64_t lease_number = 0;
  std::int64_t leased_until = 0;
  int recorded_hand_outs = 0;
  bool poison = false;
  bool imported = false; ///< a pfxImport: no CA takes part
  bool dropped = false;  ///< forgotten: expired and never recorded
  bool recorded = false;
  digest result_digest;
  document result;
  std::set<int> handed_to;
};

struct hand_out {
  std::string context;
  std::uint64_t lease_number = 0;
  bool other_body = false;
  bool imported = false;
  unix_ms expires = 0;
};

class world {
public:
  explicit world(const plan& of);

  plan by;
  dice roll;
  std::int64_t now = 1'000;
  int in_flight = 0; ///< messages that have not reached the service or the CA
  std::uint64_t events_run = 0;
  std::vector<std::string> story;
  void tell(const std::string& what);

  void later(std::int64_t after_ms, std::function<void()> what);
  bool run_next();
  /// How long a piece of work or a commit takes that is done in `usual_ms` as a rule.
  [[nodiscard]] std::int64_t effort(std::int64_t usual_ms);
  [[nodiscard]] bool faulty() const { return now < by.faults_until; }
  [[nodiscard]] digest new_digest();

  enum class line : std::uint8_t { poll, service, ca };
  /// Carries a question to the other side and its answer back, or not, or late, or twice. Polls are
  /// not waited for at the end: they never stop.
  template <class Answer>
  void ask(line over, std::function<Answer()> there, std::function<void(Answer)> back) {
    const int weight = over == line::poll ? 0 : 1;
    const int late = over == line::ca ? by.delay_ca : by.delay;
    if (faulty() && roll.chance(by.lose)) {
      return;
    }
    const int copies = faulty() && roll.chance(by.twice) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      in_flight += weight;
      later(latency(late), [this, there, back, weight, late] {
        in_flight -= weight;
        auto answer = there();
        if (faulty() && roll.chance(by.lose)) {
          return;
        }
        later(latency(late), [back, answer = std::move(answer)] { back(answer); });
      });
    }
  }

  // -- the service ------
  std::map<std::string, order> orders;
  std::map<digest, document> documents;
  [[nodiscard]] std::vector<hand_out> download(int who, std::int64_t lease_ms);
  [[nodiscard]] lifecycle::event renew(const std::string& context, std::uint64_t number,
                                       std::int64_t lease_ms);
  /// Without a digest it is a re-acknowledgement.
  [[nodiscard]] lifecycle::event upload(int who, const std::string& context, std::uint64_t number,
                                        const digest& result);
  [[nodiscard]] lifecycle::event query(const std::string& context);

  // -- the CA ------
  std::map<std::string, std::map<int, slot>> slots;
  [[nodiscard]] lifecycle::event submit(const std::string& context, int generation,
                                        const std::string& key);
  [[nodiscard]] lifecycle::event find(const std::string& context, int generation,
                                      const std::string& key);
  [[nodiscard]] bool revoke(const std::string& context, const digest& thumbprint);

  // -- the checker ------
  std::map<violation, std::string> violations; ///< the first of each kind
  void report(violation what, const std::string& text);
  /// Called when a message leaves an engine.
  void note_submit(int who, const std::string& context, int generation, const std::string& key,
                   bool durable);
  void note_upload(int who, const std::string& context, const digest& result, bool durable);
  void note_amnesia(int who);
  /// Called when everything is quiet.
  void check_end();
  /// Recorded or forgotten: nothing more will happen to any request.
  [[nodiscard]] bool decided() const;

private:
  struct pending_call {
    std::int64_t at = 0;
    std::uint64_t order = 0;
    std::function<void()> what;
  };

  [[nodiscard]] std::int64_t latency(int late);
  void expire(order& of);
  [[nodiscard]] lifecycle::event recorded(const order& of, lifecycle::event_kind kind) const;
  [[nodiscard]] lifecycle::event answer_of(const slot& in, int generation, const std::string& key);
  void issue(const std::string& context, int generation);
  void check_alive(const std::string& context);

  std::vector<pending_call> calls_;
  std::uint64_t ordered_ = 0;
  std::uint64_t digests_ = 0;
  bool amnesia_ = false;
  std::map<std::pair<int, std::string>, digest> sent_results_;
  std::map<std::pair<int, std::string>, std::string> sent_keys_;
  std::map<std::string, std::string> key_owners_;
  std::set<std::pair<int, std::string>> may_send_other_bytes_;
  std::set<digest> rejected_;
};

} // namespace pfx::simulation
