// What an engine consists of, and what its two source files share. Private to engine/.
#pragma once

#include <atomic>

#include "actors/system.hpp"
#include "engine/assembly.hpp"

namespace pfx::engine {

struct engine::state {
  std::unique_ptr<assembly> parts;
  std::unique_ptr<actors::actor_host> host; // goes first
  unix_ms started_at = 0;
  std::atomic<bool> stopped{false}; ///< or stopping: questions may come from any thread
};

namespace detail {
[[nodiscard]] order_summary summary_of(const revocation_order& from);
[[nodiscard]] request_summary summary_of(const order_summary& from);
/// Octets of one in a list, before it is JSON; a little more than they are.
[[nodiscard]] std::size_t size_of(const request_summary& one);
[[nodiscard]] std::size_t size_of(const order_summary& one);
/// Collects summaries for one answer, until the number or the octets are enough.
template <class Summary>
struct pager {
  /// Of one list, before it is JSON, which at most doubles it: the control client reads 8 MiB.
  static constexpr std::size_t bytes_max = 3u << 20;

  explicit pager(std::size_t count_max) : count_max_(count_max) {}
  /// False if this one had no place: `more` says so.
  [[nodiscard]] bool add(Summary next) {
    size_ += size_of(next);
    more = values.size() >= count_max_ || size_ > bytes_max;
    if (!more) {
      values.push_back(std::move(next));
    }
    return !more;
  }

  std::vector<Summary> values;
  bool more = false;

private:
  std::size_t count_max_;
  std::size_t size_ = 0;
};
[[nodiscard]] result<request_timeline> show_order(const assembly& parts,
                                                  const std::string& context);
} // namespace detail

} // namespace pfx::engine
