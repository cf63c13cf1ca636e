// The updater's work, one short step at a time: a look at the feed, or one part of a download, or
// the word that a staged version is wanted. Blocking; run on the io executor, one step at once.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "release/updater.hpp"

namespace pfx::actors::tasks {

/// Opens a feed anew; a feed that cannot be reached must not keep the engine from starting.
using feed_opener = std::function<result<std::unique_ptr<release::feed>>()>;

struct update_plan {
  release::update_settings settings;
  feed_opener open_feed;
  std::int64_t check_interval_ms = 21'600'000;
};

/// What a step came to.
struct update_step {
  std::int64_t wait_ms = 0; ///< until the next one
  bool failed = false;
  std::uint16_t event = 0; ///< of `text`; 0: nothing to tell
  std::string text;
  std::string notice; ///< for status, until it is over
};

/// Numbered events, 7000 family.
namespace update_event {
inline constexpr std::uint16_t found = 7001, staged = 7002, wanted = 7003;
inline constexpr std::uint16_t failed = 7101;
} // namespace update_event

class update_work {
public:
  explicit update_work(update_plan plan) : plan_(std::move(plan)) {}
  [[nodiscard]] update_step step(unix_ms now) noexcept;
  /// Ends the step that goes on, between two documents at the latest, and every later one; from any
  /// thread.
  void cancel() noexcept;

private:
  [[nodiscard]] update_step look(unix_ms now);
  [[nodiscard]] update_step fetch(unix_ms now);
  [[nodiscard]] update_step ask(unix_ms now);
  [[nodiscard]] update_step fault(const error& what);
  void use(std::unique_ptr<release::feed> from);
  [[nodiscard]] bool cancelled() const;

  update_plan plan_;
  std::optional<release::updater> updater_;
  mutable std::mutex mutex_; ///< guards cancelled_, and which feed feed_ is
  bool cancelled_ = false;
  std::unique_ptr<release::feed> feed_;   ///< changed by steps only, under the mutex
  std::optional<release::offer> at_work_; ///< taken; to be staged, or staged and to be asked for
  unix_ms look_at_ = 0;
  std::uint32_t failures_ = 0; ///< in a row
  std::string told_;           ///< the last sentence; the same again is no event
};

} // namespace pfx::actors::tasks
