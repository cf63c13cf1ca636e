// The management service's memory: requests, leases, results, and who the connectors are. Pure:
// time is passed in, nothing is written; each call says what the journal must hold before its
// answer leaves.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "connect/service/messages.hpp"
#include "core/support.hpp"
#include "sandbox/journal.hpp"

namespace pfx::sandbox {

namespace service = connect::service;

struct ledger_options {
  std::int64_t lease_ms_max = 600'000;
  double redeliver_share = 0.05;
  std::uint64_t seed = 1;
  double reject_share = 0;     ///< of the requests, whose first success is answered `rejected`
  double lose_lease_share = 0; ///< of the requests, whose first lease somebody else takes at once
  support::notice connectors;  ///< what check-ins hear of their version; without a word: supported
};

/// One request as the service keeps it.
struct standing {
  std::string context;
  std::uint64_t index = 0; ///< of the order
  std::size_t copies = 1;  ///< entries in its first download
  bool must_end = true;    ///< false: nobody waits for it (poison)
  bool import = false;
  std::uint64_t lease_number = 0;
  std::uint64_t hand_outs = 0;
  boot_ms lease_end = 0; ///< 0 = not leased
  std::optional<service::recorded> stands;
  std::uint32_t rejections = 0; ///< on purpose
  bool redelivery_open = false; ///< chosen to be handed out once more and not yet acknowledged
  std::uint64_t redelivery_lease = 0; ///< the number it was first handed out under once more
};

/// What the ledger has to know of a request.
struct ledger_entry {
  std::string context;
  std::uint64_t index = 0; ///< of the order
  std::size_t copies = 1;  ///< entries in its first download
  bool must_end = true;    ///< false: nobody waits for it (poison)
  bool import = false;     ///< counted as such
  bool held = false;       ///< not handed out before `release`
};

struct hand_out {
  std::string context;
  std::uint64_t index = 0;
  std::uint64_t lease_number = 0;
  std::int64_t lease_ms = 0;
  std::size_t copy = 0;
};

struct ledger_counts {
  std::uint64_t requests = 0, handed_out = 0, recorded = 0, delivered = 0, failed = 0;
  std::uint64_t imported = 0; ///< of the delivered ones
  std::uint64_t open = 0;     ///< enqueued, must end, not recorded
  std::uint64_t redelivered = 0, acknowledged = 0, redelivery_open = 0, takeovers = 0;
};

/// Not thread-safe; owned by the service, which locks around it.
class ledger {
public:
  explicit ledger(ledger_options options) : options_(options) {}

  /// false if the context is there already.
  bool enqueue(const ledger_entry& what);
  /// What was held back may be handed out from now on.
  void release();

  struct verdict {
    bool stale = false;
    std::uint64_t highest_epoch = 0;
    bool first_of_run = false; ///< the run's first call ever
  };
  /// Every call but register: the highest (epoch, runId) of the connector is kept.
  [[nodiscard]] verdict admit(const service::caller& who);
  [[nodiscard]] service::check_in_answer check_in(const service::caller& who,
                                                  const service::check_in_order& what);

  /// Re-deliveries first, then those handed out least often, then the oldest, of the kinds asked
  /// for. `copies` of one request may exceed `order.requests_max` by its last one. Lines go to
  /// `out`.
  [[nodiscard]] std::vector<hand_out> download(const service::caller& who,
                                               const service::download_order& order, boot_ms now,
                                               std::vector<line>& out);
  [[nodiscard]] bool more(const std::vector<request_kind>& kinds, boot_ms now);
  [[nodiscard]] std::vector<service::lease_answer> renew(
    const service::caller& who, std::int64_t lease_ms,
    const std::vector<service::lease_claim>& claims, boot_ms now, std::vector<line>& out);

  /// `read` is what the entry's document says, or why it is no result document; null without one.
  struct document {
    bool succeeded = false;
    digest thumbprint; ///< not present() for a failure or an import
    service_code code = service_code::none;
    std::optional<error> wrong;
  };
  [[nodiscard]] service::upload_answer upload(const service::caller& who,
                                              const service::upload_entry& entry,
                                              const document* read, boot_ms now,
                                              std::vector<line>& out);
  [[nodiscard]] service::query_answer query(const std::string& context, boot_ms now) const;
  [[nodiscard]] service::query_page handed_to(const std::string& connector,
                                              const std::string& after, std::size_t most,
                                              boot_ms now) const;

  /// Contexts of requests that are leased and not recorded.
  [[nodiscard]] std::vector<std::string> at_work(boot_ms now);
  /// Somebody else takes a request that is at work, and does nothing with it.
  void lose(const std::string& context, boot_ms now, std::vector<line>& out);
  /// Ends the lease of a request that is at work: it is handed out again.
  void offer_again(const std::string& context);

  [[nodiscard]] const standing* find(const std::string& context) const;
  [[nodiscard]] const ledger_counts& counts() const noexcept { return counts_; }

private:
  struct run {
    std::uint64_t epoch = 0;
    std::string id;
    std::set<std::string> seen;
    std::optional<service::anchor> anchor;
  };
  using place = std::size_t; ///< index into standings_

  void expire(boot_ms now);
  [[nodiscard]] bool wanted(place where, const std::vector<request_kind>& kinds) const;
  hand_out give(place where, const service::caller& who, std::int64_t lease_ms, boot_ms now,
                std::size_t copy, std::vector<line>& out);
  [[nodiscard]] bool rejects(const standing& one, const document& read) const;
  void take_away(place where, boot_ms now, std::vector<line>& out);
  void record(place where, const service::caller& who, const service::upload_entry& entry,
              const document& read);
  void unqueue(place where);
  service::query_answer answer_of(const standing& one, boot_ms now) const;

  ledger_options options_;
  std::vector<standing> standings_;
  std::unordered_map<std::string, place> by_context_;
  std::set<std::pair<std::uint64_t, place>> ready_; ///< (hand-outs, place)
  std::vector<place> held_;
  std::deque<place> redeliveries_;
  std::multimap<boot_ms, place> leases_; ///< by end; stale entries are skipped
  std::map<std::string, std::set<std::string>> handed_;
  std::map<std::string, run> runs_;
  ledger_counts counts_;
};

} // namespace pfx::sandbox
