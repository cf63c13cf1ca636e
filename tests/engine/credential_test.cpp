// A master key that others keep and exchange at the wrong moment: nothing is sealed under a key
// that is not in use, and an interrupted rotation has a way to its end. And whose files they are.
#include "tests/catch.hpp"

#include <filesystem>

#include <unistd.h>

#include "engine/control.hpp"
#include "engine/identity.hpp"
#include "engine/keys.hpp"
#include "engine/owner.hpp"
#include "engine/rotation.hpp"
#include "tests/engine/sealed_room.hpp"

namespace {

using namespace pfx;
using namespace pfx::engine;
using test::code_of;
using test::must;

namespace fs = std::filesystem;

secret_bytes some_pem() {
  static const auto key = must(crypto::private_key::generate(key_algorithm::rsa2048));
  return must(key.to_pem());
}

key_order named(std::string name) {
  key_order out;
  out.name = std::move(name);
  return out;
}

/// The master key is behind a link, which stands for what this program cannot replace. Two keys and
/// a record are sealed under it.
class credential_room : public test::sealed_room {
public:
  credential_room() : kept(folder.path("credential")), given(folder.path("given.key")) {
    fs::rename(settings.master_key_file, kept);
    fs::create_symlink(kept, settings.master_key_file);
    fs::copy_file(kept, folder.path("old.key"));
    must(crypto::write_new_master_key(given));
    for (const auto* name : {"one", "two"})
      must(import_key(settings, named(name), some_pem()));
    const auto open = store();
    const auto seal = must(crypto::sealer::make(master(), open->store_id(), 1));
    const request_key key{"contoso", flow::pfx, "ctx"};
    const auto place = storage::store::blob_key(key, blob_kind::request);
    must(open->commit({storage::put_meta{"master-key-id", seal.key_id()},
                       storage::put_blob{key, blob_kind::request,
                                         must(seal.seal({1, place}, as_bytes(key.context)))}}));
    must(open->close_clean());
  }

  void exchange() const { fs::copy_file(given, kept, fs::copy_options::overwrite_existing); }
  [[nodiscard]] rotation_order with_old(const std::string& path) const {
    return {.new_key_file = {}, .at_step = {}, .old_key_file = path};
  }

