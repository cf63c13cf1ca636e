// Packages: what a hostile archive can try, and that nothing of it reaches the disk.
#include "release/package.hpp"

#include "tests/catch.hpp"
#include "tests/release/scratch.hpp"

using namespace pfx;
using namespace pfx::test;

namespace fs = std::filesystem;

namespace {

class unpacking {
public:
  result<void> of(const std::string& archive) {
    return release::unpack(put(archive), folder_.path("out"));
  }
  [[nodiscard]] std::string put(const std::string& archive) const {
    return folder_.write("package.tar", archive, 0644);
  }
  bool refused(const std::vector<tar_entry>& all) {
    const bool out = !of(tar_of(all)) && !release::list_package(folder_.path("package.tar"));
    CHECK_FALSE(fs::exists(folder_.path("evil")));
    return out;
  }
  [[nodiscard]] std::string path(std::string_view name) const { return folder_.path(name); }

private:
  scratch_folder folder_;
};

} // namespace

TEST_CASE("a package is unpacked with plain rights", "[release]") {
  unpacking at;
  const std::string large(600'000, 'x');
  REQUIRE(at.of(tar_of({{"./", "", '5', 0777},
                        {"bin/", "", '5', 0777},
                        {"bin/pfxengine", large, '0', 04755},
                        {"share/doc/readme", "words", '0', 0666},
                        {"empty", "", '0', 0}})));
  CHECK(text_at(at.path("out/bin/pfxengine")) == large);
  CHECK(text_at(at.path("out/share/doc/readme")) == "words");
  const auto rights
    = [&at](const char* name) { return static_cast<int>(fs::status(at.path(name)).permissions()); };
  CHECK(rights("out/bin/pfxengine") == 0755);
  CHECK(rights("out/share/doc/readme") == 0644);
  CHECK(rights("out/share") == 0755);
  CHECK(rights("out/empty") == 0644);
  CHECK(release::list_package(at.path("package.tar"))->size() == 5);
}

TEST_CASE("what a former try left is removed first", "[release]") {
  unpacking at;
  REQUIRE(at.of(tar_of({{"old", "x"}})));
  REQUIRE(at.of(tar_of({{"new", "x"}})));
  CHECK_FALSE(fs::exists(at.path("out/old")));
  CHECK(fs::exists(at.path("out/new")));
}

TEST_CASE("archives that lead out, or hold more than files and folders, are refused", "[release]") {
  unpacking at;
  for (const auto* name : {"../evil", "/evil", "a/../../evil", "a//b", ".", "..", "a/.", "a/..", "",
                           "a\nb", "a b", "\xc3\xa4", "a/"}) {
    CAPTURE(name);
    CHECK(at.refused({{name, "x"}}));
  }
  for (const char type : {'1', '2', '3', '4', '6', '7', 'x', 'g', 'L', 'K', 'S', '\0'})
    CHECK(at.refused({{"name", "", type}}));
  CHECK(at.refused({{"twice", "x"}, {"twice", "y"}}));
  CHECK(at.refused({{"folder", "content", '5'}}));
}

TEST_CASE("an archive that is cut or damaged is refused", "[release]") {
  unpacking at;
  const auto good = tar_of({{"file", std::string(700, 'x')}});
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{511}, std::size_t{512},
                                 std::size_t{1100}, std::size_t{1535}, std::size_t{1536}}) {
    CAPTURE(size);
    CHECK_FALSE(at.of(good.substr(0, size)));
  }
  for (const std::size_t spot : {0, 100, 124, 148, 156, 257, 263}) {
    auto bad = good;
    bad[spot] = static_cast<char>(bad[spot] ^ 0x01);
    CAPTURE(spot);
    CHECK_FALSE(at.of(bad));
  }
}

TEST_CASE("an archive of too many entries is refused", "[release]") {
  unpacking at;
  std::vector<tar_entry> many;
  for (std::size_t one = 0; one <= release::package_entries_max; ++one)
    many.push_back({"f" + std::to_string(one), ""});
  const auto read = release::list_package(at.put(tar_of(many)));
  REQUIRE_FALSE(read);
  CHECK(read.error().code == errc::too_large);
}

TEST_CASE("what the system's tar makes can be unpacked", "[release]") {
  unpacking at;
  const auto from = at.path("from");
  fs::create_directories(from + "/bin");
  std::ofstream(from + "/bin/program") << "content";
  const auto line = "tar --format=ustar --sort=name --owner=0 --group=0 -C '" + from + "' -cf '"
    + at.path("made.tar") + "' .";
  REQUIRE(std::system(line.c_str()) == 0);
  REQUIRE(release::unpack(at.path("made.tar"), at.path("out")));
  CHECK(text_at(at.path("out/bin/program")) == "content");
}
