// What a machine believes: roots that follow each other, releases that only go forward, a memory
// that is written after verification and never lost by an attack.
#include "release/trust_store.hpp"

#include "tests/catch.hpp"
#include "tests/release/scratch.hpp"

using namespace pfx;
using namespace pfx::test;

namespace {

constexpr release::version v1{{0, 1, 0}};
constexpr release::version v2{{0, 2, 0}};
constexpr release::version v3{{0, 3, 0}};

std::string field_of(const result<release::trust_store::verified>& taken) {
  return taken ? "" : taken.error().field;
}

} // namespace

TEST_CASE("a newer release is taken and remembered across restarts", "[release]") {
  const maker_room room;
  room.offer(sample_manifest(v2, "two"), "two");
  auto trust = room.trust();
  REQUIRE(trust);
  const auto taken = trust->take_manifest(room.manifest_text(), room.machine(v1));
  REQUIRE(taken);
  CHECK(taken->is == release::standing::newer);
  const auto again = room.trust();
  REQUIRE(again);
  CHECK(again->highest()->what == v2);
}

TEST_CASE("an older signed release is refused, after a restart and a new installation too",
          "[release]") {
  const maker_room room;
  room.offer(sample_manifest(v2, "two"), "two");
  const auto old = room.manifest_text();
  room.offer(sample_manifest(v3, "three"), "three");
  {
    auto trust = room.trust();
    REQUIRE(trust->take_manifest(room.manifest_text(), room.machine(v1)));
  }
  auto trust = room.trust();
  CHECK(field_of(trust->take_manifest(old, room.machine(v1))) == "version");
  auto fresh = room.trust("fresh"); // knows nothing but what is installed
  CHECK(field_of(fresh->take_manifest(old, room.machine(v3))) == "version");
}

TEST_CASE("the same version with another content is refused and the first one kept", "[release]") {
  const maker_room room;
  room.offer(sample_manifest(v2, "two"), "two");
  auto trust = room.trust();
  REQUIRE(trust->take_manifest(room.manifest_text(), room.machine(v1)));
  const auto known = trust->highest();
  room.offer(sample_manifest(v2, "another two"), "another two");
  const auto taken = trust->take_manifest(room.manifest_text(), room.machine(v1));
  CHECK(taken.error().code == errc::conflict);
  CHECK(trust->highest() == known);
}

TEST_CASE("a manifest signed anew with a later expiry is the same release", "[release]") {
  const maker_room room;
  auto manifest = room.offer(sample_manifest(v2, "two"), "two");
  auto trust = room.trust();
  REQUIRE(trust->take_manifest(room.manifest_text(), room.machine(v1)));
  manifest.expires += 30 * a_day;
  manifest.share = 50;
  room.offer(manifest, "two");
  CHECK(trust->take_manifest(room.manifest_text(), room.machine(v1)));
}

TEST_CASE("nothing is remembered of what was refused", "[release]") {
  const maker_room room;
  auto trust = room.trust();
  REQUIRE(trust);
  const auto refused = [&](const release::manifest& what, const std::vector<std::uint8_t>& by) {
    room.offer(what, "two", by);
    const auto field = field_of(trust->take_manifest(room.manifest_text(), room.machine(v1)));
    CHECK_FALSE(trust->highest());
    CHECK_FALSE(std::filesystem::exists(room.path("trust/trust")));
    return field;
  };
  auto what = sample_manifest(v2, "two");
  CHECK(refused(what, {13}) == "signature");
  CHECK(refused(what, {1, 2}) == "signature");
  what.product = "other";
  room.put("feed/pfxengine_linux-x86-64.manifest", signed_by(release::encode(what), {11}));
  CHECK(field_of(trust->take_manifest(room.manifest_text(), room.machine(v1))) == "product");
  what = sample_manifest(v2, "two");
  what.expires = release_now;
  CHECK(refused(what, {11}) == "expires");
  what = sample_manifest(v2, "two");
  what.valid_from = release_now + 1000;
  CHECK(refused(what, {11}) == "valid-from");
  // The maker's own tool signs no such version; a thief's does.
  const auto pair = crypto::ed25519_from(release_seed(11));
  for (const auto* far : {"9223372036854775808.0.0", "0.2.100000"}) {
    auto body = release::encode(sample_manifest(v2, "two"));
    body.replace(body.find("0.2.0"), 5, far);
    const release::signature by{{pair->key}, *crypto::sign_ed25519(*pair, as_bytes(body))};
    const auto text = release::encode(release::signed_text{body, {by}});
    CHECK(field_of(trust->take_manifest(text, room.machine(v1))) == "version");
  }
  CHECK_FALSE(trust->highest());
}

