// The actor system behind a face without CAF: what the engine starts, asks and stops.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/tasks/audit.hpp"
#include "actors/tasks/plant.hpp"

namespace pfx::actors {

enum class running_phase : std::uint8_t { starting, running, halted, stopping, stopped };

/// How the whole stands, as of the last answer of the queue keeper.
struct standing {
  running_phase phase = running_phase::starting;
  errc halted_by = errc::none;
  std::string why;
  std::string lifecycle;
  std::map<record_state, std::uint64_t> by_state;
  bool paused = false;
  bool poisoned = false;
};

/// Owns the actors and the executors that `p` points to; `p` must outlive it.
class actor_host {
public:
  actor_host(tasks::plant& p, bool unclean_start, std::size_t io_threads);
  ~actor_host();

  /// Waits at most `patience` for a quiet end; true if nothing was left in flight.
  [[nodiscard]] bool stop(std::chrono::milliseconds patience);
  [[nodiscard]] standing current() const;
  [[nodiscard]] bool wait_halted(std::chrono::milliseconds patience) const;
  [[nodiscard]] result<void> operator_word(const request_key& key,
                                           lifecycle::event_kind word) const;
  /// A line for the audit; durable when it returns.
  [[nodiscard]] result<void> note(const tasks::audit_note& what) const;
  /// A word on a revocation order that is held: approved or rejected. Durable when it returns.
  [[nodiscard]] result<void> order_word(const request_key& key, revocation::event_kind word) const;
  /// Open revocation orders, in the order of their arrival.
  [[nodiscard]] result<std::vector<revocation_order>> orders(std::size_t count_max,
                                                             std::optional<order_state> wanted
                                                             = std::nullopt) const;
  [[nodiscard]] result<std::vector<record>> list(std::optional<record_state> state,
                                                 std::size_t count_max) const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace pfx::actors
