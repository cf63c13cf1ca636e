// The revocation queue of the sandbox's tenant, with the manners of the real one: what was handed
// out is kept back for a while, a filter is applied after the batch was cut, and what was not
// reported comes again. Pure: time is passed in, nothing is written.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"

namespace pfx::sandbox {

struct queue_options {
  std::int64_t cool_down_ms = 3'600'000;
  /// After each download nothing at all is handed out for that long, instead of only what was
  /// handed out. The published page can be read either way.
  bool whole_queue_cools = false;
  double redeliver_share = 0; ///< of the recorded ones, handed out once more
  std::uint64_t seed = 1;
};

struct queued_order {
  std::string context;
  std::string serial_number;
  std::optional<std::string> issuer_name;
  std::optional<std::string> ca_configuration;
};

struct handed_order {
  const queued_order* order = nullptr;
  std::uint64_t hand_out = 0; ///< from 1
  bool redelivery = false;    ///< although it was recorded
};

struct order_report {
  std::string context;
  bool succeeded = false;
  service_code code = service_code::none;
  std::string message;
};

enum class report_end : std::uint8_t {
  recorded = 1,
  again,     ///< the same as was recorded
  otherwise, ///< another than was recorded, which stands
  sent_back, ///< a failure that calls itself retryable: the order comes again
};
[[nodiscard]] std::string_view name_of(report_end value) noexcept;

struct queue_counts {
  std::uint64_t orders = 0, handed_out = 0, hand_outs = 0, recorded = 0, open = 0;
  std::uint64_t redelivered = 0, acknowledged = 0, redelivery_open = 0;
};

/// Not thread-safe.
class revocation_queue {
public:
  explicit revocation_queue(queue_options options) : options_(options) {}

  /// false if the context is there already.
  bool add(queued_order what);
  /// The oldest first: `most` of them are looked at, and those that fit `filter` are handed out. It
  /// fits if it is the order's caConfiguration or, where that is missing, its issuerName.
  [[nodiscard]] std::vector<handed_order> download(std::size_t most,
                                                   const std::optional<std::string>& filter,
                                                   boot_ms now);
  /// One end for each, or nothing: a context is unknown, and nothing was recorded.
  [[nodiscard]] std::optional<std::vector<report_end>> upload(
    const std::vector<order_report>& reports, boot_ms now);
  /// What was handed out and is kept back may be handed out again.
  void forget_cool_down();
  [[nodiscard]] const queue_counts& counts() const noexcept { return counts_; }

private:
  struct standing {
    queued_order order;
    std::uint64_t hand_outs = 0;
    boot_ms cool_until = 0;
    std::optional<order_report> stands;
    bool redeliver = false; ///< chosen to be handed out once more
    bool redelivered = false;
  };
  report_end take(std::size_t at, const order_report& report, boot_ms now);

  queue_options options_;
  std::vector<standing> standings_;
  std::unordered_map<std::string, std::size_t> by_context_;
  std::set<std::size_t> open_; ///< what has to be handed out, oldest first
  boot_ms cool_until_ = 0;     ///< of the whole queue
  queue_counts counts_;
};

} // namespace pfx::sandbox
