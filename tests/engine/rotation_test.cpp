// The rotation of the master key: interrupted at every step and repeated, everything opens with the
// new key and nothing with the old; refused where it must not begin.
#include "engine/rotation.hpp"

#include "tests/catch.hpp"

#include <map>

#include "core/codec.hpp"
#include "engine/identity.hpp"
#include "engine/keys.hpp"
#include "engine/rotation_guard.hpp"
#include "tests/engine/sealed_room.hpp"

namespace {

using namespace pfx;
using namespace pfx::engine;
using test::code_of;
using test::must;

namespace fs = std::filesystem;

constexpr std::uint64_t epoch = 7;
constexpr int requests = 80; ///< with two blobs each: more than one batch
constexpr int keys = 3;

const crypto::private_key& some_key() {
  static const auto key = must(crypto::private_key::generate(key_algorithm::rsa2048));
  return key;
}

/// Everything that can be sealed, sealed under the room's master key.
class full_room : public test::sealed_room {
public:
  full_room() {
    const auto under = [this](std::string_view id, std::uint64_t in_epoch) {
      return must(crypto::sealer::make(master(), as_bytes(id), in_epoch));
    };
    const auto identity = under("pfxengine-identity-1", 1);
    const auto plain = must(some_key().to_pkcs8());
    must(engine::detail::write_new_file(
      settings.identity_file + ".key",
      must(identity.seal({1, as_bytes("connector-key")}, plain.view()))));
    const auto room = this->keys();
    for (int i = 0; i < ::keys; ++i) {
      crypto::new_key what;
      what.provider = "pfxengine";
      what.name = "key " + std::to_string(i);
      must(room->import(what, some_key()));
    }
    fill(*store());
    old_master = master();
  }

  void fill(storage::store& store) {
    const auto seal = must(crypto::sealer::make(master(), store.store_id(), epoch));
    storage::batch batch{storage::put_meta{"epoch", writer().u64(epoch).take()},
                         storage::put_meta{"master-key-id", seal.key_id()}};
    for (int i = 0; i < requests; ++i) {
      const request_key key{"contoso", flow::pfx, "ctx-" + std::to_string(i)};
      for (const auto kind : {i % 2 == 0 ? blob_kind::request : blob_kind::certificate,
                              i % 3 == 0 ? blob_kind::intent : blob_kind::result}) {
        const auto place = storage::store::blob_key(key, kind);
        batch.push_back(storage::put_blob{
          key, kind,
          must(seal.seal({static_cast<std::uint8_t>(kind), place}, as_bytes(key.context)))});
      }
    }
    must(store.commit(batch));
    must(store.close_clean());
  }

  /// Blobs that this key opens, and those it does not.
  std::pair<int, int> blobs_under(const secret_bytes& key) const {
    const auto open = store();
    const auto seal = must(crypto::sealer::make(key.duplicate(), open->store_id(), epoch + 1));
    std::pair<int, int> out;
    must(open->each_blob([&](const request_key& of, blob_kind kind, const bytes& sealed) {
      const auto place = storage::store::blob_key(of, kind);
      const auto plain = seal.open({static_cast<std::uint8_t>(kind), place}, sealed);
      const bool good = plain && plain->text() == of.context;
      (good ? out.first : out.second) += 1;
      if (!good)
        CHECK(plain.error().code == errc::wrong_key);
      return true;
    }));
    must(engine::detail::leave(*open));
    return out;
  }

  void everything_is_under(const secret_bytes& key, const secret_bytes& no_more) const {
    CHECK(blobs_under(key) == std::pair(2 * requests, 0));
    CHECK(blobs_under(no_more) == std::pair(0, 2 * requests));
    CHECK(engine::detail::reseal_identity(settings, key, nullptr));
    CHECK(code_of(engine::detail::reseal_identity(settings, no_more, nullptr)) == errc::wrong_key);
    const auto list_under = [this](const secret_bytes& with) {
      return must(crypto::file_key_store::open(settings.keys_directory, with.duplicate()))->list();
    };
    CHECK(must(list_under(key)).keys.size() == ::keys);
    CHECK(must(list_under(key)).faults.empty());
    CHECK(must(list_under(no_more)).keys.empty());
    const auto open = store();
    const auto seal = must(crypto::sealer::make(key.duplicate(), open->store_id(), epoch));
    CHECK(must(open->meta("master-key-id")) == std::optional(seal.key_id()));
    must(engine::detail::leave(*open));
  }

