// The maker's tools: keys that are not shown, documents that are signed, feeds that a machine
// takes.
#include "release/maker.hpp"

#include "tests/catch.hpp"
#include "tests/release/scratch.hpp"

using namespace pfx;
using namespace pfx::test;

namespace fs = std::filesystem;

namespace {

constexpr release::version v1{{0, 1, 0}};
constexpr release::version v2{{0, 2, 0}};

/// A maker with key files of his own.
class workshop {
public:
  workshop() {
    for (const auto* name : {"root-a", "root-b", "release"})
      REQUIRE(release::make_key_file(path(name), ""));
    release::root first;
    first.product = "pfxengine";
    first.expires = release_now + 300 * a_day;
    first.roots = role(2, {"root-a", "root-b"});
    first.releases = role(1, {"release"});
    REQUIRE(release::write_root(first, path("first.root")));
    folder.write("package.tar", tar_of({{"bin/pfxengine", "program"}}), 0644);
  }
  [[nodiscard]] std::string path(std::string_view name) const { return folder.path(name); }
  [[nodiscard]] release::role role(std::uint32_t threshold,
                                   const std::vector<std::string>& names) const {
    release::role out{threshold, {}};
    for (const auto& name : names)
      out.keys.push_back({*release::public_key_of(path(name)), release_now - a_day});
    std::sort(out.keys.begin(), out.keys.end());
    return out;
  }
  void sign(const char* document, const char* key) const {
    REQUIRE(release::sign_file(path(document), path(key), ""));
  }
  void publish_first() const {
    sign("first.root", "root-a");
    sign("first.root", "root-b");
    REQUIRE(release::publish_root(path("feed"), path("first.root"), release_now));
  }
  [[nodiscard]] release::manifest manifest(const release::version& what, const char* name) const {
    auto made = release::write_manifest(sample_manifest(what, ""), path("package.tar"), path(name));
    REQUIRE(made);
    return *made;
  }
  [[nodiscard]] result<release::manifest> publish(const char* name) const {
    return release::publish_release(path("feed"), path(name), path("package.tar"), release_now);
  }
  scratch_folder folder;
};

} // namespace

TEST_CASE("what a maker publishes, a machine takes", "[release]") {
  const workshop at;
  at.publish_first();
  const auto made = at.manifest(v2, "two.manifest");
  at.sign("two.manifest", "release");
  REQUIRE(at.publish("two.manifest"));
  auto trust = release::trust_store::open(at.path("trust"), at.path("feed/1.root"), release_now);
  REQUIRE(trust);
  const auto feed = release::open_folder_feed(at.path("feed"));
  REQUIRE(trust->follow_all(*feed, release_now));
  const auto text = feed->document("pfxengine_linux-x86-64.manifest", 10'000);
  REQUIRE(text);
  REQUIRE(trust->take_manifest(*text, maker_room::machine(v1)));
  auto staging = release::staging_folder::open(at.path("staging"));
  REQUIRE(staging->advance(*feed, made, *text));
  CHECK(*staging->advance(*feed, made, *text) == release::staging_folder::progress::done);
}

TEST_CASE("key files are for their owner alone and never overwritten", "[release]") {
  const workshop at;
  CHECK(static_cast<int>(fs::status(at.path("root-a")).permissions()) == 0600);
  const auto before = text_at(at.path("root-a"));
  CHECK(release::make_key_file(at.path("root-a"), "").error().code == errc::conflict);
  CHECK(text_at(at.path("root-a")) == before);
  fs::permissions(at.path("root-a"), fs::perms(0640));
  CHECK_FALSE(release::sign_file(at.path("first.root"), at.path("root-a"), ""));
  CHECK_FALSE(release::public_key_of(at.path("root-a")));
}

TEST_CASE("a sealed key signs only with its master key", "[release]") {
  const workshop at;
  const auto master = at.folder.write("master", std::string(32, 'a') + std::string(32, 'b'));
  const auto other = at.folder.write("other", std::string(32, 'c') + std::string(32, 'd'));
  REQUIRE(release::make_key_file(at.path("sealed"), master));
  CHECK_FALSE(release::sign_file(at.path("first.root"), at.path("sealed"), ""));
  CHECK_FALSE(release::sign_file(at.path("first.root"), at.path("sealed"), other));
  CHECK_FALSE(release::sign_file(at.path("first.root"), at.path("root-a"), master));
  CHECK(release::sign_file(at.path("first.root"), at.path("sealed"), master));
  CHECK(release::public_key_of(at.path("sealed")));
}

TEST_CASE("a feed takes no root and no release that a machine would refuse", "[release]") {
  const workshop at;
  at.sign("first.root", "root-a");
  CHECK_FALSE(release::publish_root(at.path("feed"), at.path("first.root"), release_now));
  CHECK_FALSE(fs::exists(at.path("feed/1.root")));
  at.publish_first();
  CHECK_FALSE(release::publish_root(at.path("feed"), at.path("first.root"), release_now));

  static_cast<void>(at.manifest(v2, "two.manifest"));
  CHECK_FALSE(at.publish("two.manifest")); // nobody signed
  at.sign("two.manifest", "root-a");
  CHECK(at.publish("two.manifest").error().field == "signature");
  at.sign("two.manifest", "release");
  at.folder.write("package.tar", tar_of({{"bin/pfxengine", "another"}}), 0644);
  CHECK(at.publish("two.manifest").error().field == "sha256");
  at.folder.write("package.tar", tar_of({{"bin/pfxengine", "program"}}), 0644);
  REQUIRE(at.publish("two.manifest"));
  CHECK(at.publish("two.manifest")); // the same again changes nothing

  static_cast<void>(at.manifest(v1, "one.manifest"));
  at.sign("one.manifest", "release");
  CHECK(at.publish("one.manifest").error().field == "version");
  at.folder.write("package.tar", tar_of({{"bin/pfxengine", "another"}}), 0644);
  static_cast<void>(at.manifest(v2, "again.manifest"));
  at.sign("again.manifest", "release");
  CHECK(at.publish("again.manifest").error().code == errc::conflict);
}

TEST_CASE("a package that could not be unpacked gets no manifest", "[release]") {
  const workshop at;
  at.folder.write("package.tar", tar_of({{"link", "", '2'}}), 0644);
  CHECK_FALSE(
    release::write_manifest(sample_manifest(v2, ""), at.path("package.tar"), at.path("m")));
  at.folder.write("package.tar", "no archive", 0644);
  CHECK_FALSE(
    release::write_manifest(sample_manifest(v2, ""), at.path("package.tar"), at.path("m")));
  CHECK_FALSE(fs::exists(at.path("m")));
}

TEST_CASE("documents are signed, other files are not", "[release]") {
  const workshop at;
  at.folder.write("letter", "dear sir\n", 0644);
  CHECK_FALSE(release::sign_file(at.path("letter"), at.path("root-a"), ""));
  CHECK(text_at(at.path("letter")) == "dear sir\n");
  CHECK_FALSE(release::sign_file(at.path("first.root"), at.path("letter"), ""));
}