  std::string kept;
  std::string given;
};

std::size_t files_in(const std::string& folder) {
  return static_cast<std::size_t>(
    std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

} // namespace

TEST_CASE("nothing is sealed under a master key that was rotated away", "[engine][rotation]") {
  const credential_room room;
  must(rotate_master_key(room.settings, {room.given, {}}));
  const auto lines = room.audit().size();
  const auto refused = import_key(room.settings, named("three"), some_pem());
  CHECK(code_of(refused) == errc::wrong_key);
  CHECK(refused.error().field == "masterKeyFile");
  CHECK(code_of(create_key(room.settings, named("three"), "rsa2048")) == errc::wrong_key);
  CHECK(code_of(remove_key(room.settings, "pfxengine", "one")) == errc::wrong_key);
  CHECK(code_of(register_with_service(room.settings, {"code", "name"})) == errc::wrong_key);
  CHECK(files_in(room.settings.keys_directory) == 2);
  CHECK_FALSE(fs::exists(room.settings.identity_file + ".key"));
  CHECK(room.audit().size() == lines);
  room.exchange();
  must(import_key(room.settings, named("three"), some_pem()));
  must(remove_key(room.settings, "pfxengine", "one"));
}

TEST_CASE("beside a running engine the engine says which master key is in use",
          "[engine][rotation]") {
  const credential_room room;
  std::string in_use = "0011223344556677";
  control_commands commands;
  commands.current = [&in_use] {
    status out;
    out.master_key_id = in_use;
    return out;
  };
  commands.note_audit = [](std::uint16_t, const std::string&) { return result<void>(); };
  const auto owned = room.store();
  const auto server = must(control_server::start(room.settings.control_socket, commands));
  CHECK(code_of(import_key(room.settings, named("three"), some_pem())) == errc::wrong_key);
  in_use = to_hex(must(crypto::master_key_id(room.master())));
  must(import_key(room.settings, named("three"), some_pem()));
}

TEST_CASE("beside an engine that does not say which master key is in use, nothing is sealed",
          "[engine][rotation]") {
  const credential_room room;
  const auto refused = [&room] {
    const auto answer = import_key(room.settings, named("three"), some_pem());
    CHECK(code_of(answer) == errc::unavailable);
    CHECK(code_of(create_key(room.settings, named("three"), "rsa2048")) == errc::unavailable);
    CHECK(code_of(remove_key(room.settings, "pfxengine", "one")) == errc::unavailable);
    CHECK(code_of(register_with_service(room.settings, {"code", "name"})) == errc::unavailable);
    CHECK(files_in(room.settings.keys_directory) == 2);
    CHECK_FALSE(fs::exists(room.settings.identity_file + ".key"));
    return answer.error().message.find("cannot be asked") != std::string::npos;
  };
  const auto owned = room.store();
  SECTION("because nobody listens") { CHECK(refused()); }
  control_commands commands;
  commands.note_audit = [](std::uint16_t, const std::string&) { return result<void>(); };
  SECTION("because it gives no status") {
    commands.current = []() -> status { throw std::runtime_error("none"); };
    const auto server = must(control_server::start(room.settings.control_socket, commands));
    CHECK(refused());
  }
  SECTION("because its program knows no such word") {
    commands.current = [] { return status(); };
    const auto server = must(control_server::start(room.settings.control_socket, commands));
    CHECK(refused());
  }
}

TEST_CASE("a key under a foreign master key is not removed by mistake", "[engine][rotation]") {
  const credential_room room;
  const auto foreign = must(crypto::file_key_store::open(
    room.settings.keys_directory, must(crypto::read_master_key(room.given))));
  must(foreign->import({"pfxengine", "foreign", {}, false},
                       must(crypto::private_key::generate(key_algorithm::rsa2048))));
  const auto refused = remove_key(room.settings, "pfxengine", "foreign");
  CHECK(code_of(refused) == errc::wrong_key);
  CHECK(refused.error().message.find("another master key") != std::string::npos);
  CHECK(files_in(room.settings.keys_directory) == 3);
}

TEST_CASE("a rotation whose new key was put in place too early is finished with the old one",
          "[engine][rotation]") {
  for (const std::string ended : {"next-key", "records", "store", "keys", "closed"}) {
    INFO(ended);
    const credential_room room;
    const auto old = room.folder.path("old.key");
    CHECK(code_of(rotate_master_key(room.settings, room.with_old(old))) == errc::bad_input);
    const rotation_order crashing{room.given, [&ended](std::string_view step) {
                                    return step == ended ? failure(errc::internal, "crash", "")
                                                         : result<void>();
                                  }};
    REQUIRE_FALSE(rotate_master_key(room.settings, crashing));
    room.exchange();
    const auto stuck = rotate_master_key(room.settings, {room.given, {}});
    CHECK(code_of(stuck) == errc::conflict);
    CHECK(stuck.error().message.find("master-key rotate --old-key FILE") != std::string::npos);
    CHECK(code_of(rotate_master_key(room.settings, room.with_old(room.given))) == errc::bad_input);
    const auto report = must(rotate_master_key(room.settings, room.with_old(old)));
    CHECK(report.resumed);
    CHECK(report.left.size() == 1); // nothing to exchange any more
    CHECK(refuse_during_rotation(room.settings));
    CHECK(must(list_keys(room.settings)).size() == 2);
    must(import_key(room.settings, named("three"), some_pem()));
  }
}

TEST_CASE("an interrupted rotation is not finished with a key that was never in use",
          "[engine][rotation]") {
  const credential_room room;
  const auto never = room.folder.path("never.key");
  must(crypto::write_new_master_key(never));
  const rotation_order crashing{
    room.given, [](std::string_view) { return result<void>(failure(errc::internal, "", "")); }};
  REQUIRE_FALSE(rotate_master_key(room.settings, crashing));
  room.exchange();
  CHECK(code_of(rotate_master_key(room.settings, room.with_old(never))) == errc::wrong_key);
  CHECK(code_of(refuse_during_rotation(room.settings)) == errc::conflict);
  must(rotate_master_key(room.settings, room.with_old(room.folder.path("old.key"))));
  CHECK(must(list_keys(room.settings)).size() == 2);
}

TEST_CASE("another user's data directory is told by the user's name", "[engine][keys]") {
  const test::sealed_room room;
  CHECK_FALSE(foreign_owner(room.settings));
  auto elsewhere = room.settings;
  elsewhere.data_directory = room.folder.path("none");
  CHECK_FALSE(foreign_owner(elsewhere));
  if (::geteuid() != 0)
    return; // only root can give a folder away
  REQUIRE(::chown(room.settings.data_directory.c_str(), 54'321, 54'321) == 0);
  CHECK(foreign_owner(room.settings) == std::optional<std::string>("#54321"));
  REQUIRE(::chown(room.settings.data_directory.c_str(), 1, 1) == 0);
  CHECK(foreign_owner(room.settings) == std::optional<std::string>("daemon"));
  REQUIRE(::chown(room.settings.data_directory.c_str(), 0, 0) == 0);
  must(import_key(room.settings, named("one"), some_pem()));
  REQUIRE(::chown((room.settings.data_directory + "/store").c_str(), 1, 1) == 0);
  CHECK(foreign_owner(room.settings) == std::optional<std::string>("daemon"));
}
