// Takes jobs, judges, journals what was found.
#include "sandbox/judge_line.hpp"

#include "sandbox/sandbox.hpp"

namespace pfx::sandbox {

judge_line::judge_line(judge_line_options options) : options_(std::move(options)) {
  thread_ = std::thread([this] { run(); });
}

judge_line::~judge_line() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void judge_line::push(judge_job job) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return waiting_.size() < options_.waiting_max || stopping_; });
  waiting_.push_back(std::move(job));
  changed_.notify_all();
}

void judge_line::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return (waiting_.empty() && !busy_) || stopping_; });
}

bool judge_line::idle() const {
  const std::scoped_lock lock(mutex_);
  return waiting_.empty() && !busy_;
}

judge_line::counts judge_line::so_far() const {
  const std::scoped_lock lock(mutex_);
  return counts_;
}

void judge_line::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return !waiting_.empty() || stopping_; });
    if (stopping_) {
      return;
    }
    const auto job = std::move(waiting_.front());
    waiting_.pop_front();
    busy_ = true;
    lock.unlock();
    judge_one(job);
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

void judge_line::judge_one(const judge_job& job) {
  const auto ordered = options_.order_of(job.index);
  const auto found = judge_result(options_.judge, ordered, job.delivered, job.recorded_at);
  for (const auto& fault : found.faults) {
    options_.log.append(line("fault").text("context", ordered.context).text("text", fault));
  }
  options_.log.append(line("judged")
                        .text("context", ordered.context)
                        .flag("as_expected", found.as_expected)
                        .text("public_key", found.public_key));
  if (options_.keep && job.delivered.succeeded) {
    options_.keep(ordered, job.delivered);
  }
  const std::scoped_lock lock(mutex_);
  ++counts_.judged;
  counts_.as_expected += found.as_expected ? 1 : 0;
  counts_.expected_failures += found.as_expected && !job.delivered.succeeded ? 1 : 0;
  counts_.faults += found.faults.size();
  for (const auto& fault : found.faults) {
    if (counts_.first_faults.size() < summary::faults_max) {
      counts_.first_faults.push_back(printable(ordered.context) + ": " + fault);
    }
  }
}

} // namespace pfx::sandbox
