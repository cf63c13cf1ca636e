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
[[nodiscard]] request_summary summary_of(const order_summary& from);
/// Collects orders for one answer, until the number or the octets are enough.
struct order_pager {
  explicit order_pager(std::size_t count_max) : count_max_(count_max) {}
  /// False if this one had no place: `page.more` says so.
  [[nodiscard]] bool add(const revocation_order& one);

  order_page page;

private:
  std::size_t count_max_;
  std::size_t size_ = 0;
};
[[nodiscard]] result<request_timeline> show_order(const assembly& parts,
                                                  const std::string& context);
} // namespace detail

} // namespace pfx::engine
