// The inputs that once broke something, and some that never should, through every fuzz target,
// built by the usual compiler. The fuzzer itself is tests/fuzz/run.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/catch.hpp"
#include "tests/fuzz/seeds.hpp"
#include "tests/fuzz/target.hpp"

using namespace pfx;
namespace fs = std::filesystem;

namespace {

std::size_t replay(const fuzz::target& target, const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string octets{std::istreambuf_iterator<char>(file), {}};
    CAPTURE(entry.path().string());
    CHECK_NOTHROW(target.run(as_bytes(octets)));
    ++count;
  }
  return count;
}

class seed_folder {
public:
  seed_folder() {
    std::string name = (fs::temp_directory_path() / "pfx-seeds-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
    fuzz::write_seeds(name);
  }
  seed_folder(const seed_folder&) = delete;
  seed_folder& operator=(const seed_folder&) = delete;
  ~seed_folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  fs::path path;
};

} // namespace

TEST_CASE("every input that was ever found is handled", "[fuzz]") {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(PFX_TEST_DATA) / "fuzz-regressions")) {
    if (!entry.is_directory())
      continue;
    const auto name = entry.path().filename().string();
    CAPTURE(name);
    const auto run = fuzz::target_of(name);
    REQUIRE(run != nullptr);
    count += replay({name, run}, entry.path());
  }
  CHECK(count > 0);
}

TEST_CASE("every fuzz target takes what our own codecs write", "[fuzz]") {
  const seed_folder seeds;
  std::size_t count = 0;
  for (const auto& target : fuzz::all_targets()) {
    const auto folder = seeds.path / std::string(target.name);
    if (fs::is_directory(folder))
      count += replay(target, folder);
  }
  CHECK(count > 30);
}

TEST_CASE("every fuzz target takes nothing at all and single octets", "[fuzz]") {
  CHECK(fuzz::all_targets().size() > 12);
  for (const auto& target : fuzz::all_targets()) {
    CAPTURE(std::string(target.name));
    CHECK_NOTHROW(target.run({}));
    for (unsigned octet = 0; octet < 256; octet += 5) {
      const bytes one{static_cast<std::uint8_t>(octet)};
      CHECK_NOTHROW(target.run(one));
    }
  }
}

TEST_CASE("a broken promise of a fuzz target is noticed", "[fuzz]") {
  CHECK_THROWS(fuzz::promise(false, "kept"));
  CHECK_NOTHROW(fuzz::promise(true, "kept"));
}
