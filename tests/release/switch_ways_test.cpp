// What a switch begins from and what it is judged by: the package's own program, a link of somebody
// else's, an old wish, a service manager that is busy, and a version that never checks in.
#include "tests/release/switch_host.hpp"

using namespace pfx;
using namespace pfx::test;
using release::switched;

using manner = played_service::manner;

namespace {

result<bool> adopt(host& at, const release::version& shipped, const char* content) {
  at.settings.shipped = shipped;
  auto one = release::switcher::open(at.settings);
  REQUIRE(one);
  return one->adopt(at.room.put("usr/bin/pfxengine", content));
}

void wish_again(const host& at, const release::version& what) {
  at.room.put("updates/wanted.new", release::to_string(what) + "\n");
  fs::rename(at.room.path("updates/wanted.new"), at.room.path("updates/wanted"));
}

} // namespace

TEST_CASE("before the first switch it is the link that says what runs, not the newest package",
          "[release][switch]") {
  host at;
  at.settings.shipped = {{0, 1, 5}};
  at.service.manners["0.2.0"] = manner::never_starts;
  at.stage(v2);
  CHECK(*at.run() == switched::returned);
  CHECK(at.current() == "0.1.0");
  CHECK(at.service.runs == "0.1.0");
  CHECK(is_held(at.state(), v2));
}

TEST_CASE("nothing is switched from where there is no way back to", "[release][switch]") {
  host at;
  at.stage(v2);
  const auto refused = [&at] {
    const auto done = at.run();
    REQUIRE_FALSE(done);
    CHECK(done.error().code == errc::policy);
    CHECK(done.error().field == "link");
    CHECK(at.service.restarts == 0);
  };
  const auto link = at.room.path("programs/current");
  SECTION("the link is missing") {
    fs::remove(link);
    refused();
  }
  SECTION("the link leads out of the house") {
    fs::remove(link);
    fs::create_directory_symlink("/usr", link);
    refused();
  }
  SECTION("somebody moved it after a switch") {
    REQUIRE(*at.run() == switched::done);
    at.service.restarts = 0;
    fs::remove(link);
    fs::create_directory_symlink("versions/0.1.0", link);
    refused(); // what is asked for is what should run, and does not
    at.stage(v3);
    refused();
    auto one = release::switcher::open(at.settings);
    CHECK(one->roll_back(at.service).error().field == "link");
  }
  SECTION("what ran was deleted") {
    fs::remove_all(at.room.path("programs/versions/0.1.0"));
    refused();
  }
}

TEST_CASE("the package's program is the first version, and a newer package's the next",
          "[release][switch]") {
  host at;
  fs::remove_all(at.room.path("programs"));
  CHECK(*adopt(at, v1, "one"));
  CHECK(at.current() == "0.1.0");
  CHECK(at.state().current.what == v1);
  CHECK_FALSE(at.state().previous);
  const auto program = at.room.path("programs/current/bin/pfxengine");
  CHECK(text_at(program) == "one");
  CHECK((fs::status(program).permissions() & fs::perms::others_exec) != fs::perms::none);
  CHECK_FALSE(*adopt(at, v1, "another build of it"));
  CHECK(text_at(program) == "one");

  CHECK(*adopt(at, v2, "two"));
  CHECK(at.current() == "0.2.0");
  CHECK(at.state().previous->what == v1);
  CHECK_FALSE(*adopt(at, v1, "one")); // an older package takes nothing back
  CHECK(at.current() == "0.2.0");
  CHECK(at.service.restarts == 0);

  at.stage(v3);
  CHECK(*at.run() == switched::done);
  CHECK_FALSE(*adopt(at, v2, "two"));
  CHECK(at.current() == "0.3.0");
}

