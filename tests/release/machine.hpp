// A machine of version 0.1.0 with an update folder, and the room of a maker beside it.
#pragma once

#include "release/updater.hpp"
#include "tests/catch.hpp"
#include "tests/release/scratch.hpp"

namespace pfx::test {

inline constexpr release::version v1{{0, 1, 0}};
inline constexpr release::version v2{{0, 2, 0}};

struct machine {
  maker_room room;
  release::update_settings settings() const {
    release::update_settings out;
    out.directory = room.path("updates");
    out.first_root = room.path("first.root");
    out.platform = "linux-x86-64";
    out.installed = v1;
    out.connector_id = "connector-1";
    return out;
  }
  release::updater open(const release::update_settings& with) const {
    auto made = release::updater::open(with, release_now);
    REQUIRE(made);
    return std::move(*made);
  }
};

inline result<void> fetch_all(release::updater& by, release::feed& from, release::offer& what) {
  for (int step = 0; step < 100; ++step) {
    const auto done = by.fetch(from, what, release_now);
    if (!done)
      return failure(done.error());
    if (*done == release::staging_folder::progress::done) {
      what.staged = true;
      return {};
    }
  }
  return failure(errc::internal, "", "no end");
}

} // namespace pfx::test
