// The switch: there, back once, and never again by itself; what the engine's user can put in its
// way.
#include "release/switch.hpp"

#include <sys/stat.h>

#include "tests/release/switch_host.hpp"

using namespace pfx;
using namespace pfx::test;
using release::switch_phase;
using release::switched;

using manner = played_service::manner;

TEST_CASE("a service that does not run what the link leads to is not switched, and history says so",
          "[release][switch]") {
  host at;
  at.stage(v2);
  at.service.runs_another_program = true;
  const auto refused = at.run();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::policy);
  CHECK(at.service.restarts == 0);
  CHECK(at.current() == "0.1.0");
  CHECK(release::read_history(release::switch_history_path(at.settings.state_folder))
          .find("refused 0.2.0: ")
        != std::string::npos);
  at.service.runs_another_program = false;
  CHECK(*at.run() == switched::done);
}

TEST_CASE("a staged version is switched to and the one before kept", "[release][switch]") {
  host at;
  CHECK(*at.run() == switched::nothing);
  at.stage(v2);
  CHECK(*at.run() == switched::done);
  CHECK(at.current() == "0.2.0");
  CHECK(at.service.runs == "0.2.0");
  CHECK(at.service.restarts == 1);
  CHECK(at.state().current.what == v2);
  CHECK(at.state().previous->what == v1);
  CHECK(text_at(at.room.path("programs/current/bin/pfxengine")) == "0.2.0");
  CHECK(*at.run() == switched::nothing);
  at.stage(v3);
  CHECK(*at.run() == switched::done);
  CHECK_FALSE(fs::exists(at.room.path("programs/versions/0.1.0")));
  CHECK(fs::exists(at.room.path("programs/versions/0.2.0")));
  CHECK(release::read_history(release::switch_history_path(at.settings.state_folder))
          .find("switched from 0.2.0 to 0.3.0")
        != std::string::npos);
}

TEST_CASE("a version that does not hold is returned from once and then held", "[release][switch]") {
  for (const auto how :
       {manner::never_starts, manner::never_ready, manner::ends, manner::restarts}) {
    CAPTURE(static_cast<int>(how));
    host at;
    at.service.manners["0.2.0"] = how;
    at.stage(v2);
    CHECK(*at.run() == switched::returned);
    CHECK(at.current() == "0.1.0");
    CHECK(at.service.runs == "0.1.0");
    CHECK(at.service.restarts == 2);
    CHECK(at.state().phase == switch_phase::idle);
    CHECK(is_held(at.state(), v2));
    CHECK_FALSE(at.state().reason.empty());
    const auto again = at.run();
    REQUIRE_FALSE(again);
    CHECK(again.error().field == "version");
    CHECK(at.service.restarts == 2);
    at.stage(v3); // what comes after it is another matter
    CHECK(*at.run() == switched::done);
    CHECK(at.current() == "0.3.0");
  }
}

TEST_CASE("a hold is lifted by the operator alone", "[release][switch]") {
  host at;
  at.service.manners["0.2.0"] = manner::never_starts;
  at.stage(v2);
  REQUIRE(at.run());
  at.service.manners.clear();
  {
    auto one = release::switcher::open(at.settings);
    CHECK_FALSE(one->release_hold(v3));
    REQUIRE(one->release_hold(v2));
  }
  CHECK(*at.run() == switched::done);
}

TEST_CASE("when the version before does not come back either, that is said and left",
          "[release][switch]") {
  host at;
  at.service.manners = {{"0.2.0", manner::never_starts}, {"0.1.0", manner::never_ready}};
  at.stage(v2);
  CHECK(at.run().error().code == errc::unavailable);
  CHECK(at.current() == "0.1.0");
  CHECK(at.service.restarts == 2);
  CHECK(at.state().phase == switch_phase::idle);
  CHECK_FALSE(at.run());
  CHECK(at.service.restarts == 2); // no circle
}

TEST_CASE("the way back is open only to a version that can read the store", "[release][switch]") {
  host at;
  at.settings.store_marker = at.room.put("store/pfxengine-store", "pfxengine store\nformat 1\n");
  at.service.manners["0.2.0"] = manner::ends;
  at.stage(v2, 2);
  SECTION("the new version had not touched it yet") {
    CHECK(*at.run() == switched::returned);
    CHECK(at.current() == "0.1.0");
  }
  SECTION("the new version has made it its own") {
    at.room.put("store/pfxengine-store", "pfxengine store\nformat 2\nid x\n");
    const auto done = at.run();
    REQUIRE_FALSE(done);
    CHECK(done.error().field == "store");
    CHECK(at.current() == "0.2.0");
    CHECK(at.state().reason.find("no way back") != std::string::npos);
    CHECK(at.service.restarts == 1);
    auto one = release::switcher::open(at.settings);
    CHECK(one->roll_back(at.service).error().field == "store");
  }
  SECTION("a marker that cannot be read opens nothing") {
    at.room.put("store/pfxengine-store", "damaged");
    CHECK_FALSE(at.run());
    CHECK(at.current() == "0.1.0");
    CHECK(at.service.restarts == 0);
  }
}

TEST_CASE("an operator goes back by hand, and what he left is held", "[release][switch]") {
  host at;
  at.stage(v2);
  {
    auto one = release::switcher::open(at.settings);
    CHECK(one->roll_back(at.service).error().code == errc::not_found);
  }
  REQUIRE(*at.run() == switched::done);
  {
    auto one = release::switcher::open(at.settings);
    CHECK(*one->roll_back(at.service) == switched::done);
  }
  CHECK(at.current() == "0.1.0");
  CHECK(is_held(at.state(), v2));
  CHECK_FALSE(at.run());
  CHECK(at.current() == "0.1.0");
}

