// Releases as values: one form for each document, and the questions that a manifest must stand.
#include "core/release.hpp"

#include "tests/catch.hpp"

using namespace pfx;
namespace rel = pfx::release;

namespace {

constexpr unix_ms now = 1'793'534'400'000; // 2026-11-01T12:00:00Z
constexpr std::int64_t day = 86'400'000;

rel::role_key key_of(std::uint8_t octet) {
  rel::role_key out;
  out.key.octets.fill(octet);
  out.valid_from = now - day;
  return out;
}

rel::root sample_root() {
  rel::root out;
  out.product = "pfxengine";
  out.number = 3;
  out.expires = now + 365 * day;
  out.roots = {2, {key_of(1), key_of(2), key_of(3)}};
  out.releases = {1, {key_of(9)}};
  return out;
}

rel::manifest sample_manifest() {
  rel::manifest out;
  out.product = "pfxengine";
  out.platform = "linux-x86-64";
  out.what = {{1, 20, 3}};
  out.released = out.valid_from = now - day;
  out.expires = now + 30 * day;
  out.length = 4'096;
  out.hash.octets.fill(7);
  out.share = 25;
  return out;
}

rel::expectation here() { return {"pfxengine", "linux-x86-64", {{1, 20, 2}}, now}; }

std::string changed(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string field_of(const result<rel::manifest>& read) { return read ? "" : read.error().field; }
std::string root_field(const result<rel::root>& read) { return read ? "" : read.error().field; }
std::string field_of(const result<rel::standing>& read) { return read ? "" : read.error().field; }

} // namespace

TEST_CASE("versions are three numbers and ordered as numbers", "[core][release]") {
  CHECK(rel::version_from("1.20.3")->parts == std::array<std::uint32_t, 3>{1, 20, 3});
  CHECK(rel::to_string(rel::version{{0, 10, 99'999}}) == "0.10.99999");
  CHECK(*rel::version_from("1.9.0") < *rel::version_from("1.10.0"));
  CHECK(*rel::version_from("0.99999.99999") < *rel::version_from("1.0.0"));
  for (const auto* bad : {"",
                          "1",
                          "1.2",
                          "1.2.3.4",
                          "1.2.",
                          ".1.2",
                          "1..2",
                          "01.2.3",
                          "1.2.03",
                          "1.2.3 ",
                          " 1.2.3",
                          "1.2.3\n",
                          "+1.2.3",
                          "-1.2.3",
                          "1.2.3-rc",
                          "v1.2.3",
                          "1,2,3",
                          "1.2.100000",
                          "9223372036854775808.0.0",
                          "18446744073709551616.0.0",
                          "0x1.0.0"}) {
    CAPTURE(bad);
    CHECK_FALSE(rel::version_from(bad));
  }
}

TEST_CASE("documents are read as they are written", "[core][release]") {
  CHECK(*rel::decode_root(rel::encode(sample_root())) == sample_root());
  CHECK(*rel::decode_manifest(rel::encode(sample_manifest())) == sample_manifest());
  rel::trust known{"any text\nof a root\n", std::nullopt};
  CHECK(*rel::decode_trust(rel::encode(known)) == known);
  known.highest = rel::seen_of(sample_manifest());
  CHECK(*rel::decode_trust(rel::encode(known)) == known);
}

TEST_CASE("a manifest has one form, and every other names its field", "[core][release]") {
  const auto good = rel::encode(sample_manifest());
  const auto field = [&good](std::string_view from, std::string_view to) {
    return field_of(rel::decode_manifest(changed(good, from, to)));
  };
  CHECK(field("manifest 1", "manifest 2") == "pfxengine-release-manifest");
  CHECK(field("pfxengine-release-manifest", "pfxengine-release-root")
        == "pfxengine-release-manifest");
  CHECK(field("product pfxengine", "product ../etc") == "product");
  CHECK(field("product pfxengine", "product ") == "product");
  CHECK(field("product pfxengine", "product Pfxengine") == "product");
  CHECK(field("platform linux", "platform -linux") == "platform");
  CHECK(field("platform linux-x86-64\n", "platform linux/x86-64\n") == "platform");
  CHECK(field("version 1.20.3", "version 9223372036854775808.0.0") == "version");
  CHECK(field("version 1.20.3", "version 1.20.3 ") == "version");
  CHECK(field("released 2026", "released 20266") == "released");
  CHECK(field("T12:00:00Z", "T12:00:00.5Z") == "released");
  CHECK(field("T12:00:00Z", "T12:00:00+00:00") == "released");
  CHECK(field("expires 2026-12", "expires 2026-10") == "expires");
  CHECK(field("expires 2026", "expires 2036") == "expires");
  CHECK(field("length 4096", "length 0") == "length");
  CHECK(field("length 4096", "length 04096") == "length");
  CHECK(field("length 4096", "length 1073741825") == "length");
  CHECK(field("length 4096", "length 18446744073709551616") == "length");
  CHECK(field("sha256 07", "sha256 0") == "sha256");
  CHECK(field("sha256 07", "sha256 0G") == "sha256");
  CHECK(field("share 25", "share 101") == "share");
  CHECK(field("store-format 1", "store-format 0") == "store-format");
  CHECK(field("length 4096\n", "") == "length");
  CHECK(field("length 4096\n", "length 4096\nlength 4096\n") == "sha256");
  CHECK(field("\nlength", "\r\nlength") == "expires");
  CHECK(field_of(rel::decode_manifest(good + "more 1\n")) == "document");
  CHECK(field_of(rel::decode_manifest(good + "\n")) == "document");
  CHECK(field_of(rel::decode_manifest(good.substr(0, good.size() - 1))) == "store-format");
  CHECK(field_of(rel::decode_manifest("")) == "pfxengine-release-manifest");
  CHECK(rel::decode_manifest(std::string(rel::document_bytes_max + 1, 'x')).error().code
        == errc::too_large);
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK_FALSE(rel::decode_manifest(good.substr(0, size)));
}

TEST_CASE("a root names each key once and no threshold that cannot be met", "[core][release]") {
  const auto field
    = [](const rel::root& one) { return root_field(rel::decode_root(rel::encode(one))); };
  CHECK(field(sample_root()).empty());
  auto bad = sample_root();
  bad.roots.threshold = 4;
  CHECK(field(bad) == "root-threshold");
  bad = sample_root();
  bad.releases.threshold = 0;
  CHECK(field(bad) == "release-threshold");
  bad = sample_root();
  bad.releases.keys.clear();
  CHECK(field(bad) == "release-threshold");
  bad = sample_root();
  bad.roots.keys[1] = bad.roots.keys[0];
  bad.roots.keys[1].valid_from += 1000; // the same key twice would count twice
  CHECK(field(bad) == "root-key");
  bad = sample_root();
  std::swap(bad.roots.keys[0], bad.roots.keys[1]);
  CHECK(field(bad) == "root-key");
  bad = sample_root();
  bad.roots.keys.clear();
  for (std::uint8_t at = 1; at <= rel::keys_max + 1; ++at)
    bad.roots.keys.push_back(key_of(at));
  CHECK(field(bad) == "root-key");
  bad = sample_root();
  bad.number = rel::root_number_max + 1;
  CHECK(field(bad) == "number");
}

TEST_CASE("signatures stand behind the body, in order, one of each key", "[core][release]") {
  const auto body = rel::encode(sample_manifest());
  rel::signature first;
  first.by.octets.fill(1);
  rel::signature second;
  second.by.octets.fill(2);
  const auto text = rel::encode(rel::signed_text{body, {first, second}});
  const auto read = rel::split_signatures(text);
  REQUIRE(read);
  CHECK(read->body == body);
  CHECK(read->signatures.size() == 2);
  CHECK(rel::encode(*read) == text);
  CHECK_FALSE(rel::split_signatures(body));
  CHECK_FALSE(rel::split_signatures(text + "x"));
  CHECK_FALSE(rel::split_signatures(text.substr(0, text.size() - 1)));
  CHECK_FALSE(rel::split_signatures(text + "product other\n"));
  CHECK_FALSE(rel::split_signatures(rel::encode(rel::signed_text{body, {second, first}})));
  CHECK_FALSE(rel::split_signatures(rel::encode(rel::signed_text{body, {first, first}})));
  CHECK_FALSE(rel::split_signatures(changed(text, "signature 01", "signature 0A")));
  rel::signed_text many{body, {}};
  for (std::size_t at = 0; at <= rel::signatures_max; ++at) {
    rel::signature one;
    one.by.octets.fill(static_cast<std::uint8_t>(at));
    many.signatures.push_back(one);
  }
  CHECK_FALSE(rel::split_signatures(rel::encode(many)));
}

TEST_CASE("a manifest is judged against this machine and its memory", "[core][release]") {
  using rel::judge;
  const auto offered = sample_manifest();
  CHECK(*judge(offered, here(), std::nullopt) == rel::standing::newer);
  CHECK(*judge(offered, here(), rel::seen_of(offered)) == rel::standing::newer);

  auto at = here();
  at.product = "other";
  CHECK(field_of(judge(offered, at, std::nullopt)) == "product");
  at = here();
  at.platform = "linux-arm64";
  CHECK(field_of(judge(offered, at, std::nullopt)) == "platform");
  at = here();
  at.now = offered.valid_from - 1;
  CHECK(field_of(judge(offered, at, std::nullopt)) == "valid-from");
  at.now = offered.expires;
  CHECK(field_of(judge(offered, at, std::nullopt)) == "expires");
  at = here();
  at.installed = offered.what;
  CHECK(*judge(offered, at, std::nullopt) == rel::standing::installed);
  at.installed = {{1, 21, 0}};
  CHECK(field_of(judge(offered, at, std::nullopt)) == "version");

  auto known = rel::seen_of(offered);
  known.what = {{1, 20, 4}};
  CHECK(field_of(judge(offered, here(), known)) == "version");
  known = rel::seen_of(offered);
  known.hash.octets[0] ^= 1;
  CHECK(judge(offered, here(), known).error().code == errc::conflict);
  known = rel::seen_of(offered);
  known.length += 1;
  CHECK(judge(offered, here(), known).error().code == errc::conflict);
}

TEST_CASE("what thieves of release keys said is forgotten with their keys", "[core][release]") {
  rel::seen stolen;
  stolen.what = {{99'999, 99'999, 99'999}};
  const auto before = sample_root();
  auto next = before;
  CHECK(rel::remembered_under(next, before, stolen) == stolen);
  next.releases.keys.push_back(key_of(10)); // the old one still counts
  CHECK(rel::remembered_under(next, before, stolen) == stolen);
  next.releases.keys = {key_of(10)};
  CHECK_FALSE(rel::remembered_under(next, before, stolen));
  next.releases = {2, {key_of(9), key_of(10)}}; // alone it no longer makes the threshold
  CHECK_FALSE(rel::remembered_under(next, before, stolen));
}

TEST_CASE("keys that could sign alone take what they said with them, others do not",
          "[core][release]") {
  rel::seen stolen;
  stolen.what = {{99'999, 99'999, 99'999}};
  auto before = sample_root();
  auto next = before;
  before.releases = {1, {key_of(9), key_of(10)}};
  next.releases = {1, {key_of(10)}}; // enough are kept, but 9 alone may have signed
  CHECK_FALSE(rel::remembered_under(next, before, stolen));

  before.releases = {2, {key_of(9), key_of(10), key_of(11), key_of(12)}};
  next.releases = {2, {key_of(11), key_of(12)}};
  CHECK_FALSE(rel::remembered_under(next, before, stolen));
  next.releases = {2, {key_of(11), key_of(12), key_of(13)}};
  CHECK_FALSE(rel::remembered_under(next, before, stolen));
  next.releases = {1, {key_of(12)}};
  CHECK_FALSE(rel::remembered_under(next, before, stolen));
  next.releases = {2, {key_of(10), key_of(11), key_of(12)}}; // 9 alone signed nothing
  CHECK(rel::remembered_under(next, before, stolen) == stolen);
  CHECK(rel::remembered_under(before, before, stolen) == stolen);

  // What is installed is the floor then.
  auto older = sample_manifest();
  older.what = {{1, 20, 1}};
  CHECK(field_of(judge(older, here(), std::nullopt)) == "version");
}

TEST_CASE("damaged memory is not taken for an empty one", "[core][release]") {
  const rel::trust known{rel::encode(sample_root()), rel::seen_of(sample_manifest())};
  const auto good = rel::encode(known);
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK(rel::decode_trust(good.substr(0, size)).error().code == errc::corrupt);
  CHECK_FALSE(rel::decode_trust(good + "x"));
  CHECK_FALSE(
    rel::decode_trust(changed(good, "highest-version 1.20.3", "highest-version 1.020.3")));
  CHECK_FALSE(rel::decode_trust(changed(good, "highest-length 4096\n", "")));
}

TEST_CASE("names of files in a feed are made of words", "[core][release]") {
  CHECK(rel::manifest_file_name("pfxengine", "linux-x86-64") == "pfxengine_linux-x86-64.manifest");
  CHECK(rel::package_file_name(sample_manifest()) == "pfxengine_1.20.3_linux-x86-64.tar");
  CHECK(rel::root_file_name(12) == "12.root");
  for (const auto* bad : {"", "A", "1a", "a/b", "..", "a b", "a_b", "a\n", "\xc3\xa4"})
    CHECK_FALSE(rel::is_word(bad));
  CHECK_FALSE(rel::is_word(std::string(65, 'a')));
}
