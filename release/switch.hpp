// The switch from one version to another: root's work, without a network. Copies what the engine
// staged, verifies the copy against a trust root that the engine's user cannot write, unpacks it
// beside the others, changes one link, restarts, watches; what does not hold is returned from,
// once, and held. docs/releases.md, The switch.
#pragma once

#include <memory>
#include <string>

#include "release/switch_state.hpp"

namespace pfx::release {

/// The service manager, and time.
class service_control {
public:
  virtual ~service_control() = default;
  /// Ends what runs and starts what the link leads to; returns when it has said that it is ready.
  /// An error if it did not start or was not ready in time.
  [[nodiscard]] virtual result<void> restart(std::int64_t patience_ms) = 0;
  struct sight {
    bool active = false;
    std::uint64_t process = 0; ///< of the service's main process
    /// It works, and says so itself: its own word for "has not checked in yet" is another.
    bool begun = false;
  };
  [[nodiscard]] virtual result<sight> look() = 0;
  /// Refused unless a start of the service runs this program: changing the link would change
  /// nothing.
  [[nodiscard]] virtual result<void> check_program(const std::string& path) = 0;
  virtual void pause(std::int64_t wait_ms) = 0;
  [[nodiscard]] virtual unix_ms now() = 0;
};

struct switch_settings {
  std::string state_folder;    ///< root's own: trust, state, history
  std::string update_folder;   ///< the engine's: staging, wish; nothing in it is believed
  std::string programs_folder; ///< versions/<version>, and the link `current`
  std::string first_root;      ///< of the package, root's
  std::string store_marker;    ///< the store's file that tells its format; empty: not looked at
  std::string product = "pfxengine";
  std::string platform;
  version shipped;                 ///< of the package that this program came with
  std::int64_t ready_ms = 120'000; ///< from the restart to readiness
  std::int64_t watch_ms = 180'000; ///< for how long it has to go on after that
  std::int64_t look_every_ms = 1'000;
  bool wish_once = false; ///< a wish that was answered is left alone until it is written anew
};

inline constexpr int looks_failed_max = 5; ///< in a row; the service manager may be busy

enum class switched : std::uint8_t {
  nothing = 1, ///< nothing is asked for, or it runs already
  done,        ///< the new version runs and held out
  returned,    ///< the new version failed; the one before runs again
};

/// One run of the switcher. Errors change nothing that runs, but for errc::unavailable: what was
/// returned to did not get ready either, or could not be returned to.
class switcher {
public:
  /// Locks the state folder: errc::store_locked if another run goes on.
  [[nodiscard]] static result<switcher> open(switch_settings settings);
  switcher(switcher&&) noexcept;
  ~switcher();

  /// Goes on with what an earlier run left, or does what the engine asks for.
  [[nodiscard]] result<switched> run(service_control& service);
  /// Whether another version than the one that runs is asked for that may be tried: what the engine
  /// asks for while a switch goes on starts no other run of the unit.
  [[nodiscard]] bool asked_for_more() const;
  /// The operator's way back to the version before. errc::policy, field "store", if that could not
  /// read the store any more.
  [[nodiscard]] result<switched> roll_back(service_control& service);
  /// Makes `program`, which the package brought, the version that the link leads to, if it is newer
  /// than that one or there is none; otherwise only sees to it that the link leads where it should.
  /// Restarts nothing. True if it is newer. errc::conflict while a switch goes on, errc::policy if
  /// it is held or could not read the store.
  [[nodiscard]] result<bool> adopt(const std::string& program);
  /// Lets a held version be tried again. errc::not_found if it is not held.
  [[nodiscard]] result<void> release_hold(const version& what);

  [[nodiscard]] const switch_state& state() const noexcept { return state_; }

private:
  struct lock;
  switcher(switch_settings settings, switch_state state, std::unique_ptr<lock> held);
  [[nodiscard]] result<void> remember(switch_state next);
  [[nodiscard]] result<switched> go_on(service_control& service);
  [[nodiscard]] result<switched> try_target(service_control& service);
  [[nodiscard]] result<switched> give_up(service_control& service, const std::string& why);
  [[nodiscard]] result<switched> go_back(service_control& service);
  [[nodiscard]] result<switched> hold_out(service_control& service);
  [[nodiscard]] result<service_control::sight> look(service_control& service) const;
  [[nodiscard]] result<switched> take(const version& wanted, const std::string& wish,
                                      service_control& service);
  [[nodiscard]] result<installed_version> take_staged(const version& wanted,
                                                      service_control& service);
  [[nodiscard]] result<void> can_read_store(const installed_version& what) const;
  [[nodiscard]] result<void> check_link(service_control& service) const;
  [[nodiscard]] result<void> check_current() const;
  [[nodiscard]] result<void> lead_to(const version& what) const;
  void sweep() const;
  void note(unix_ms at, const std::string& words) const;

  switch_settings settings_;
  switch_state state_; ///< without a memory: what the link leads to
  std::unique_ptr<lock> lock_;
};

/// What the state folder says, for others to read; errc::not_found before the first run.
[[nodiscard]] result<switch_state> read_switch_state(const std::string& state_folder);
[[nodiscard]] std::string switch_history_path(const std::string& state_folder);

} // namespace pfx::release
