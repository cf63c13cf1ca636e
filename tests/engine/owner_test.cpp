// Whose data directory it is, what init gives away, and root's way down; and two configurations
// compared.
#include "tests/catch.hpp"

#include <algorithm>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "crypto/seal.hpp"
#include "engine/doctor.hpp"
#include "engine/identity.hpp"
#include "engine/owner.hpp"
#include "tests/engine/scratch.hpp"
#include "tests/engine/sealed_room.hpp"

using namespace pfx;
using namespace pfx::engine;

namespace {

constexpr uid_t daemon_number = 1; ///< fixed on every Debian (base-passwd)

/// In a process of its own, since there is no way back from another user; its exit code.
int elsewhere(const std::function<int()>& what) {
  const pid_t child = ::fork();
  if (child == 0)
    ::_exit(what());
  int state = 0;
  ::waitpid(child, &state, 0);
  return WIFEXITED(state) ? WEXITSTATUS(state) : 255;
}

} // namespace

TEST_CASE("a user that this machine does not know owns nothing", "[engine][owner]") {
  CHECK_FALSE(user_exists("nobody-here"));
  CHECK_FALSE(user_exists(""));
  CHECK(user_exists("root"));
  const auto given = give_to("nobody-here", "/tmp");
  REQUIRE_FALSE(given);
  CHECK(given.error().code == errc::not_found);
  CHECK(given.error().field == "user");
  CHECK_FALSE(let_read("nobody-here", "/tmp"));
}

TEST_CASE("who is not root, or is the owner, stays who it is", "[engine][owner]") {
  const test::sealed_room room;
  auto key = room.settings.master_key_file;
  REQUIRE(become_owner(room.settings, {&key}));
  CHECK(key == room.settings.master_key_file);
}

TEST_CASE("root becomes the owner for good and still reads the master key", "[engine][owner]") {
  if (::geteuid() != 0)
    return; // only root can become somebody
  const test::sealed_room room;
  const auto wanted = crypto::read_master_key(room.settings.master_key_file);
  REQUIRE(wanted);
  REQUIRE(::chown(room.settings.data_directory.c_str(), daemon_number, daemon_number) == 0);
  CHECK(elsewhere([&] {
          auto key = room.settings.master_key_file;
          std::string nowhere = room.folder.path("none");
          std::string nothing;
          if (!become_owner(room.settings, {&key, &nowhere, &nothing}))
            return 1;
          if (::getuid() != daemon_number || ::geteuid() != daemon_number || ::setuid(0) == 0)
            return 2;
          if (nowhere != room.folder.path("none") || !nothing.empty())
            return 3;
          const auto read = crypto::read_master_key(key);
          if (!read || !equal_constant_time(read->view(), wanted->view()))
            return 4;
          return crypto::read_master_key(room.settings.master_key_file) ? 5 : 0;
        })
        == 0);
  CHECK(::geteuid() == 0);
}

TEST_CASE("a link in the data directory does not keep root's rights", "[engine][owner]") {
  if (::geteuid() != 0)
    return;
  const test::sealed_room room;
  const auto roots = room.folder.path("roots");
  REQUIRE(::mkdir(roots.c_str(), 0700) == 0);
  REQUIRE(::symlink(roots.c_str(), (room.settings.data_directory + "/store").c_str()) == 0);
  REQUIRE(::chown(room.settings.data_directory.c_str(), daemon_number, daemon_number) == 0);
  CHECK(foreign_owner(room.settings) == std::optional<std::string>("daemon"));
  CHECK(elsewhere([&] {
          auto key = room.settings.master_key_file;
          return become_owner(room.settings, {&key}) && ::getuid() == daemon_number ? 0 : 1;
        })
        == 0);
}

TEST_CASE("init for another user changes no folder that was there", "[engine][owner]") {
  if (::geteuid() != 0)
    return;
  const test::scratch_folder box;
  const auto etc = box.path("etc");
  REQUIRE(::mkdir(etc.c_str(), 0755) == 0);
  REQUIRE(::chmod(etc.c_str(), 0755) == 0);
  const init_order order{etc + "/pfxengine.json",
                         box.path("data"),
                         "https://service.example.test",
                         "",
                         "example",
                         "daemon"};
  const auto facts = [](const std::string& path) {
    struct stat about {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    return std::pair(about.st_uid, about.st_mode & 0777);
  };
  REQUIRE(initialise(order));
  CHECK(facts(etc) == std::pair<uid_t, mode_t>(0, 0755));
  CHECK(facts(order.configuration_path) == std::pair<uid_t, mode_t>(0, 0640));
  CHECK(facts(etc + "/master.key") == std::pair<uid_t, mode_t>(0, 0600));
  CHECK(facts(order.data_directory) == std::pair<uid_t, mode_t>(daemon_number, 0700));
  REQUIRE(::chown(order.data_directory.c_str(), 0, 0) == 0); // as somebody wanted it
  REQUIRE(::chmod(order.configuration_path.c_str(), 0600) == 0);
  REQUIRE(initialise(order));
  CHECK(facts(order.data_directory).first == 0);
  CHECK(facts(order.configuration_path).second == 0600);
}

TEST_CASE("a master key that others may read is refused before root gives up its rights",
          "[engine][owner]") {
  if (::geteuid() != 0)
    return;
  const test::sealed_room room;
  REQUIRE(::chown(room.settings.data_directory.c_str(), daemon_number, daemon_number) == 0);
  REQUIRE(::chmod(room.settings.master_key_file.c_str(), 0644) == 0);
  auto key = room.settings.master_key_file;
  CHECK_FALSE(become_owner(room.settings, {&key}));
  CHECK(::geteuid() == 0);
}

TEST_CASE("a setting that differs is named as the file names it", "[engine][configuration]") {
  const test::sealed_room room;
  auto other = room.settings;
  CHECK(changed_settings(room.settings, other).empty());
  other.log_level = "debug";
  other.limits.open_requests_max += 1;
  CHECK(changed_settings(room.settings, other)
        == std::vector<std::string>{"limits.openRequestsMax", "log.level"});
  other = room.settings;
  other.issuance.name_types.push_back("dns");
  CHECK(changed_settings(room.settings, other).size() == 1);
}

TEST_CASE("the doctor tells each fault with what to do about it", "[engine][doctor]") {
  const test::sealed_room room;
  auto broken = room.settings;
  broken.service.url = "https://127.0.0.1:1"; // nobody listens there
  broken.identity_file = room.folder.path("none.json");
  const auto found = diagnose(broken, 2'000);
  std::size_t faults = 0;
  for (const auto& one : found) {
    INFO(one.area << " " << one.what);
    CHECK_FALSE(one.what.empty());
    if (one.how != verdict::good)
      CHECK_FALSE(one.advice.empty());
    faults += one.how == verdict::fault ? 1 : 0;
  }
  const auto is_fault = [&](const std::string& area) {
    return std::ranges::any_of(
      found, [&](const finding& one) { return one.area == area && one.how == verdict::fault; });
  };
  CHECK(is_fault("service"));
  CHECK(is_fault("identity"));
  CHECK_FALSE(is_fault("disk"));
  CHECK(to_json(found).starts_with("{\"findings\":["));
}
