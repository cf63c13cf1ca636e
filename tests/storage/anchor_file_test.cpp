// The anchor file: whole or not at all, and nothing else is taken for one.
#include <fstream>
#include <iterator>

#include <sys/stat.h>

#include "storage/anchor_file.hpp"
#include "tests/catch.hpp"
#include "tests/storage/scratch.hpp"

using namespace pfx;

namespace {

storage::anchor_mark sample(std::uint64_t sequence) {
  storage::anchor_mark out;
  out.store_id.assign(16, 0xab);
  out.sequence = sequence;
  out.head.octets.fill(0xcd);
  out.records = 77;
  return out;
}

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

} // namespace

TEST_CASE("an anchor reads back as it was written, the last one only", "[storage][anchor]") {
  const scratch::directory room;
  const auto path = (room.root() / "anchor").string();
  CHECK_FALSE(storage::read_anchor(path).value().has_value());
  for (const std::uint64_t sequence : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    REQUIRE(storage::write_anchor(path, sample(sequence)).has_value());
    CHECK(storage::read_anchor(path).value() == sample(sequence));
  }
  struct ::stat about {};
  REQUIRE(::stat(path.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  CHECK(text_of(path).starts_with("pfxengine-anchor 2 abab"));
}

TEST_CASE("the anchor of a former version is read, and knows no records", "[storage][anchor]") {
  const scratch::directory room;
  const auto path = (room.root() / "anchor").string();
  REQUIRE(storage::write_anchor(path, sample(5)).has_value());
  auto text = text_of(path);
  text[17] = '1';
  write(path, text.substr(0, text.rfind(' ')) + "\n");
  auto without = sample(5);
  without.records = 0;
  CHECK(storage::read_anchor(path).value() == without);
}

TEST_CASE("what is no anchor is said to be damaged, and a fault of the disk is one",
          "[storage][anchor]") {
  const scratch::directory room;
  const auto path = (room.root() / "anchor").string();
  REQUIRE(storage::write_anchor(path, sample(5)).has_value());
  const auto good = text_of(path);
  const std::vector<std::string> wrong{"",
                                       "x",
                                       good + "more",
                                       good.substr(0, 60),
                                       "y" + good,
                                       good.substr(0, 17) + "3" + good.substr(18),
                                       good.substr(0, 17) + "1" + good.substr(18),
                                       good.substr(0, good.rfind(' ')) + "\n"};
  for (const auto& text : wrong) {
    INFO(text);
    write(path, text);
    CHECK(storage::read_anchor(path).error().code == errc::corrupt);
  }
  CHECK(storage::write_anchor((room.root() / "made" / "anchor").string(), sample(1)));
  CHECK(
    storage::write_anchor((room.root() / "no" / "such" / "anchor").string(), sample(1)).error().code
    == errc::io);
  CHECK(storage::read_anchor(room.root().string()).error().code == errc::io);
}

TEST_CASE("a half-written successor does not hide the anchor", "[storage][anchor]") {
  const scratch::directory room;
  const auto path = (room.root() / "anchor").string();
  REQUIRE(storage::write_anchor(path, sample(5)).has_value());
  write(path + ".next", "pfxengine-anc");
  CHECK(storage::read_anchor(path).value() == sample(5));
  REQUIRE(storage::write_anchor(path, sample(6)).has_value());
  CHECK(storage::read_anchor(path).value() == sample(6));
}
