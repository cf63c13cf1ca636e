// The engine's part of an update: looks at the feed, decides, downloads, stages, and says that a
// version is wanted. Switches nothing: that is not the engine's right (switch.hpp).
#pragma once

#include <memory>
#include <string>

#include "release/staging.hpp"
#include "release/trust_store.hpp"

namespace pfx::release {

/// Versions that an operator allows: "", "1", "1.2" or "1.2.3" and what begins with it.
[[nodiscard]] result<std::string> pin_from(std::string_view text);
[[nodiscard]] bool fits_pin(const version& what, std::string_view pin);

/// When a switch may begin: "HH:MM-HH:MM" in UTC, over midnight too, with days before it if not on
/// all ("sat,sun 22:00-04:00"; the day on which it begins). Empty: always.
class window {
public:
  /// errc::bad_input, field "window".
  [[nodiscard]] static result<window> from(std::string_view text);
  [[nodiscard]] bool open_at(unix_ms now) const noexcept;

private:
  std::uint8_t days_ = 0x7f; ///< bit 0 is Monday
  int begin_ = 0;            ///< minutes of the day
  int end_ = 0;              ///< the same as begin_: all day
};

struct update_settings {
  std::string directory;  ///< trust, staging, pin, history; the engine's own
  std::string first_root; ///< the root that came with the program
  std::string product = "pfxengine";
  std::string platform{};
  version installed;
  std::string connector_id;
  bool automatic = false; ///< asks for the switch by itself
  window when;
  std::int64_t lock_wait_ms = 0; ///< for another process that is at work in the directory
};

/// After the first wish for a version, and after each later one twice as long up to a day: what is
/// still not installed was refused, maybe for a reason that passes.
inline constexpr std::int64_t wish_again_ms = 3'600'000;
inline constexpr std::int64_t wish_again_max_ms = 24 * wish_again_ms;

/// What a look at the feed came to.
struct offer {
  manifest what;
  std::string manifest_text;
  bool taken = false;   ///< to be downloaded and staged
  bool staged = false;  ///< is staged already
  std::string sentence; ///< what there is, and why it is taken or not
};

/// Used by one thread at a time. Processes share the directory: each of look, fetch and want has
/// its lock meanwhile (errc::store_locked) and reads the memory anew.
class updater {
public:
  [[nodiscard]] static result<updater> open(update_settings settings, unix_ms now);

  /// Roots, manifest, rules, share, pin. What is staged already gets the roots and the manifest of
  /// now. `by_hand`: an operator's word stands over the share.
  [[nodiscard]] result<offer> look(feed& from, unix_ms now, bool by_hand = false);
  /// The next part of what is taken; `done` when it is staged. errc::unavailable, field "version":
  /// something else was seen since the look.
  [[nodiscard]] result<staging_folder::progress> fetch(feed& from, const offer& what, unix_ms now);
  [[nodiscard]] const staging_folder& staging() const noexcept { return staging_; }
  [[nodiscard]] const update_settings& settings() const noexcept { return settings_; }

  /// The operator's pin; empty if there is none.
  [[nodiscard]] result<std::string> pin() const;
  /// Withdraws a wish that it does not let through.
  [[nodiscard]] result<void> set_pin(const std::string& pin);
  /// Writes the file that the switcher's unit waits for, always anew, so that a switch that was
  /// refused can be asked for again. False if the same was asked for before.
  [[nodiscard]] result<bool> want(const version& what, unix_ms now);
  /// True if the staged version should be asked for now: automatic, in the window, and not asked
  /// for, or so long ago (wish_again_ms) that it is time to do it again.
  [[nodiscard]] bool wish_is_due(const offer& what, unix_ms now) const;
  [[nodiscard]] std::string history() const;

private:
  updater(update_settings settings, trust_store trust, staging_folder staging);
  /// What another process learned; under the lock.
  [[nodiscard]] result<void> read_trust_anew(unix_ms now);
  [[nodiscard]] result<void> withdraw_wish(const std::string& pin) const;

  update_settings settings_;
  trust_store trust_;
  staging_folder staging_;
};

/// One more line "time words" at the end of a history file, which stays short. A history that
/// cannot be written stops nothing.
void add_history(const std::string& path, unix_ms at, const std::string& words);
[[nodiscard]] std::string read_history(const std::string& path);

/// Names below an update directory.
[[nodiscard]] std::string staging_path(const std::string& directory);
[[nodiscard]] std::string wish_path(const std::string& directory);
[[nodiscard]] std::string lock_path(const std::string& directory);

} // namespace pfx::release
