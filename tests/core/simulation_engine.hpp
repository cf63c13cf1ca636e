// One engine of the simulation: the pure lifecycle behind a store that forgets what was not
// committed, with group commit (effects are released by the commit), timers, tickets and a revoker.
// The shape of the real keeper, without its threads, bytes and actors.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/lifecycle.hpp"
#include "tests/core/simulation_world.hpp"

namespace pfx::simulation {

inline constexpr std::int64_t lease_ms = 60'000;
inline constexpr std::int64_t lease_margin_ms = 5'000;
inline const std::string tenant = "contoso";
inline const std::string authority = "Corp-CA";
[[nodiscard]] request_key key_of(const std::string& context);
[[nodiscard]] digest fingerprint_of(const std::string& context);

/// What one request has on the disk.
struct stored {
  std::optional<record> open;
  std::optional<settled_record> settled;
  std::map<blob_kind, bytes> blobs;
};

struct disk {
  std::map<std::string, stored> requests;
  std::map<digest, surplus_certificate> surplus;
};

/// Which events met which states in the runs so far.
using coverage
  = std::array<std::array<bool, record_state_count>, lifecycle::event_kind_count>;

class engine {
public:
  engine(world& around, int number, coverage* met);

  void start(bool clean);
  void crash();
  void stop_clean();
  /// Nothing happens here until then.
  void pause(std::int64_t until) { paused_until_ = until; }
  void take_backup() { backup_ = disk_; }
  /// The next start finds the last backup and knows it.
  void restore_at_next_start() { restore_ = backup_.has_value(); }
  void jump_wall(std::int64_t by_ms) { wall_skew_ = by_ms; }
  void operator_acts();

  [[nodiscard]] bool running() const { return up_; }
  /// All work is done: settled or abandoned, written, and revoked what was to be revoked.
  [[nodiscard]] bool idle() const;
  /// What holds it, for the report.
  [[nodiscard]] std::string busy_with() const;
  void check_end();

private:
  struct open_record {
    record value;
    int unwritten = 0;
    boot_ms wake = 0;
    lifecycle::action doing = lifecycle::action::none; ///< with the ticket
    std::uint64_t renewals = 0;
    bool uploaded = false;
  };
  /// One request's part of a batch.
  struct change {
    std::string context;
    record value;
    bool changed = false;
    std::vector<std::pair<blob_kind, bytes>> put_blobs;
    std::vector<blob_kind> drop_blobs;
    std::optional<settled_record> settled;
    std::vector<surplus_certificate> surplus;
  };
  struct walk_state {
    lifecycle::event found;
    std::uint8_t generation = 0;
    bool pending = false;
    std::int64_t started = 0;
  };

  [[nodiscard]] lifecycle::moment moment();
  void poll();
  void take(const hand_out& one, boot_ms lease_until);
  void reacknowledge(const hand_out& one);
  void answer_missing(const hand_out& one);
  void handle(const std::string& context, lifecycle::event what);
  void tell(const std::string& what) const;
  void tell_step(const record& before, const lifecycle::event& what,
                 const lifecycle::step_result& out) const;
  void break_before(lifecycle::event& what, const record& of) const;
  void break_after(const record& before, const lifecycle::event& what,
                   lifecycle::step_result& out) const;
  void write(const std::string& context, lifecycle::step_result&& out);
  void commit();
  void apply(change& one);
  void load();
  void reconcile();
  void pump(const std::string& context);
  void set_timer(const std::string& context, open_record& of);
  void dispatch(const std::string& context, open_record& of, lifecycle::action what);
  void renew(const std::string& context);
  void work(const std::string& context, std::uint64_t ticket);
  [[nodiscard]] lifecycle::event import(lifecycle::action doing);
  void build(const std::string& context, std::uint64_t ticket);
  void submit_or_find(const std::string& context, std::uint64_t ticket, bool submit);
  void upload(const std::string& context, open_record& of);
  void walk(const std::string& context, std::uint64_t ticket, walk_state so_far);
  void revoke();
  /// `there` is asked over the network; no answer in time is `unanswered`.
  void call(world::line over, const std::string& context, std::uint64_t ticket,
            std::function<lifecycle::event()> there, lifecycle::event unanswered);
  void answer(int life, const std::string& context, std::uint64_t ticket, lifecycle::event what);
  /// Runs `what` in this life only, and not during a pause.
  void soon(std::int64_t after_ms, std::function<void()> what);
  void in_this_life(int life, std::function<void()> what);
  [[nodiscard]] bool durable_intent(const record& of) const;

  world& world_;
  int number_;
  coverage* met_;
  lifecycle::rules rules_;
  disk disk_;
  std::optional<disk> backup_;
  bool restore_ = false;
  bool amnesic_ = false; ///< known by the anchor until a reconcile has ended
  std::map<std::string, open_record> open_;
  std::vector<change> batch_;
  bool commit_due_ = false;
  bool up_ = false;
  bool held_ = false; ///< reconciling or stopping: nothing is sent
  int life_ = 0;
  std::int64_t paused_until_ = 0;
  std::int64_t boot_skew_ = 0;
  std::int64_t wall_skew_ = 0;
  std::uint64_t tickets_ = 0;
  std::uint64_t keys_ = 0;
  std::map<std::string, std::uint64_t> highest_lease_;
  std::set<std::string> ever_settled_;
};

/// Runs one plan to its quiet end or its limit; returns what was violated, with a text.
[[nodiscard]] std::map<violation, std::string> run(const plan& of, coverage* met = nullptr,
                                                   std::vector<std::string>* story = nullptr);

} // namespace pfx::simulation