TEST_CASE("adopting mends a link that was lost, and takes nothing that failed",
          "[release][switch]") {
  host at;
  SECTION("the link") {
    REQUIRE(adopt(at, v1, "one"));
    fs::remove(at.room.path("programs/current"));
    CHECK_FALSE(*adopt(at, v1, "one"));
    CHECK(at.current() == "0.1.0");
  }
  SECTION("the program") {
    REQUIRE(adopt(at, v1, "one"));
    fs::remove_all(at.room.path("programs/versions"));
    CHECK_FALSE(*adopt(at, v1, "one again"));
    CHECK(text_at(at.room.path("programs/current/bin/pfxengine")) == "one again");
  }
  SECTION("a version that is gone and is not the package's") {
    at.stage(v2);
    REQUIRE(*at.run() == switched::done);
    fs::remove_all(at.room.path("programs/versions/0.2.0"));
    CHECK(adopt(at, v1, "one").error().code == errc::not_found);
  }
  SECTION("a version that is held") {
    at.service.manners["0.2.0"] = manner::never_starts;
    at.stage(v2);
    REQUIRE(*at.run() == switched::returned);
    CHECK(adopt(at, v2, "two").error().code == errc::policy);
    CHECK(at.current() == "0.1.0");
  }
  SECTION("a switch that was interrupted") {
    at.room.put("switch/state",
                "pfxengine-switch-state 1\nphase trying\ncurrent 0.1.0 1\ntarget 0.2.0 1\n"
                "tries 1\nby-hand 0\nreason \n");
    CHECK(adopt(at, v3, "three").error().code == errc::conflict);
    CHECK(at.current() == "0.1.0");
  }
  SECTION("a store that it could not read") {
    at.settings.store_marker
      = at.room.put("store/pfxengine-store", "pfxengine store\nformat 999\nid x\n");
    CHECK(adopt(at, v2, "two").error().field == "store");
    CHECK(at.current() == "0.1.0");
  }
}

TEST_CASE("a wish that was refused is not carried out behind anybody's back", "[release][switch]") {
  host at;
  at.stage(v2);
  at.service.runs_another_program = true;
  REQUIRE_FALSE(at.run());
  at.service.runs_another_program = false;
  at.settings.wish_once = true;
  CHECK(*at.run() == switched::nothing);
  CHECK(at.current() == "0.1.0");
  SECTION("written anew it is another wish") {
    wish_again(at, v2);
    CHECK(*at.run() == switched::done);
  }
  SECTION("an operator's run carries it out") {
    at.settings.wish_once = false;
    CHECK(*at.run() == switched::done);
  }
}

TEST_CASE("a switch that was interrupted goes on, wish or no wish", "[release][switch]") {
  host at;
  at.settings.wish_once = true;
  at.room.put("programs/versions/0.2.0/bin/pfxengine", "two");
  at.room.put("switch/state",
              "pfxengine-switch-state 1\nphase trying\ncurrent 0.1.0 1\ntarget 0.2.0 1\n"
              "tries 1\nby-hand 0\nanswered 0.2.0 1 2 3\nreason \n");
  CHECK(*at.run() == switched::done);
  CHECK(at.current() == "0.2.0");
}

TEST_CASE("a service manager that does not answer for a moment says nothing about a version",
          "[release][switch]") {
  host at;
  at.stage(v2);
  at.service.blind_from = 20;
  at.service.blind_for = release::looks_failed_max - 1;
  CHECK(*at.run() == switched::done);
  at.stage(v3);
  at.service.blind_from = at.service.looks + 20;
  at.service.blind_for = 1'000'000;
  CHECK(*at.run() == switched::returned);
  CHECK(at.current() == "0.2.0");
  CHECK(at.state().reason.find("nobody could see whether it holds") != std::string::npos);
}

TEST_CASE("a version that never checks in is returned from where the one before had",
          "[release][switch]") {
  host at;
  at.service.manners["0.2.0"] = manner::never_begins;
  at.stage(v2);
  SECTION("the one before had") {
    CHECK(*at.run() == switched::returned);
    CHECK(at.current() == "0.1.0");
    CHECK(is_held(at.state(), v2));
    CHECK(at.state().reason.find("had not checked in") != std::string::npos);
    CHECK_FALSE(at.state().had_begun);
  }
  SECTION("also after a crash in the middle") {
    at.room.put("programs/versions/0.2.0/bin/pfxengine", "two");
    at.room.put("switch/state",
                "pfxengine-switch-state 1\nphase trying\ncurrent 0.1.0 1\ntarget 0.2.0 1\n"
                "tries 1\nby-hand 0\nhad-begun 1\nreason \n");
    CHECK(*at.run() == switched::returned);
  }
  SECTION("the service had been away before") {
    at.service.service_answers = false;
    CHECK(*at.run() == switched::done);
    CHECK(at.current() == "0.2.0");
  }
  SECTION("an operator's way back asks for nothing") {
    at.service.manners = {{"0.1.0", manner::never_begins}};
    REQUIRE(*at.run() == switched::done);
    auto one = release::switcher::open(at.settings);
    CHECK(*one->roll_back(at.service) == switched::done);
    CHECK(at.current() == "0.1.0");
  }
}
