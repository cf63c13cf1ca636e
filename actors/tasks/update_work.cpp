// What is under way is known from the files, so that every restart goes on.
#include "actors/tasks/update_work.hpp"

#include <algorithm>
#include <exception>

namespace pfx::actors::tasks {

namespace {

constexpr std::int64_t retry_base_ms = 30'000;
constexpr std::int64_t retry_max_ms = 3'600'000;
constexpr std::int64_t locked_ms = 1'000;       ///< while an operator's command has the updates
constexpr std::int64_t window_look_ms = 60'000; ///< between two looks at whether a window is open

} // namespace

void update_work::cancel() noexcept {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (feed_)
    feed_->cancel();
}

bool update_work::cancelled() const {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

void update_work::use(std::unique_ptr<release::feed> from) {
  const std::lock_guard lock(mutex_);
  feed_ = std::move(from);
  if (cancelled_ && feed_)
    feed_->cancel();
}

update_step update_work::fault(const error& what) {
  update_step out;
  // Neither a failure of the feed nor news: we are to end, or another one is at work.
  out.wait_ms = what.code == errc::store_locked ? locked_ms : retry_max_ms;
  if (what.code == errc::store_locked || what.code == errc::stopping)
    return out;
  use(nullptr);
  out.failed = true;
  out.wait_ms = std::min(retry_max_ms, retry_base_ms << std::min(failures_++, 12U));
  const auto text = "no update: " + to_string(what);
  if (text != told_) {
    out.event = update_event::failed;
    out.text = told_ = text;
  }
  // A feed that is away for a moment is no matter for an administrator; one that lies is.
  const bool lies = what.code == errc::crypto || what.code == errc::policy
    || what.code == errc::conflict || what.code == errc::bad_input || what.code == errc::corrupt;
  if (lies || failures_ > 3)
    out.notice = text;
  return out;
}

update_step update_work::step(unix_ms now) noexcept {
  try {
    if (cancelled())
      return fault({errc::stopping, "", "cancelled"});
    if (!updater_) {
      auto opened = release::updater::open(plan_.settings, now);
      if (!opened)
        return fault(opened.error());
      updater_.emplace(std::move(*opened));
    }
    if (!at_work_ || (at_work_->staged && now >= look_at_))
      return look(now);
    return at_work_->staged ? ask(now) : fetch(now);
  } catch (const std::exception& thrown) {
    return fault({errc::internal, "", std::string("exception: ") + printable(thrown.what())});
  }
}

update_step update_work::look(unix_ms now) {
  at_work_.reset();
  if (!feed_) {
    auto opened = plan_.open_feed();
    if (!opened)
      return fault(opened.error());
    use(std::move(*opened));
  }
  auto found = updater_->look(*feed_, now);
  if (!found)
    return fault(found.error());
  failures_ = 0;
  look_at_ = now + plan_.check_interval_ms;
  update_step out;
  out.wait_ms = found->taken ? 0 : plan_.check_interval_ms;
  if (found->sentence != told_) {
    out.event = update_event::found;
    out.text = told_ = found->sentence;
  }
  if (found->taken)
    at_work_.emplace(std::move(*found));
  return out;
}

update_step update_work::fetch(unix_ms now) {
  if (!feed_) {
    at_work_.reset();
    return {};
  }
  const auto done = updater_->fetch(*feed_, *at_work_, now);
  if (!done) {
    at_work_.reset(); // looked at anew: the feed may have another one by then
    return fault(done.error());
  }
  update_step out;
  if (*done == release::staging_folder::progress::done) {
    at_work_->staged = true;
    out.event = update_event::staged;
    out.text = told_ = to_string(at_work_->what.what) + " is staged";
  }
  return out;
}

update_step update_work::ask(unix_ms now) {
  update_step out;
  out.wait_ms = std::min(window_look_ms, std::max<std::int64_t>(0, look_at_ - now));
  if (!updater_->wish_is_due(*at_work_, now)) {
    if (!updater_->settings().automatic)
      out.notice = to_string(at_work_->what.what) + " is staged: pfxengine update apply";
    return out;
  }
  const auto done = updater_->want(at_work_->what.what, now);
  if (!done)
    return fault(done.error());
  out.event = update_event::wanted;
  out.text = "asked for the switch to " + to_string(at_work_->what.what);
  return out;
}

} // namespace pfx::actors::tasks
