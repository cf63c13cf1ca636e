// pfxengine as a library: start an engine in your process, watch it, stop it. No type of a third
// party appears here. The engine installs no signal handlers, writes nothing to stdout or stderr,
// and never calls exit(); a disk that fills to the last byte can still abort the process
// (docs/embedding.md).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/audit.hpp"
#include "engine/configuration.hpp"

namespace pfx::engine {

enum class health : std::uint8_t { starting = 1, running, paused, halted, stopping, stopped };
[[nodiscard]] std::string_view name_of(health value) noexcept;

/// Why an engine halted; `app` makes exit codes of it.
enum class halt_reason : std::uint8_t {
  none = 0,
  stale_epoch,
  amnesia,
  store_failed,
  internal,
  unauthorized
};
[[nodiscard]] std::string_view name_of(halt_reason value) noexcept;

struct counters {
  std::uint64_t polls = 0, offers = 0, received = 0, redelivered = 0, conflicts = 0;
  std::uint64_t keys_used = 0; ///< connector keys, by imports
  std::uint64_t keys_made = 0, submits = 0, issued = 0, prepared = 0, uploads = 0;
  std::uint64_t delivered = 0, failed = 0, superseded = 0, quarantined = 0, abandoned = 0;
  std::uint64_t surplus_found = 0, surplus_revoked = 0, commits = 0;
  std::uint64_t orders_received = 0, orders_redelivered = 0, orders_revoked = 0;
  std::uint64_t orders_failed = 0, orders_reported = 0;
};

struct status {
  health state = health::starting;
  halt_reason halted_by = halt_reason::none;
  std::string message; ///< a sentence: why paused, halted, …
  std::string version;
  std::string connector_id;
  std::uint64_t epoch = 0;
  std::string lifecycle; ///< of this version, from the service: supported | warning | error
  std::uint64_t open_requests = 0;
  std::vector<std::pair<std::string, std::uint64_t>> open_by_state;
  bool takes_orders = false; ///< revocation orders of a tenant
  std::vector<std::pair<std::string, std::uint64_t>> orders_by_state; ///< open ones
  counters totals; ///< since the start of this process
  unix_ms started_at = 0;
  unix_ms last_poll_at = 0;       ///< 0 = none yet
  unix_ms last_order_poll_at = 0; ///< the last one that was answered; 0 = none yet
  bool store_poisoned = false;
  bool below_free_space_floor = false;
  std::uint64_t free_bytes = 0;
  bool secrets_locked = true;
  /// What an administrator should see to while the engine goes on, a sentence each.
  std::vector<std::string> attention;
  std::string master_key_id; ///< names the key without telling it; hexadecimal
};
[[nodiscard]] std::string to_json(const status& value);

enum class event_channel : std::uint8_t { admin = 1, operational, system };
struct event {
  event_channel channel = event_channel::operational;
  std::uint16_t id = 0; ///< numbered families, docs/lifecycle.md
  std::string level;    ///< debug | info | warning | error
  unix_ms at = 0;
  std::string request_context; ///< printable; empty if it concerns no request
  std::string call_id;         ///< client-request-id of the call, if one was made
  std::int64_t duration_ms = 0;
  std::string text; ///< no secret in it, control characters made visible
};
/// Called from threads of the engine, one at a time; must not block for long and must not throw.
using event_sink = std::function<void(const event&)>;

struct request_summary {
  std::string context, state, kind, reason;
  std::uint32_t attempts = 0;
  std::uint64_t lease_number = 0;
  unix_ms received_at = 0, expires_at = 0, settled_at = 0;
  std::string outcome; ///< settled ones: delivered | superseded | failed
};
/// A revocation order of the tenant.
struct order_summary {
  std::string context;
  std::string state;         ///< received | held | revoking | answered | reported
  std::string serial_number; ///< as the service gave it
  std::string issuer;        ///< as the service gave it; may be empty
  std::string authority;     ///< the CA whose certificate it is, once that is known
  std::string certificate;   ///< its serial number there: lower-case hex
  std::string outcome;       ///< empty | revoked | the service's word for the failure
  std::string reason;        ///< of a failure, or why it is held
  std::string crl_number;    ///< of the first list with it, if the CA told
  std::uint32_t attempts = 0, hand_outs = 0;
  unix_ms received_at = 0, answered_at = 0;
};
/// Some of them; `more`: the number, or the octets of an answer, did not let in all.
struct request_page {
  std::vector<request_summary> requests;
  bool more = false;
};
struct order_page {
  std::vector<order_summary> orders;
  bool more = false;
};
struct request_timeline {
  request_summary summary;
  struct line {
    unix_ms at;
    std::uint16_t event;
    std::string state, call_id, text;
    std::int64_t duration_ms;
  };
  std::vector<line> lines;
};

/// Owner of everything that runs. One per data directory.
class engine {
public:
  /// Opens the store, checks in, starts polling. Returns after the store is open and the actors
  /// run; the first check-in happens behind (see status). Errors name the field or path.
  [[nodiscard]] static result<std::unique_ptr<engine>> start(configuration settings,
                                                             event_sink sink);
  /// Stops within two seconds if stop() was not called.
  /// Lets a connector start again that had halted for good, because another process lived under
  /// its name: an operator's word that this is the one to go on. Everything is asked about first.
  /// Says what the halt was; errc::not_found if there was none.
  [[nodiscard]] static result<std::string> resume(const configuration& settings);
  ~engine();
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  /// No new work; what runs is finished or parked; the store is flushed and closed clean.
  /// errc::stopping if the deadline passed first (everything acknowledged is durable all the same).
  [[nodiscard]] result<void> stop(std::chrono::milliseconds deadline);
  [[nodiscard]] status current() const;
  /// Waits until the engine halted by itself or `patience` passed; true if it halted.
  [[nodiscard]] bool wait_halted(std::chrono::milliseconds patience) const;