TEST_CASE("what the engine's user puts in the way is refused before anything runs",
          "[release][switch]") {
  host at;
  at.stage(v2);
  const auto refused = [&at](const char* field) {
    const auto done = at.run();
    REQUIRE_FALSE(done);
    CAPTURE(to_string(done.error()));
    CHECK((done.error().field.find(field) != std::string::npos));
    CHECK(at.current() == "0.1.0");
    CHECK(at.service.restarts == 0);
    CHECK_FALSE(fs::exists(at.room.path("programs/versions/0.2.0")));
  };
  const auto package = text_at(at.staged_package("0.2.0"));
  SECTION("another package") {
    at.room.put("updates/staging/pfxengine_0.2.0_linux-x86-64.tar",
                tar_of({{"bin/pfxengine", "EVIL."}}));
    refused("sha256");
  }
  SECTION("a longer package") {
    at.room.put("updates/staging/pfxengine_0.2.0_linux-x86-64.tar", package + "x");
    refused("length");
  }
  SECTION("a cut package") {
    at.room.put("updates/staging/pfxengine_0.2.0_linux-x86-64.tar",
                package.substr(0, package.size() - 1));
    refused("sha256");
  }
  SECTION("a link to what only root can read") {
    fs::remove(at.staged_package("0.2.0"));
    fs::create_symlink("/etc/shadow", at.staged_package("0.2.0"));
    refused("0.2.0");
  }
  SECTION("a pipe") {
    fs::remove(at.staged_package("0.2.0"));
    REQUIRE(::mkfifo(at.staged_package("0.2.0").c_str(), 0600) == 0);
    refused("0.2.0");
  }
  SECTION("a manifest that others signed") {
    at.room.put("updates/staging/staged.manifest",
                signed_by(release::encode(sample_manifest(v2, package)), {13}));
    refused("signature");
  }
  SECTION("an engine that trusts another root") {
    auto next = sample_root(2);
    next.releases = release_role(1, {13});
    at.room.put("updates/staging/roots/2.root", signed_by(release::encode(next), {3}));
    refused("root");
  }
  SECTION("another version than the one that is asked for") {
    at.room.put("updates/wanted", "0.3.0\n");
    refused("version");
  }
  SECTION("a wish that is none") {
    at.room.put("updates/wanted", "../../etc\n");
    refused("wanted");
  }
  SECTION("a wish of any length") {
    at.room.put("updates/wanted", std::string(100'000, '1'));
    refused("wanted");
  }
}

TEST_CASE("an older version cannot be asked for, signed or not", "[release][switch]") {
  host at;
  at.stage(v2);
  const auto manifest = text_at(at.room.path("updates/staging/staged.manifest"));
  const auto package = text_at(at.staged_package("0.2.0"));
  REQUIRE(*at.run() == switched::done);
  at.stage(v3);
  REQUIRE(*at.run() == switched::done);
  at.room.put("updates/staging/staged.manifest", manifest);
  at.room.put("updates/staging/pfxengine_0.2.0_linux-x86-64.tar", package);
  at.room.put("updates/wanted", "0.2.0\n");
  CHECK(at.run().error().field == "version");
  CHECK(at.current() == "0.3.0");
}

TEST_CASE("a package without the program is not switched to", "[release][switch]") {
  host at;
  at.stage(v2);
  const auto package = tar_of({{"share/readme", "x"}});
  at.room.put("updates/staging/staged.manifest",
              signed_by(release::encode(sample_manifest(v2, package)), {11}));
  at.room.put("updates/staging/pfxengine_0.2.0_linux-x86-64.tar", package);
  const auto done = at.run();
  REQUIRE_FALSE(done);
  CHECK_FALSE(fs::exists(at.room.path("programs/versions/.incoming")));
  CHECK(at.current() == "0.1.0");
}

TEST_CASE("a switch that was interrupted goes on, but not for ever", "[release][switch]") {
  host at;
  at.stage(v2);
  const auto interrupted = [&at](std::uint32_t tries, const char* phase) {
    at.room.put("switch/state",
                std::string("pfxengine-switch-state 1\nphase ") + phase
                  + "\ncurrent 0.1.0 1\ntarget 0.2.0 1\ntries " + std::to_string(tries)
                  + "\nby-hand 0\nreason \n");
  };
  at.room.put("programs/versions/0.2.0/bin/pfxengine", "two");
  SECTION("it goes on where it was") {
    interrupted(1, "trying");
    CHECK(*at.run() == switched::done);
    CHECK(at.current() == "0.2.0");
  }
  SECTION("too often is a reason to return") {
    interrupted(release::switch_tries_max, "trying");
    CHECK(*at.run() == switched::returned);
    CHECK(is_held(at.state(), v2));
  }
  SECTION("a return is a return, whatever is asked for") {
    interrupted(1, "returning");
    CHECK(*at.run() == switched::returned);
    CHECK(at.current() == "0.1.0");
    CHECK(is_held(at.state(), v2));
  }
  SECTION("a memory that is damaged stops it") {
    for (const auto* bad : {"", "x",
                            "pfxengine-switch-state 1\nphase trying\ncurrent 0.1.0 1\n"
                            "tries 0\nby-hand 0\nreason \n"}) {
      at.room.put("switch/state", bad);
      CHECK(at.run().error().code == errc::corrupt);
    }
    CHECK(at.service.restarts == 0);
  }
}

TEST_CASE("two switchers do not work at once", "[release][switch]") {
  host at;
  auto one = release::switcher::open(at.settings);
  REQUIRE(one);
  CHECK(release::switcher::open(at.settings).error().code == errc::store_locked);
}
