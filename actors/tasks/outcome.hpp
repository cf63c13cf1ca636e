// What goes to the stages and what comes back: plain values, shared by pointer between actors.
#pragma once

#include <memory>
#include <vector>

#include "core/lifecycle.hpp"

namespace pfx::actors::tasks {

/// Who does an action. Each stage grants the queue keeper credit for what it can take.
enum class stage : std::uint8_t { processor = 0, issuer, uploader, slow_lane };
inline constexpr std::size_t stage_count = 4;
[[nodiscard]] stage stage_of(lifecycle::action what) noexcept;

/// One action on one record, as it was durable when it was handed out.
struct task {
  std::uint64_t ticket = 0;
  lifecycle::action what = lifecycle::action::none;
  std::shared_ptr<const record> of;
};

struct outcome {
  request_key key;
  std::uint64_t ticket = 0;
  lifecycle::action what = lifecycle::action::none;
  lifecycle::event event;
  /// Set if the fault concerns us and not the request: the engine halts.
  errc halt = errc::none;
};

/// The answer when nothing is known of what became of a task.
[[nodiscard]] lifecycle::event lost_answer(lifecycle::action what, std::string why);

} // namespace pfx::actors::tasks
