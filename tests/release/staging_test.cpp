// Downloads: in parts, resumed, verified whole before anything is called staged.
#include "release/staging.hpp"

#include "tests/catch.hpp"
#include "tests/release/scratch.hpp"

using namespace pfx;
using namespace pfx::test;
using release::staging_folder;

namespace {

constexpr release::version v2{{0, 2, 0}};
constexpr release::version v3{{0, 3, 0}};

std::string long_package() {
  std::string out;
  while (out.size() < 3 * release::part_bytes + 17)
    out += "line " + std::to_string(out.size()) + "\n";
  return out;
}

/// Until it is staged or an error comes; how many calls it took.
result<int> to_the_end(staging_folder& into, release::feed& from, const release::manifest& of,
                       const std::string& text) {
  for (int calls = 1; calls < 100; ++calls) {
    const auto step = into.advance(from, of, text);
    if (!step)
      return failure(step.error());
    if (*step == staging_folder::progress::done)
      return calls;
  }
  return failure(errc::internal, "", "no end");
}

} // namespace

TEST_CASE("a package arrives in parts and is staged when it is whole", "[release]") {
  const maker_room room;
  const auto package = long_package();
  const auto of = room.offer(sample_manifest(v2, package), package);
  auto staging = staging_folder::open(room.path("staging"));
  REQUIRE(staging);
  CHECK_FALSE(*staging->current());
  REQUIRE(*staging->advance(*room.feed(), of, room.manifest_text())
          == staging_folder::progress::more);
  CHECK(staging->arrived(of) == release::part_bytes);
  CHECK_FALSE(*staging->current());
  CHECK(*to_the_end(*staging, *room.feed(), of, room.manifest_text()) == 4);
  const auto there = staging->current();
  REQUIRE(there);
  REQUIRE(*there);
  CHECK((*there)->what == of);
  CHECK((*there)->manifest_text == room.manifest_text());
  CHECK(text_at((*there)->package_path) == package);
}

TEST_CASE("a download goes on where an earlier run stopped", "[release]") {
  const maker_room room;
  const auto package = long_package();
  const auto of = room.offer(sample_manifest(v2, package), package);
  {
    auto staging = staging_folder::open(room.path("staging"));
    REQUIRE(staging->advance(*room.feed(), of, room.manifest_text()));
    REQUIRE(staging->advance(*room.feed(), of, room.manifest_text()));
  }
  // A crash in the middle of a write leaves any length.
  std::filesystem::resize_file(room.path("staging/pfxengine_0.2.0_linux-x86-64.tar.part"),
                               release::part_bytes + 5);
  auto staging = staging_folder::open(room.path("staging"));
  CHECK(*to_the_end(*staging, *room.feed(), of, room.manifest_text()) == 4);
  CHECK(text_at((*staging->current())->package_path) == package);
}

TEST_CASE("a part that a crash filled with other octets is thrown away", "[release]") {
  const maker_room room;
  const auto package = long_package();
  const auto of = room.offer(sample_manifest(v2, package), package);
  auto staging = staging_folder::open(room.path("staging"));
  room.put("staging/pfxengine_0.2.0_linux-x86-64.tar.part", std::string(100, '\0'));
  const auto first = to_the_end(*staging, *room.feed(), of, room.manifest_text());
  REQUIRE_FALSE(first);
  CHECK(first.error().field == "sha256");
  CHECK_FALSE(*staging->current());
  CHECK(to_the_end(*staging, *room.feed(), of, room.manifest_text()));
  room.put("staging/pfxengine_0.2.0_linux-x86-64.tar.part", std::string(package.size() + 1, 'x'));
  CHECK(to_the_end(*staging, *room.feed(), of, room.manifest_text()));
}

TEST_CASE("a staged package that was damaged since is fetched anew", "[release]") {
  const maker_room room;
  const auto package = long_package();
  const auto of = room.offer(sample_manifest(v2, package), package);
  auto staging = staging_folder::open(room.path("staging"));
  REQUIRE(to_the_end(*staging, *room.feed(), of, room.manifest_text()));
  CHECK(*staging->renew(of, room.manifest_text()));
  auto damaged = package;
  damaged[100] ^= 1;
  room.put("staging/pfxengine_0.2.0_linux-x86-64.tar", damaged);
  CHECK_FALSE(staging->holds(of));
  CHECK_FALSE(*staging->renew(of, room.manifest_text()));
  REQUIRE(to_the_end(*staging, *room.feed(), of, room.manifest_text()));
  CHECK(staging->holds(of));
  CHECK(text_at((*staging->current())->package_path) == package);
}

