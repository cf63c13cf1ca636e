// A bounded pool of plain threads, and its inline twin for tests.
#include "actors/tasks/executor.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

namespace pfx::actors::tasks {

namespace {

/// A tenth of the weight of the others: near nothing to them, and still alive on a busy machine.
constexpr int background_nice = 10;

/// Linux keeps nice values per thread, whatever POSIX says (setpriority(2), Bugs).
void step_back() noexcept {
  static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), background_nice));
}

class thread_pool final : public executor {
public:
  thread_pool(const std::string& name, std::size_t threads, std::size_t jobs_max,
              pool_priority priority)
      : jobs_max_(jobs_max) {
    for (std::size_t i = 0; i < threads; ++i) {
      threads_.emplace_back([this, priority](std::stop_token stop) {
        if (priority == pool_priority::background) {
          step_back();
        }
        run(std::move(stop));
      });
      ::pthread_setname_np(threads_.back().native_handle(), name.substr(0, 15).c_str());
    }
  }

  ~thread_pool() override { thread_pool::stop(); }

  void stop() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    for (auto& thread : threads_) {
      thread.request_stop();
    }
    wake_.notify_all();
    threads_.clear(); // joins
    std::deque<job> dropped;
    const std::lock_guard lock(mutex_);
    dropped.swap(waiting_);
  }

  bool post(job work) override {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || waiting_.size() >= jobs_max_) {
        return false;
      }
      waiting_.push_back(std::move(work));
    }
    wake_.notify_one();
    return true;
  }

private:
  void run(std::stop_token stop) {
    while (!stop.stop_requested()) {
      job next;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, stop, [this] { return !waiting_.empty(); });
        if (stop.stop_requested()) {
          return;
        }
        next = std::move(waiting_.front());
        waiting_.pop_front();
      }
      next();
    }
  }

  const std::size_t jobs_max_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<job> waiting_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_; // last: joined before the rest goes
};

class inline_executor final : public executor {
public:
  bool post(job work) override {
    work();
    return true;
  }
};

} // namespace

std::unique_ptr<executor> make_thread_pool(const std::string& name, std::size_t threads,
                                           std::size_t jobs_max, pool_priority priority) {
  return std::make_unique<thread_pool>(name, threads, jobs_max, priority);
}

std::unique_ptr<executor> make_inline_executor() { return std::make_unique<inline_executor>(); }

} // namespace pfx::actors::tasks
