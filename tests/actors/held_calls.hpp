// Calls that take as long as a test likes, on a clock moved by hand: the other side holds them.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/actors/harness.hpp"

namespace pfx::test {

/// Runs each call in a thread of its own, and one thing at a time: whoever posts a call or lets one
/// go on waits until it has ended or is held. So everything else stays deterministic.
class held_calls final : public actors::tasks::executor {
public:
  held_calls(std::size_t threads_max, const fake_clock& time)
      : threads_max_(threads_max), time_(time) {}
  ~held_calls() override { let_go(0); }
  held_calls(const held_calls&) = delete;

  bool post(actors::tasks::job work) override {
    waiting_.push_back(std::move(work));
    begin();
    return true;
  }

  /// For the other side, in the middle of a call: returns when the test lets it go on.
  void hold() {
    std::unique_lock lock(mutex_);
    auto& mine = *current_;
    mine.held_since = time_.now;
    mine.turn = false;
    changed_.notify_all();
    changed_.wait(lock, [&] { return mine.turn; });
  }

  /// Lets every call go on that has been held for so long.
  void let_go(std::int64_t held_for_ms) {
    for (std::size_t i = 0; i < running_.size();) {
      auto& one = *running_[i];
      if (one.held_since + held_for_ms > time_.now) {
        ++i;
        continue;
      }
      resume(one);
      if (one.ended) {
        running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
    begin();
  }

  [[nodiscard]] std::size_t held() const { return running_.size(); }

private:
  struct call {
    bool turn = false;
    bool ended = false;
    std::int64_t held_since = 0;
    std::jthread thread;
  };

  void begin() {
    while (!waiting_.empty() && running_.size() < threads_max_) {
      auto one = std::make_unique<call>();
      one->thread = std::jthread([this, &mine = *one, work = std::move(waiting_.front())] {
        current_ = &mine;
        {
          std::unique_lock lock(mutex_);
          changed_.wait(lock, [&] { return mine.turn; });
        }
        work();
        const std::lock_guard lock(mutex_);
        mine.turn = false;
        mine.ended = true;
        changed_.notify_all();
      });
      waiting_.pop_front();
      resume(*one);
      if (!one->ended) {
        running_.push_back(std::move(one));
      }
    }
  }

  void resume(call& one) {
    std::unique_lock lock(mutex_);
    one.turn = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !one.turn; });
  }

  inline static thread_local call* current_ = nullptr;
  std::size_t threads_max_;
  const fake_clock& time_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<actors::tasks::job> waiting_;
  std::vector<std::unique_ptr<call>> running_;
};

} // namespace pfx::test
