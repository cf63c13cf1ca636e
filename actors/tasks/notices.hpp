// What an administrator should see to while the engine goes on: one sentence a topic, in `status`
// until it is over.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace pfx::actors::tasks {

/// Thread-safe. Topics are words of this program, so their number is small.
class notices {
public:
  /// True if the topic was not there before.
  bool set(const std::string& topic, std::string sentence) {
    const std::lock_guard lock(mutex_);
    return all_.insert_or_assign(topic, std::move(sentence)).second;
  }
  /// True if the topic was there.
  bool clear(const std::string& topic) {
    const std::lock_guard lock(mutex_);
    return all_.erase(topic) != 0;
  }
  [[nodiscard]] bool has(const std::string& topic) const {
    const std::lock_guard lock(mutex_);
    return all_.contains(topic);
  }
  [[nodiscard]] std::vector<std::string> current() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (const auto& [topic, sentence] : all_) {
      out.push_back(sentence);
    }
    return out;
  }

private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> all_;
};

} // namespace pfx::actors::tasks