  /// `state` empty = all open ones; at most `count_max`, oldest first. Settled ones with state
  /// "settled".
  /// `flow`: "pfx" (also if empty) or "revocation", whose states are those of order_summary.
  [[nodiscard]] result<request_page> requests(const std::string& state, std::size_t count_max,
                                              const std::string& flow = {}) const;
  /// With an empty `flow` the PFX request is meant, or, if there is none, the revocation order.
  [[nodiscard]] result<request_timeline> show(const std::string& context,
                                              const std::string& flow = {}) const;
  /// Revocation orders, oldest first; `state` empty = all open ones.
  [[nodiscard]] result<order_page> revocations(const std::string& state,
                                               std::size_t count_max) const;
  /// An operator's word on an order that is held: carry it out, or refuse it. To be refused, it may
  /// also wait for a CA that is not configured and was never asked. errc::not_found,
  /// errc::conflict (neither). Durable, with its line of the audit, when it returns.
  [[nodiscard]] result<void> approve_revocation(const std::string& context);
  [[nodiscard]] result<void> reject_revocation(const std::string& context);
  /// Releases a quarantined request for one more round of attempts. errc::not_found, errc::conflict
  /// (not quarantined).
  [[nodiscard]] result<void> retry(const std::string& context);
  /// Ends a quarantined request with a failure.
  [[nodiscard]] result<void> give_up(const std::string& context);
  /// A line for the audit chain (numbers: docs/lifecycle.md, Events); durable when it returns. The
  /// text is for people and holds no secret.
  [[nodiscard]] result<void> note_audit(std::uint16_t event, const std::string& text);
  /// The newest `last` lines of the audit chain; all of it is verified.
  [[nodiscard]] result<audit_excerpt> audit(std::size_t last) const;

private:
  struct state;
  explicit engine(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

} // namespace pfx::engine