TEST_CASE("a package that is cut, longer or another is never staged", "[release]") {
  const maker_room room;
  const std::string package = "the right package";
  auto staging = staging_folder::open(room.path("staging"));
  const auto of = sample_manifest(v2, package);
  room.offer(of, package.substr(0, 5));
  auto done = to_the_end(*staging, *room.feed(), of, room.manifest_text());
  CHECK(done.error().field == "length");
  CHECK_FALSE(*staging->current());
  room.offer(of, "the wrong package");
  std::filesystem::remove(room.path("staging/pfxengine_0.2.0_linux-x86-64.tar.part"));
  done = to_the_end(*staging, *room.feed(), of, room.manifest_text());
  CHECK(done.error().field == "sha256");
  std::filesystem::remove(room.path("feed/pfxengine_0.2.0_linux-x86-64.tar"));
  done = to_the_end(*staging, *room.feed(), of, room.manifest_text());
  CHECK(done.error().code == errc::not_found);
  // What is longer in the feed is read no further than the manifest says.
  room.offer(of, package + " and more");
  CHECK(to_the_end(*staging, *room.feed(), of, room.manifest_text()));
  CHECK(text_at((*staging->current())->package_path) == package);
}

TEST_CASE("a feed that sends more than it was asked for is refused", "[release]") {
  class generous final : public release::feed {
  public:
    void cancel() noexcept override {}
    result<std::string> document(const std::string&, std::size_t) override { return "x"; }
    result<std::string> part(const std::string&, std::uint64_t, std::size_t count) override {
      return std::string(count + 1, 'x');
    }
  };
  const maker_room room;
  auto staging = staging_folder::open(room.path("staging"));
  generous from;
  const auto done = staging->advance(from, sample_manifest(v2, "package"), "text");
  CHECK(done.error().code == errc::too_large);
}

TEST_CASE("a package that does not fit on the disk is not begun", "[release]") {
  const maker_room room;
  auto of = sample_manifest(v2, "two");
  std::error_code none;
  const auto free = std::filesystem::space(room.path("feed"), none).available;
  of.length = release::package_bytes_max;
  auto staging = staging_folder::open(room.path("staging"));
  if (free < of.length)
    CHECK(staging->advance(*room.feed(), of, "text").error().code == errc::disk_full);
  // A device that takes nothing stands for a disk that filled up meanwhile.
  const auto part = room.path("staging/" + release::package_file_name(of) + ".part");
  std::filesystem::remove(part, none);
  std::filesystem::create_symlink("/dev/full", part);
  CHECK_FALSE(staging->advance(*room.feed(), of, "text"));
  CHECK_FALSE(*staging->current());
}

TEST_CASE("the next release takes the place of the one that was staged", "[release]") {
  const maker_room room;
  auto staging = staging_folder::open(room.path("staging"));
  const auto two = room.offer(sample_manifest(v2, "two"), "two");
  REQUIRE(to_the_end(*staging, *room.feed(), two, room.manifest_text()));
  const auto three = room.offer(sample_manifest(v3, "three"), "three");
  const auto text = room.manifest_text();
  REQUIRE(staging->advance(*room.feed(), three, text));
  CHECK((*staging->current())->what.what == v2); // until the other is whole
  REQUIRE(to_the_end(*staging, *room.feed(), three, text));
  CHECK((*staging->current())->what.what == v3);
  CHECK_FALSE(std::filesystem::exists(room.path("staging/" + release::package_file_name(two))));
}

TEST_CASE("what stands in the staging folder's manifest is looked at", "[release]") {
  const maker_room room;
  auto staging = staging_folder::open(room.path("staging"));
  room.put("staging/staged.manifest", "no manifest");
  CHECK(staging->current().error().code == errc::corrupt);
  room.put("staging/staged.manifest", std::string(release::document_bytes_max + 1, 'x'));
  CHECK_FALSE(staging->current());
}