TEST_CASE("roots are followed one by one, and remembered", "[release]") {
  const maker_room room;
  auto second = sample_root(2);
  second.roots = release_role(2, {4, 5});
  room.put("feed/2.root", signed_by(release::encode(second), {1, 2, 4, 5}));
  auto third = sample_root(3);
  third.roots = release_role(1, {6});
  third.releases = release_role(1, {16});
  room.put("feed/3.root", signed_by(release::encode(third), {4, 5, 6}));
  auto trust = room.trust();
  REQUIRE(trust->follow_all(*room.feed(), release_now));
  CHECK(trust->trusted_root().number == 3);
  CHECK(room.trust()->trusted_root().number == 3);
  room.offer(sample_manifest(v2, "two"), "two", {11}); // a key that was taken away
  CHECK(field_of(trust->take_manifest(room.manifest_text(), room.machine(v1))) == "signature");
  room.offer(sample_manifest(v2, "two"), "two", {16});
  CHECK(trust->take_manifest(room.manifest_text(), room.machine(v1)));
}

TEST_CASE("a root that the old keys did not sign stops the chain, not the machine", "[release]") {
  const maker_room room;
  auto second = sample_root(2);
  second.roots = release_role(1, {7});
  room.put("feed/2.root", signed_by(release::encode(second), {7}));
  auto trust = room.trust();
  const auto done = trust->follow_all(*room.feed(), release_now);
  REQUIRE_FALSE(done);
  CHECK(done.error().field == "root.signature");
  CHECK(trust->trusted_root().number == 1);
  room.offer(sample_manifest(v2, "two"), "two");
  CHECK(trust->take_manifest(room.manifest_text(), room.machine(v1)));
}

TEST_CASE("an expired root takes nothing, an expired one on the way does no harm", "[release]") {
  const maker_room room;
  auto trust = room.trust();
  const auto later = release_now + 366 * a_day;
  CHECK(trust->follow_all(*room.feed(), later).error().field == "root");
  room.offer(sample_manifest(v2, "two"), "two");
  auto here = room.machine(v1);
  here.now = later;
  CHECK(field_of(trust->take_manifest(room.manifest_text(), here)) == "root");
  auto second = sample_root(2);
  second.expires = later + a_day;
  room.put("feed/2.root", signed_by(release::encode(second), {1, 2}));
  CHECK(trust->follow_all(*room.feed(), later));
}

TEST_CASE("of two keys of which one suffices the stolen one takes what it said with it",
          "[release]") {
  const maker_room room; // release keys 11 and 12, threshold 1
  constexpr auto top = release::version_part_max;
  room.offer(sample_manifest({{top, top, top}}, "evil"), "evil", {11});
  auto trust = room.trust();
  REQUIRE(trust->take_manifest(room.manifest_text(), room.machine(v1)));
  auto second = sample_root(2);
  second.releases = release_role(1, {12});
  room.put("feed/2.root", signed_by(release::encode(second), {1, 2}));
  REQUIRE(trust->follow_all(*room.feed(), release_now));
  room.offer(sample_manifest(v2, "two"), "two", {12});
  CHECK(trust->take_manifest(room.manifest_text(), room.machine(v1)));
  CHECK(room.trust()->highest()->what == v2);
}

TEST_CASE("a stolen key's highest version of all is forgotten when its key is taken away",
          "[release]") {
  const maker_room room;
  constexpr auto top = release::version_part_max;
  room.offer(sample_manifest({{top, top, top}}, "evil"), "evil");
  auto trust = room.trust();
  REQUIRE(trust->take_manifest(room.manifest_text(), room.machine(v1)));
  auto second = sample_root(2);
  second.releases = release_role(1, {14});
  room.put("feed/2.root", signed_by(release::encode(second), {1, 2}));
  REQUIRE(trust->follow_all(*room.feed(), release_now));
  room.offer(sample_manifest(v2, "two"), "two", {14});
  CHECK(trust->take_manifest(room.manifest_text(), room.machine(v1)));
}

TEST_CASE("a damaged memory is an error and never begun anew", "[release]") {
  const maker_room room;
  room.offer(sample_manifest(v2, "two"), "two");
  REQUIRE(room.trust()->take_manifest(room.manifest_text(), room.machine(v1)));
  const auto good = text_at(room.path("trust/trust"));
  for (const auto& bad :
       {std::string(), good.substr(0, good.size() / 2), good + "x", std::string(100'000, 'x')}) {
    room.put("trust/trust", bad);
    CHECK_FALSE(room.trust());
  }
  std::filesystem::remove(room.path("trust/trust"));
  std::filesystem::create_symlink(room.path("first.root"), room.path("trust/trust"));
  CHECK_FALSE(room.trust());
}

TEST_CASE("without a first root nothing is believed", "[release]") {
  const maker_room room;
  CHECK(release::trust_store::open(room.path("x"), room.path("none"), release_now).error().code
        == errc::not_found);
  room.put("unsigned", release::encode(sample_root()));
  CHECK_FALSE(release::trust_store::open(room.path("y"), room.path("unsigned"), release_now));
}

TEST_CASE("a memory that cannot be written is not believed either", "[release]") {
  const maker_room room;
  room.offer(sample_manifest(v2, "two"), "two");
  auto trust = room.trust();
  std::filesystem::remove_all(room.path("trust"));
  room.put("trust", "a file in its place");
  CHECK_FALSE(trust->take_manifest(room.manifest_text(), room.machine(v1)));
  CHECK_FALSE(trust->highest());
}
