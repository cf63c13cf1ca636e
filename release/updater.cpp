// Each step leaves files from which the next run goes on.
#include "release/updater.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "core/release_text.hpp"
#include "crypto/release.hpp"
#include "release/files.hpp"

namespace pfx::release {

namespace {

constexpr std::size_t small_file_bytes_max = 128;
constexpr std::size_t history_bytes_max = 64u << 10;
constexpr int day_minutes = 24 * 60;

std::string pin_path(const std::string& directory) { return directory + "/pin"; }
std::string history_path(const std::string& directory) { return directory + "/history"; }

/// A small file of one line; empty if it is not there.
result<std::string> read_line(const std::string& path) {
  auto text = detail::read_file(path, small_file_bytes_max);
  if (!text && text.error().code == errc::not_found)
    return std::string();
  if (text && text->ends_with('\n'))
    text->pop_back();
  return text;
}

result<detail::descriptor> lock(const update_settings& of) {
  return detail::lock_file(lock_path(of.directory), of.lock_wait_ms);
}

/// When a switch was asked for last: "0.2.0 <how often> <milliseconds>".
struct wish {
  version what;
  std::uint32_t times = 1;
  unix_ms at = 0;
};
constexpr std::uint32_t wishes_counted_max = 99;

std::string asked_path(const std::string& directory) { return directory + "/asked"; }

/// Nothing if it is not known: then it is asked for once more.
std::optional<wish> last_wish(const std::string& directory) {
  constexpr auto forever = std::numeric_limits<std::int64_t>::max();
  const auto text = read_line(asked_path(directory)).value_or(std::string());
  const auto first = text.find(' ');
  const auto second = text.find(' ', first == std::string::npos ? first : first + 1);
  if (second == std::string::npos)
    return std::nullopt;
  const std::string_view all = text;
  const auto what = version_from(all.substr(0, first));
  const auto times
    = release::detail::whole_number(all.substr(first + 1, second - first - 1), wishes_counted_max);
  const auto at = release::detail::whole_number(all.substr(second + 1), forever);
  if (!what || !times || !at)
    return std::nullopt;
  return wish{*what, static_cast<std::uint32_t>(*times), static_cast<unix_ms>(*at)};
}

std::int64_t pause_after(const wish& last) {
  constexpr std::uint32_t doublings_max = 10;
  const auto doublings = std::min(std::max(last.times, 1U) - 1, doublings_max);
  return std::min(wish_again_max_ms, wish_again_ms << doublings);
}

std::optional<int> minutes_of(std::string_view text) {
  const auto digit = [&text](std::size_t at) { return text[at] - '0'; };
  if (text.size() != 5 || text[2] != ':')
    return std::nullopt;
  for (const std::size_t at : {0U, 1U, 3U, 4U})
    if (text[at] < '0' || text[at] > '9')
      return std::nullopt;
  const int hour = digit(0) * 10 + digit(1);
  const int minute = digit(3) * 10 + digit(4);
  if (hour > 23 || minute > 59)
    return std::nullopt;
  return hour * 60 + minute;
}

std::optional<std::uint8_t> days_of(std::string_view text) {
  constexpr std::array<std::string_view, 7> names
    = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  std::uint8_t out = 0;
  while (true) {
    const auto comma = text.find(',');
    const auto* const found = std::find(names.begin(), names.end(), text.substr(0, comma));
    if (found == names.end())
      return std::nullopt;
    out = static_cast<std::uint8_t>(out | 1u << (found - names.begin()));
    if (comma == std::string_view::npos)
      return out;
    text.remove_prefix(comma + 1);
  }
}

} // namespace

// -- what an operator says ------

result<std::string> pin_from(std::string_view text) {
  std::string whole(text);
  const auto dots = std::count(text.begin(), text.end(), '.');
  for (auto at = dots; at < 2; ++at)
    whole += ".0";
  if (!text.empty() && !version_from(whole))
    return failure(errc::bad_input, "pin", "must be a version or its beginning: 1, 1.2 or 1.2.3");
  return std::string(text);
}

bool fits_pin(const version& what, std::string_view pin) {
  return pin.empty() || (to_string(what) + ".").starts_with(std::string(pin) + ".");
}

result<window> window::from(std::string_view text) {
  window out;
  if (text.empty())
    return out;
  const auto bad = [] {
    return failure(errc::bad_input, "window",
                   "must look like \"02:00-04:00\" or \"sat,sun 22:00-04:00\" (UTC)");
  };
  if (const auto blank = text.find(' '); blank != std::string_view::npos) {
    const auto days = days_of(text.substr(0, blank));
    if (!days)
      return bad();
    out.days_ = *days;
    text.remove_prefix(blank + 1);
  }
  const auto begin = minutes_of(text.substr(0, 5));
  const auto end = text.size() == 11 && text[5] == '-' ? minutes_of(text.substr(6)) : std::nullopt;
  if (!begin || !end)
    return bad();
  out.begin_ = *begin;
  out.end_ = *end;
  return out;
}

bool window::open_at(unix_ms now) const noexcept {
  const auto minutes = now / 60'000;
  const int minute = static_cast<int>(minutes % day_minutes);
  // 1970-01-01 was a Thursday.
  const int day = static_cast<int>((minutes / day_minutes + 3) % 7);
  const auto on = [this](int which) { return (days_ >> ((which + 7) % 7) & 1) != 0; };
  if (begin_ == end_)
    return on(day);
  if (begin_ < end_)
    return on(day) && minute >= begin_ && minute < end_;
  return (on(day) && minute >= begin_) || (on(day - 1) && minute < end_);
}

// -- the updater ------

updater::updater(update_settings settings, trust_store trust, staging_folder staging)
    : settings_(std::move(settings)), trust_(std::move(trust)), staging_(std::move(staging)) {}

result<updater> updater::open(update_settings settings, unix_ms now) {
  if (auto made = detail::make_folder(settings.directory, 0755); !made)
    return failure(made.error());
  auto trust = trust_store::open(settings.directory + "/trusted", settings.first_root, now);
  if (!trust)
    return failure(trust.error());
  auto staging = staging_folder::open(staging_path(settings.directory));
  if (!staging)
    return failure(staging.error());
  return updater(std::move(settings), std::move(*trust), std::move(*staging));
}

result<void> updater::read_trust_anew(unix_ms now) {
  auto trust = trust_store::open(settings_.directory + "/trusted", settings_.first_root, now);
  if (!trust)
    return failure(trust.error());
  trust_ = std::move(*trust);
  return {};
}

result<offer> updater::look(feed& from, unix_ms now, bool by_hand) {
  const auto held = lock(settings_);
  if (!held)
    return failure(held.error());
  if (auto read = read_trust_anew(now); !read)
    return failure(read.error());
  if (auto followed = trust_.follow_all(from, now); !followed)
    return failure(followed.error());
  auto text
    = from.document(manifest_file_name(settings_.product, settings_.platform), document_bytes_max);
  if (!text)
    return failure(text.error());
  const auto taken = trust_.take_manifest(
    *text, {settings_.product, settings_.platform, settings_.installed, now});
  if (!taken)
    return failure(taken.error());
  const auto pinned = pin();
  if (!pinned)
    return failure(pinned.error());
  offer out{taken->what, std::move(*text), false, false, to_string(taken->what.what)};
  if (taken->is == standing::installed) {
    out.sentence += " is installed";
  } else if (!fits_pin(out.what.what, *pinned)) {
    out.sentence += " is not taken: pinned to " + *pinned;
  } else if (!by_hand && !crypto::in_share(out.what, settings_.connector_id)) {
    out.sentence += " is not taken yet: " + std::to_string(out.what.share)
      + " % of the connectors have their turn";
  } else {
    if (auto kept = staging_.keep_roots(from, trust_, now); !kept)
      return failure(kept.error());
    const auto renewed = staging_.renew(out.what, out.manifest_text);
    if (!renewed)
      return failure(renewed.error());
    out.taken = true;
    out.staged = *renewed;
    out.sentence += out.staged ? " is staged" : " is to be downloaded";
  }
  return out;
}

result<staging_folder::progress> updater::fetch(feed& from, const offer& what, unix_ms now) {
  const auto held = lock(settings_);
  if (!held)
    return failure(held.error());
  if (auto read = read_trust_anew(now); !read)
    return failure(read.error());
  if (trust_.highest() != seen_of(what.what))
    return failure(errc::unavailable, "version",
                   to_string(what.what.what) + " is not the last that was seen any more");
  if (staging_.holds(what.what)) // maybe another process was here
    return staging_folder::progress::done;
  const auto step = staging_.advance(from, what.what, what.manifest_text);
  if (step && *step == staging_folder::progress::done)
    add_history(history_path(settings_.directory), now, "staged " + to_string(what.what.what));
  return step;
}

result<std::string> updater::pin() const {
  const auto text = read_line(pin_path(settings_.directory));
  return text ? pin_from(*text) : text;
}

result<void> updater::set_pin(const std::string& pin) {
  const auto good = pin_from(pin);
  if (!good)
    return failure(good.error());
  const auto held = lock(settings_);
  if (!held)
    return failure(held.error());
  auto done = pin.empty()
    ? detail::remove_file(pin_path(settings_.directory))
    : detail::replace_file(pin_path(settings_.directory), as_bytes(pin + "\n"), 0644, "pin");
  return done ? withdraw_wish(pin) : done;
}

/// What was asked for before, and not carried out yet, is not wanted any more.
result<void> updater::withdraw_wish(const std::string& pin) const {
  const auto wanted = read_line(wish_path(settings_.directory));
  const auto what = wanted ? version_from(*wanted) : failure(wanted.error());
  if (!what || fits_pin(*what, pin))
    return {};
  if (auto gone = detail::remove_file(asked_path(settings_.directory)); !gone)
    return gone;
  return detail::remove_file(wish_path(settings_.directory));
}

result<bool> updater::want(const version& what, unix_ms now) {
  const auto held = lock(settings_);
  if (!held)
    return failure(held.error());
  const auto before = last_wish(settings_.directory);
  const bool again = before && before->what == what;
  const auto times = again ? std::min(before->times + 1, wishes_counted_max) : 1;
  const auto asked
    = to_string(what) + " " + std::to_string(times) + " " + std::to_string(now) + "\n";
  auto done = detail::replace_file(asked_path(settings_.directory), as_bytes(asked), 0644, "asked");
  if (done)
    done = detail::replace_file(wish_path(settings_.directory), as_bytes(to_string(what) + "\n"),
                                0644, "wish");
  if (!done)
    return failure(done.error());
  add_history(history_path(settings_.directory), now,
              "asked for " + to_string(what) + (again ? " again" : ""));
  return !again;
}

bool updater::wish_is_due(const offer& what, unix_ms now) const {
  if (!settings_.automatic || !what.taken || !what.staged || !settings_.when.open_at(now))
    return false;
  const auto before = read_line(wish_path(settings_.directory));
  if (!before || *before != to_string(what.what.what))
    return true;
  const auto last = last_wish(settings_.directory);
  return !last || last->what != what.what.what || now < last->at
    || now - last->at >= pause_after(*last);
}

std::string updater::history() const { return read_history(history_path(settings_.directory)); }

// -- history ------

void add_history(const std::string& path, unix_ms at, const std::string& words) {
  auto text = read_history(path);
  if (text.size() > history_bytes_max / 2)
    text.erase(0, text.find('\n', text.size() - history_bytes_max / 4) + 1);
  text += to_rfc3339(at / 1000 * 1000) + " " + printable(words, 400) + "\n";
  static_cast<void>(detail::replace_file(path, as_bytes(text), 0644, "history"));
}

std::string read_history(const std::string& path) {
  return detail::read_file(path, history_bytes_max).value_or(std::string());
}

std::string staging_path(const std::string& directory) { return directory + "/staging"; }
std::string wish_path(const std::string& directory) { return directory + "/wanted"; }
std::string lock_path(const std::string& directory) { return directory + "/lock"; }

} // namespace pfx::release
