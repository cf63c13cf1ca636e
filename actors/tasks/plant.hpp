// What the engine is built from, handed to every actor and task by reference: the store, the keys,
// the outside world, the clock and the settings. Owned by the engine; outlives all actors and
// executors.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/tasks/anchor_writer.hpp"
#include "actors/tasks/announcement.hpp"
#include "actors/tasks/audit_box.hpp"
#include "actors/tasks/executor.hpp"
#include "actors/tasks/issuance_policy.hpp"
#include "actors/tasks/notices.hpp"
#include "connect/ca/authority.hpp"
#include "connect/intune/connection.hpp"
#include "connect/service/client.hpp"
#include "core/lifecycle.hpp"
#include "core/revocation.hpp"
#include "crypto/certificate.hpp"
#include "crypto/key_store.hpp"
#include "crypto/seal.hpp"
#include "crypto/trust.hpp"
#include "storage/store.hpp"

namespace pfx::actors::tasks {

/// One configured certification authority.
struct authority_entry {
  std::unique_ptr<connect::ca::authority> calls;
  std::vector<crypto::certificate> chain_roots; ///< issued certificates must chain to one of these
};

struct plant_settings {
  std::string tenant;
  std::string connector_version;
  std::int64_t poll_interval_ms = 30'000;
  std::int64_t lease_ms = 600'000;
  std::int64_t lease_margin_ms = 5'000; ///< taken off each deadline; capped at a fifth of the lease
  std::int64_t check_in_interval_ms = 300'000;
  std::int64_t upkeep_interval_ms = 600'000; ///< a look at our own certificates and secrets
  std::size_t requests_max = 500;            ///< of one download
  std::size_t open_requests_max = 2'000;
  std::int64_t revocation_interval_ms = 3'600'000; ///< the service keeps orders back as long
  std::size_t revocations_max = 100;               ///< of one download and of one report
  std::size_t revocations_hour_max = 500;          ///< beyond it an operator is asked
  std::int64_t revocation_retry_ms = 1'000;        ///< first wait after a failed call
  std::string revocation_tenant;                   ///< of the orders; empty: `tenant`
  std::size_t crypto_workers = 2;
  std::size_t issuer_calls_max = 8;    ///< CA calls at the same time
  std::size_t upload_calls_max = 2;    ///< service calls of the uploader at the same time
  std::size_t upload_entries_max = 64; ///< of one upload
  std::int64_t result_retention_ms = 7LL * 24 * 3600 * 1000;
  std::string anchor_file;                  ///< outside the store's folder; empty: none is kept
  std::int64_t crypto_timeout_ms = 300'000; ///< for one request's work on a crypto worker
};

/// Counted since the start of the process; read by status.
struct counters {
  std::atomic<std::uint64_t> polls{0}, offers{0}, received{0}, redelivered{0}, conflicts{0};
  std::atomic<std::uint64_t> keys_used{0}; ///< connector keys, by imports
  std::atomic<std::uint64_t> keys_made{0}, submits{0}, issued{0}, prepared{0}, uploads{0};
  std::atomic<std::uint64_t> delivered{0}, failed{0}, superseded{0}, quarantined{0}, abandoned{0};
  std::atomic<std::uint64_t> surplus_found{0}, surplus_revoked{0}, commits{0};
  std::atomic<std::uint64_t> orders_received{0}, orders_redelivered{0}, orders_revoked{0};
  std::atomic<std::uint64_t> orders_failed{0}, orders_reported{0};
  std::atomic<std::int64_t> last_poll_at{0}, last_order_poll_at{0};
  /// Not counted but standing: open revocation orders, by order_state - 1
  std::array<std::atomic<std::uint64_t>, order_state_count> open_orders{};
};

/// An event for the host, as the engine's face passes it on.
struct report {
  enum class channel : std::uint8_t { admin = 1, operational, system };
  enum class level : std::uint8_t { debug, info, warning, error };
  channel on = channel::operational;
  level severity = level::info;
  std::uint16_t id = 0;
  unix_ms at = 0;
  std::string context; ///< printable
  std::string call_id;
  std::int64_t duration_ms = 0;
  std::string text;
};

/// Who we are to the service in this run; the epoch can grow at the first check-in.
class caller_identity {
public:
  void set(connect::service::caller who) {
    const std::lock_guard lock(mutex_);
    who_ = std::move(who);
  }
  [[nodiscard]] connect::service::caller current() const {
    const std::lock_guard lock(mutex_);
    return who_;
  }

private:
  mutable std::mutex mutex_;
  connect::service::caller who_;
};

/// The head of the audit chain as of the last synced batch.
class audit_anchor {
public:
  void set(connect::service::anchor at) {
    const std::lock_guard lock(mutex_);
    at_ = at;
  }
  [[nodiscard]] connect::service::anchor current() const {
    const std::lock_guard lock(mutex_);
    return at_;
  }

private:
  mutable std::mutex mutex_;
  connect::service::anchor at_;
};

class upkeep_port;
class use_limits;
class update_work;

struct plant {
  plant_settings settings;
  lifecycle::rules rules;
  storage::store* store = nullptr;
  const crypto::sealer* sealer = nullptr;
  connect::service::pfx_request_service* service = nullptr;
  connect::intune::revocation_service* revocations = nullptr; ///< null: no revocation orders
  connect::intune::connection* tenant = nullptr;              ///< null: none is configured
  std::map<std::string, authority_entry> authorities;
  crypto::recipient_gate* gate = nullptr;
  issuance_policy issuance;
  const crypto::key_store* keys = nullptr; ///< connector keys; null: no imports
  update_work* updates = nullptr;          ///< null: no updates
  use_limits* uses = nullptr;              ///< null: as often as asked
  upkeep_port* upkeep
    = nullptr; ///< our own certificates and secrets; null: nobody looks after them
  const clock* time = nullptr;
  executor* cpu = nullptr;        ///< crypto work, one thread per core
  executor* background = nullptr; ///< the slow lane: one thread with what the others leave
  executor* io = nullptr;         ///< calls to the outside
  /// What orders need of the outside: a tenant that hangs must not hold PFX requests up. Null: `io`
  executor* orders_io = nullptr;
  executor* disk = nullptr; ///< one thread: the only one that commits
  caller_identity caller;
  mutable audit_anchor anchor;
  mutable key_announcement announcement;
  mutable audit_box audit;                 ///< lines on their way to the ledger
  mutable notices attention;               ///< what status shows until it is over
  mutable anchor_writer anchor_file;       ///< the queue keeper's
  mutable counters totals;                 ///< atomics: counting changes no plant
  mutable std::atomic<bool> halted{false}; ///< set once; nothing is sent any more
  std::function<void(const report&)> tell; ///< thread-safe
  std::function<std::uint64_t()> random;   ///< for jitter; thread-safe

  [[nodiscard]] lifecycle::moment now() const { return {time->wall(), time->boot(), random()}; }
  [[nodiscard]] const std::string& order_tenant() const {
    return settings.revocation_tenant.empty() ? settings.tenant : settings.revocation_tenant;
  }
  /// The deadline of a lease that was asked for at `sent`.
  [[nodiscard]] boot_ms lease_deadline(boot_ms sent, std::int64_t granted_ms) const {
    return sent + granted_ms - std::min(settings.lease_margin_ms, granted_ms / 5);
  }
};

} // namespace pfx::actors::tasks
