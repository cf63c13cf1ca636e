// A machine on which one version runs and others are switched to, with a service manager that is
// played: what each version does is said by the test.
#pragma once

#include <map>

#include "release/switch.hpp"
#include "tests/release/machine.hpp"

namespace pfx::test {

namespace fs = std::filesystem;

inline constexpr release::version v3{{0, 3, 0}};

/// What each version does, and a clock that goes as it is waited for.
class played_service final : public release::service_control {
public:
  enum class manner { good, never_starts, never_ready, never_begins, ends, restarts };

  explicit played_service(std::string link) : link_(std::move(link)) {}

  result<void> restart(std::int64_t patience_ms) override {
    ++restarts;
    process_ += 1;
    runs = fs::read_symlink(link_).filename().string();
    begun_ = now_;
    if (how() == manner::never_starts)
      return failure(errc::unavailable, "service", "did not start");
    if (how() == manner::never_ready) {
      now_ += patience_ms;
      return failure(errc::unavailable, "service", "was not ready in time");
    }
    return {};
  }
  result<sight> look() override {
    const bool late = now_ - begun_ >= 60'000;
    if (++looks >= blind_from && looks < blind_from + blind_for)
      return failure(errc::unavailable, "service", "show ended with 1");
    if (how() == manner::ends && late)
      return sight{false, 0, false};
    return sight{true, process_ + (how() == manner::restarts && late ? 1 : 0),
                 service_answers && how() != manner::never_begins};
  }
  result<void> check_program(const std::string& path) override {
    if (fs::path(link_) / "bin/pfxengine" == fs::path(path) && !runs_another_program)
      return {};
    return failure(errc::policy, "service", "runs another program");
  }
  void pause(std::int64_t wait_ms) override { now_ += wait_ms; }
  unix_ms now() override { return now_; }

  std::map<std::string, manner> manners;
  std::string runs;
  int restarts = 0;
  int looks = 0;
  int blind_from = 1'000'000; ///< the number of the first look that fails
  int blind_for = 0;
  bool service_answers = true;
  bool runs_another_program = false;

private:
  [[nodiscard]] manner how() const {
    const auto found = manners.find(runs);
    return found == manners.end() ? manner::good : found->second;
  }
  std::string link_;
  unix_ms now_ = release_now;
  unix_ms begun_ = 0;
  std::uint64_t process_ = 100;
};

/// A machine on which version 0.1.0 runs, an engine that stages, and a feed.
class host {
public:
  host() : service(room.path("programs/current")) {
    room.put("programs/versions/0.1.0/bin/pfxengine", "one");
    fs::create_directory_symlink("versions/0.1.0", room.path("programs/current"));
    settings.state_folder = room.path("switch");
    settings.update_folder = room.path("updates");
    settings.programs_folder = room.path("programs");
    settings.first_root = room.path("first.root");
    settings.platform = "linux-x86-64";
    settings.shipped = v1;
  }
  /// The engine's part: what is in the feed is staged, and asked for.
  void stage(const release::version& what, std::uint32_t store_format = 1) {
    const auto package = tar_of({{"bin/pfxengine", release::to_string(what)}});
    auto manifest = sample_manifest(what, package);
    manifest.store_format = store_format;
    room.offer(manifest, package);
    release::update_settings own;
    own.directory = settings.update_folder;
    own.first_root = settings.first_root;
    own.platform = settings.platform;
    own.installed = v1;
    auto by = release::updater::open(own, release_now);
    REQUIRE(by);
    const auto found = by->look(*room.feed(), release_now);
    REQUIRE(found);
    for (auto step = by->fetch(*room.feed(), *found, release_now);
         *step == release::staging_folder::progress::more;)
      step = by->fetch(*room.feed(), *found, release_now);
    REQUIRE(by->want(what, release_now));
  }
  result<release::switched> run() {
    auto one = release::switcher::open(settings);
    return one ? one->run(service) : failure(one.error());
  }
  [[nodiscard]] std::string current() const {
    return fs::read_symlink(room.path("programs/current")).filename().string();
  }
  [[nodiscard]] release::switch_state state() const {
    return *release::read_switch_state(settings.state_folder);
  }
  [[nodiscard]] std::string staged_package(const char* version) const {
    return room.path(std::string("updates/staging/pfxengine_") + version + "_linux-x86-64.tar");
  }

  maker_room room;
  release::switch_settings settings;
  played_service service;
};

} // namespace pfx::test
