// The PFX request service of a bench: hands out bodies that were made before the clock started and
// notes when a result arrives. Looks at no result: that is done when the clock has stopped. It
// holds a download open until there is something to hand out, so that no poll interval is measured.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/world.hpp"
#include "connect/http/server.hpp"
#include "connect/service/messages.hpp"

namespace pfx::bench {

using steady = std::chrono::steady_clock;

/// One prepared request and what came of it.
struct parcel {
  std::uint64_t index = 0; ///< of the order
  std::string context;
  std::string text; ///< a JSON object of a download
  std::uint64_t lease_number = 1;
  connect::service::recorded stands; ///< present before the start for a re-delivery
  bool known = false;                ///< a re-delivery: an answer without a document is awaited
  steady::time_point handed_out{};
  steady::time_point ended{};
  unix_ms recorded_at = 0;
  bytes document;
};

/// A stretch of time in which requests are handed out.
struct phase {
  std::size_t count = 0;         ///< requests at most
  double seconds = 0;            ///< nothing is handed out later
  std::size_t in_flight_max = 0; ///< handed out and not ended
  double per_second = 0;         ///< becoming available; 0 = all at once
};

struct phase_report {
  std::size_t ended = 0;
  double seconds = 0; ///< from the beginning to the last end
  double p50_ms = 0;  ///< hand-out to end
  double p99_ms = 0;
  std::size_t downloads = 0, uploads = 0;
  bool complete = false; ///< all that was handed out has ended
};

/// Thread-safe.
class desk {
public:
  explicit desk(world& around, connect::http::handler ca) : world_(around), ca_(std::move(ca)) {}

  [[nodiscard]] connect::http::server_response handle(const connect::http::server_request& in);

  /// False if no connector asked for requests within `patience`.
  [[nodiscard]] bool await_connector(std::chrono::seconds patience);
  void load(std::vector<parcel> prepared);
  /// Hands out from the first parcel that was not yet; returns when all have ended or nothing ended
  /// for `patience`.
  [[nodiscard]] phase_report run(const phase& what, std::chrono::seconds patience);
  /// For when nothing runs any more.
  [[nodiscard]] const std::vector<parcel>& parcels() const noexcept { return parcels_; }

private:
  using response = connect::http::server_response;
  response call(const std::string& name, const std::string& body);
  response check_in(const std::string& body);
  response download(const std::string& body);
  response renew_leases(const std::string& body);
  response upload(const std::string& body);
  response query(const std::string& body);
  response import_keys(const std::string& body);
  [[nodiscard]] std::size_t available(steady::time_point now) const;
  connect::service::upload_answer accept(const connect::service::upload_entry& entry,
                                         const digest& thumbprint, bool succeeded,
                                         steady::time_point now);
  [[nodiscard]] phase_report report() const;

  world& world_;
  connect::http::handler ca_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<parcel> parcels_;
  std::unordered_map<std::string, std::size_t> by_context_;
  bool connector_waits_ = false;
  phase now_{};
  std::size_t first_ = 0; ///< of the phase
  std::size_t next_ = 0;
  std::size_t ended_ = 0; ///< of the phase
  steady::time_point began_{};
  steady::time_point last_end_{};
  std::size_t downloads_ = 0, uploads_ = 0;
};

} // namespace pfx::bench
