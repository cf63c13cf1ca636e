// Plain threads for what must not run inside an actor: calls that block and work that takes long.
// Bounded queue; a job that does not fit is refused, never dropped silently. No CAF here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace pfx::actors::tasks {

using job = std::function<void()>;

class executor {
public:
  virtual ~executor() = default;
  /// False if the queue is full or the executor stops; then the job will never run.
  [[nodiscard]] virtual bool post(job work) = 0;
  /// Takes no more jobs, finishes the running ones, drops the waiting ones; returns when no thread
  /// is left. The object stays valid, so that a late post() is refused.
  virtual void stop() {}
};

enum class pool_priority : std::uint8_t { normal = 0, background };

/// `threads` named threads; at most `jobs_max` waiting. Destruction finishes running jobs and drops
/// waiting ones. Threads in the background have a tenth of the weight of the others (nice 10).
[[nodiscard]] std::unique_ptr<executor> make_thread_pool(const std::string& name,
                                                         std::size_t threads, std::size_t jobs_max,
                                                         pool_priority priority
                                                         = pool_priority::normal);

/// Runs each job at once in the caller: for deterministic tests.
[[nodiscard]] std::unique_ptr<executor> make_inline_executor();

} // namespace pfx::actors::tasks