  int rotations_in_audit() const {
    int out = 0;
    for (const auto& each : audit())
      out += each.event == audit_events::master_key_rotated ? 1 : 0;
    return out;
  }

  secret_bytes old_master;
  bool damaged = false;
};

/// Ends a rotation at the n-th step (from 1); 0 = never. Counts them.
struct crash {
  int at = 0;
  int seen = 0;
  std::vector<std::string> steps;

  rotation_order order(std::string new_key_file = "") {
    return {std::move(new_key_file), [this](std::string_view step) -> result<void> {
              steps.emplace_back(step);
              return ++seen == at ? failure(errc::internal, "crash", std::string(step))
                                  : result<void>();
            }};
  }
};

bool same(const secret_bytes& left, const secret_bytes& right) {
  return equal_constant_time(left.view(), right.view());
}

} // namespace

TEST_CASE("after a rotation everything opens with the new key and nothing with the old",
          "[engine][rotation]") {
  const full_room room;
  crash never;
  const auto report = must(rotate_master_key(room.settings, never.order()));
  CHECK_FALSE(report.resumed);
  CHECK(report.records == 2 * requests);
  CHECK(report.keys == keys);
  CHECK(report.identity);
  CHECK(never.steps
        == std::vector<std::string>{"next-key", "records", "records", "store", "identity", "keys",
                                    "closed", "done"});
  CHECK_FALSE(same(room.master(), room.old_master));
  room.everything_is_under(room.master(), room.old_master);
  CHECK(room.rotations_in_audit() == 1);
  CHECK(refuse_during_rotation(room.settings));
  CHECK_FALSE(fs::exists(room.settings.master_key_file + ".next"));
  CHECK((fs::status(room.settings.master_key_file).permissions() & fs::perms::all)
        == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("a rotation that was interrupted at any step is finished by a repeat",
          "[engine][rotation]") {
  for (int at = 1; at <= 8; ++at) {
    const full_room room;
    crash crashing{at};
    REQUIRE_FALSE(rotate_master_key(room.settings, crashing.order()));
    INFO("step " << at << ": " << crashing.steps.back());
    REQUIRE(crashing.seen == at);
    const bool done = crashing.steps.back() == "done";
    CHECK(refuse_during_rotation(room.settings).has_value() == done);
    if (!done) {
      // The old key lies where it lay, and nobody works with a half.
      CHECK(same(room.master(), room.old_master));
      CHECK(code_of(list_keys(room.settings)) == errc::conflict);
      CHECK(code_of(load_identity(room.settings)) == errc::conflict);
      CHECK(code_of(register_with_service(room.settings, {"code", "name"})) == errc::conflict);
      CHECK(code_of(read_audit(room.settings, 1)) == errc::conflict);
      CHECK(code_of(create_key(room.settings, {}, "rsa2048")) != errc::none);
      crash again{2}; // and once more, two steps later
      REQUIRE_FALSE(rotate_master_key(room.settings, again.order()));
      REQUIRE(code_of(refuse_during_rotation(room.settings)) == errc::conflict);
      const auto report = must(rotate_master_key(room.settings, {}));
      CHECK(report.resumed);
    }
    CHECK(refuse_during_rotation(room.settings));
    CHECK_FALSE(same(room.master(), room.old_master));
    room.everything_is_under(room.master(), room.old_master);
    CHECK(room.rotations_in_audit() == 1);
  }
}

TEST_CASE("one rotation follows another", "[engine][rotation]") {
  const full_room room;
  must(rotate_master_key(room.settings, {}));
  const auto second = room.master();
  must(rotate_master_key(room.settings, {}));
  room.everything_is_under(room.master(), second);
  CHECK(room.rotations_in_audit() == 2);
}

TEST_CASE("where nothing is sealed yet, the key is exchanged all the same", "[engine][rotation]") {
  const test::sealed_room room;
  const auto before = room.master();
  const auto report = must(rotate_master_key(room.settings, {}));
  CHECK(report.records == 0);
  CHECK(report.keys == 0);
  CHECK_FALSE(report.identity);
  CHECK_FALSE(same(room.master(), before));
}

TEST_CASE("a rotation does not begin beside an engine or another command", "[engine][rotation]") {
  const full_room room;
  SECTION("an engine owns the store") {
    const auto owned = room.store();
    CHECK(code_of(rotate_master_key(room.settings, {})) == errc::store_locked);
  }
  SECTION("a command works with the keys") {
    const auto command = must(engine::detail::secrets_guard::shared(room.settings));
    CHECK(code_of(rotate_master_key(room.settings, {})) == errc::unavailable);
  }
  SECTION("and no command beside a rotation") {
    const auto rotation = must(engine::detail::secrets_guard::alone(room.settings));
    CHECK(code_of(list_keys(room.settings)) == errc::unavailable);
    CHECK(code_of(rotate_master_key(room.settings, {})) == errc::unavailable);
  }
  CHECK(refuse_during_rotation(room.settings));
  CHECK(same(room.master(), room.old_master));
}

TEST_CASE("a rotation does not begin with a key that is not the one in use", "[engine][rotation]") {
  full_room room;
  const auto swap_key = [&] {
    fs::remove(room.settings.master_key_file);
    must(crypto::write_new_master_key(room.settings.master_key_file));
  };
  SECTION("of the store") {
    swap_key();
    CHECK(code_of(rotate_master_key(room.settings, {})) == errc::wrong_key);
  }
  SECTION("of the identity") {
    room.settings.data_directory = room.folder.path("other"); // with a store that knows no key
    REQUIRE(engine::detail::make_private_folder(room.settings.data_directory));
    swap_key();
    CHECK(code_of(rotate_master_key(room.settings, {})) == errc::wrong_key);
  }
  SECTION("of the connector keys") {
    room.settings.data_directory = room.folder.path("other");
    room.settings.identity_file = room.folder.path("other/identity.json");
    REQUIRE(engine::detail::make_private_folder(room.settings.data_directory));
    swap_key();
    CHECK(code_of(rotate_master_key(room.settings, {})) == errc::wrong_key);
  }
  SECTION("because a connector key is damaged") {
    const auto file = fs::directory_iterator(room.settings.keys_directory)->path();
    const auto size = fs::file_size(file);
    const auto kept = room.folder.path("kept.key");
    fs::copy_file(file, kept);
    fs::resize_file(file, size - 1);
    CHECK(code_of(rotate_master_key(room.settings, {})) == errc::corrupt);
    fs::copy_file(kept, file, fs::copy_options::overwrite_existing);
  }
  SECTION("because a record is damaged") {
    const auto store = room.store();
    const request_key key{"contoso", flow::pfx, "ctx-5"};
    auto sealed = must(store->find_blob(key, blob_kind::certificate));
    REQUIRE(sealed);
    sealed->back() ^= 1;
    room.damaged = true;
    must(store->commit({storage::put_blob{key, blob_kind::certificate, *sealed}}));
    must(store->close_clean());
  }
  if (room.damaged)
    CHECK(code_of(rotate_master_key(room.settings, {})) == errc::corrupt);
  CHECK(refuse_during_rotation(room.settings)); // nothing was begun
}

TEST_CASE("a key can be given instead of made", "[engine][rotation]") {
  const full_room room;
  const auto given = room.folder.path("given.key");
  must(crypto::write_new_master_key(given));
  SECTION("and is used") {
    must(rotate_master_key(room.settings, {given, {}}));
    CHECK(same(room.master(), must(crypto::read_master_key(given))));
    room.everything_is_under(room.master(), room.old_master);
  }
  SECTION("but not the one in use, nor one that is none") {
    CHECK(code_of(rotate_master_key(room.settings, {room.settings.master_key_file, {}}))
          == errc::bad_input);
    const auto wide = room.folder.write("wide.key", std::string(64, 'a') + "b", 0644);
    CHECK(code_of(rotate_master_key(room.settings, {wide, {}})) == errc::bad_input);
    CHECK(code_of(rotate_master_key(room.settings, {room.folder.path("none"), {}}))
          == errc::bad_input);
    CHECK(refuse_during_rotation(room.settings));
  }
  SECTION("but not another one for a rotation that was interrupted") {
    crash crashing{2};
    CHECK_FALSE(rotate_master_key(room.settings, crashing.order()));
    const auto refused = rotate_master_key(room.settings, {given, {}});
    CHECK(code_of(refused) == errc::conflict);
    CHECK(refused.error().field == "newKey");
    must(rotate_master_key(room.settings, {}));
  }
}

TEST_CASE("a master key that others keep is rotated to a given one, and they exchange it",
          "[engine][rotation]") {
  full_room room;
  // A link stands for everything that this program cannot replace.
  const auto kept = room.folder.path("credential");
  fs::rename(room.settings.master_key_file, kept);
  fs::create_symlink(kept, room.settings.master_key_file);
  const auto refused = rotate_master_key(room.settings, {});
  CHECK(code_of(refused) == errc::bad_input);
  CHECK(refused.error().field == "newKey");
  CHECK(refuse_during_rotation(room.settings));

  const auto given = room.folder.path("given.key");
  const auto other = room.folder.path("other.key");
  must(crypto::write_new_master_key(given));
  must(crypto::write_new_master_key(other));
  int interruptions = 0;
  for (int at = 1;; ++at) { // each time from where the one before ended
    crash crashing{at};
    REQUIRE_FALSE(rotate_master_key(room.settings, crashing.order(given)));
    if (crashing.steps.back() == "done")
      break;
    ++interruptions;
    CHECK(code_of(refuse_during_rotation(room.settings)) == errc::conflict);
    CHECK(code_of(rotate_master_key(room.settings, {})) == errc::bad_input);
    CHECK(code_of(rotate_master_key(room.settings, {other, {}})) == errc::conflict);
  }
  CHECK(interruptions >= 4);
  // Finished, the key not yet exchanged: to repeat it does no harm.
  const auto report = must(rotate_master_key(room.settings, {given, {}}));
  CHECK(report.left.size() == 2);
  CHECK(report.left[0].find(given) != std::string::npos);
  CHECK(refuse_during_rotation(room.settings));
  // Until the operator exchanges it, nothing opens.
  CHECK(same(room.master(), room.old_master));
  CHECK(code_of(list_keys(room.settings)) == errc::wrong_key);
  fs::copy_file(given, kept, fs::copy_options::overwrite_existing);
  room.everything_is_under(room.master(), room.old_master);
  CHECK(must(list_keys(room.settings)).size() == keys);
  CHECK(room.rotations_in_audit() == 1);
}

TEST_CASE("a rotation is not finished with a key that lies elsewhere by now",
          "[engine][rotation]") {
  const full_room room;
  crash crashing{2};
  REQUIRE_FALSE(rotate_master_key(room.settings, crashing.order()));
  const auto given = room.folder.path("given.key");
  const auto kept = room.folder.path("credential");
  must(crypto::write_new_master_key(given));
  fs::rename(room.settings.master_key_file, kept);
  fs::create_symlink(kept, room.settings.master_key_file);
  CHECK(code_of(rotate_master_key(room.settings, {given, {}})) == errc::conflict);
  fs::rename(kept, room.settings.master_key_file);
  must(rotate_master_key(room.settings, {}));
  room.everything_is_under(room.master(), room.old_master);
}

TEST_CASE("a stranger's next key is not trusted", "[engine][rotation]") {
  const full_room room;
  SECTION("with wide rights") {
    room.folder.write("master.key.next", std::string(63, 'a') + "b", 0644);
  }
  SECTION("that is no key") { room.folder.write("master.key.next", "hello"); }
  CHECK(code_of(rotate_master_key(room.settings, {})) == errc::bad_input);
  CHECK(same(room.master(), room.old_master));
  CHECK(room.blobs_under(room.old_master) == std::pair(2 * requests, 0));
}

TEST_CASE("after a rotation the old sealed octets are gone from the database's files",
          "[engine][rotation]") {
  const full_room room;
  const request_key key{"contoso", flow::pfx, "ctx-4"};
  bytes before;
  {
    const auto store = room.store();
    before = must(store->find_blob(key, blob_kind::request)).value();
    must(store->close_clean());
  }
  const auto on_disk = [&] {
    const auto needle = to_text(byte_view(before).last(24));
    for (const auto& file : fs::recursive_directory_iterator(room.settings.data_directory))
      if (file.is_regular_file()
          && to_text(must(engine::detail::read_file(file.path().string(), 4u << 20))).find(needle)
            != std::string::npos)
        return true;
    return false;
  };
  CHECK(on_disk());
  must(rotate_master_key(room.settings, {}));
  CHECK_FALSE(on_disk());
}
