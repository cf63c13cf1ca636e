// Signatures of releases: thresholds, roots that follow each other, and everything that must not
// count.
#include "crypto/release.hpp"

#include "tests/catch.hpp"
#include "tests/crypto/release_samples.hpp"

using namespace pfx;
using namespace pfx::test;

namespace {

constexpr release::version next_version{{0, 2, 0}};

std::string root_text(const release::root& one, const std::vector<std::uint8_t>& by) {
  return signed_by(release::encode(one), by);
}

release::root trusted_root() {
  const auto read = crypto::read_first_root(root_text(sample_root(), {1, 2}), release_now);
  REQUIRE(read);
  return *read;
}

std::string manifest_text(const std::vector<std::uint8_t>& by) {
  return signed_by(release::encode(sample_manifest(next_version, "package")), by);
}

} // namespace

TEST_CASE("Ed25519 makes the signatures of RFC 8032 7.1", "[crypto][release]") {
  struct vector {
    const char* seed;
    const char* key;
    const char* message;
    const char* signature;
  };
  const vector all[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
     "b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d8c387b2eaeb4302aeeb00d291612bb0c00"},
  };
  for (const auto& one : all) {
    const auto pair = crypto::ed25519_from(secret_bytes(*from_hex(one.seed)));
    REQUIRE(pair);
    CHECK(to_hex(pair->key) == one.key);
    const auto message = *from_hex(one.message);
    const auto made = crypto::sign_ed25519(*pair, message);
    REQUIRE(made);
    CHECK(to_hex(*made) == one.signature);
    auto other = *made;
    other[3] ^= 1;
    CHECK_FALSE(crypto::verify_ed25519(pair->key, message, other));
    CHECK_FALSE(crypto::verify_ed25519(pair->key, as_bytes("other"), *made));
  }
  CHECK_FALSE(crypto::ed25519_from(secret_bytes(31)));
}

TEST_CASE("a first root is signed by a threshold of its own keys", "[crypto][release]") {
  CHECK(crypto::read_first_root(root_text(sample_root(), {1, 2}), release_now));
  CHECK(crypto::read_first_root(root_text(sample_root(), {1, 2, 3}), release_now));
  const auto refused = [](const std::string& text) {
    const auto read = crypto::read_first_root(text, release_now);
    return !read && read.error().field == "signature";
  };
  CHECK(refused(release::encode(sample_root())));
  CHECK(refused(root_text(sample_root(), {1})));
  CHECK(refused(root_text(sample_root(), {1, 11}))); // a release key is no root key
  CHECK(refused(root_text(sample_root(), {1, 9})));
  auto text = root_text(sample_root(), {1, 2});
  text.replace(text.find("number 1"), 8, "number 2");
  CHECK(refused(text));
}

TEST_CASE("a key counts from its time on", "[crypto][release]") {
  auto root = sample_root();
  root.roots = {1, {release_key(1, release_now + 1000)}};
  CHECK_FALSE(crypto::read_first_root(root_text(root, {1}), release_now));
  CHECK(crypto::read_first_root(root_text(root, {1}), release_now + 1000));
  root = trusted_root();
  root.releases = {1, {release_key(11, release_now + 1000)}};
  CHECK(crypto::read_manifest(root, manifest_text({11}), release_now).error().field == "signature");
  CHECK(crypto::read_manifest(root, manifest_text({11}), release_now + 1000));
}

TEST_CASE("a root is followed only by the next, signed by the old keys and the new",
          "[crypto][release]") {
  const auto now_is = trusted_root();
  auto next = sample_root(2);
  next.roots = release_role(2, {4, 5});
  const auto follow = [&now_is](const std::string& text) {
    return crypto::read_next_root(now_is, text, release_now);
  };
  CHECK(follow(root_text(next, {1, 2, 4, 5})));
  CHECK(follow(root_text(next, {1, 2})).error().field == "signature");
  CHECK(follow(root_text(next, {4, 5})).error().field == "signature");
  CHECK(follow(root_text(next, {1, 2, 4})).error().field == "signature");
  CHECK(follow(root_text(next, {1, 4, 5})).error().field == "signature");
  next.number = 1;
  CHECK(follow(root_text(next, {1, 2, 4, 5})).error().field == "number");
  next.number = 3;
  CHECK(follow(root_text(next, {1, 2, 4, 5})).error().field == "number");
  next.number = release::root_number_max;
  CHECK(follow(root_text(next, {1, 2, 4, 5})).error().field == "number");
  next.number = 2;
  next.product = "another";
  CHECK(follow(root_text(next, {1, 2, 4, 5})).error().field == "product");
  CHECK_FALSE(follow(manifest_text({1, 2, 4, 5})));
}

TEST_CASE("a key that is in both roots counts for both", "[crypto][release]") {
  auto next = sample_root(2);
  next.roots = release_role(2, {2, 3, 4});
  CHECK(crypto::read_next_root(trusted_root(), root_text(next, {2, 3}), release_now));
  next.roots = release_role(3, {2, 3, 4});
  CHECK_FALSE(crypto::read_next_root(trusted_root(), root_text(next, {2, 3}), release_now));
}

TEST_CASE("the last root of a chain must not have expired", "[crypto][release]") {
  auto root = sample_root();
  CHECK(crypto::check_root_expiry(root, root.expires - 1));
  CHECK(crypto::check_root_expiry(root, root.expires).error().field == "root");
}

TEST_CASE("a manifest needs a threshold of release keys over these very octets",
          "[crypto][release]") {
  auto root = trusted_root();
  const auto read = crypto::read_manifest(root, manifest_text({11}), release_now);
  REQUIRE(read);
  CHECK(read->what == next_version);
  root.releases.threshold = 2;
  CHECK(crypto::read_manifest(root, manifest_text({11}), release_now).error().field == "signature");
  CHECK(crypto::read_manifest(root, manifest_text({11, 12}), release_now));
  CHECK_FALSE(crypto::read_manifest(root, manifest_text({11, 1}), release_now));
  CHECK_FALSE(crypto::read_manifest(root, manifest_text({1, 2}), release_now));
  const auto good = manifest_text({11, 12});
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    accepted += crypto::read_manifest(root, bad, release_now) ? 1 : 0;
  }
  CHECK(accepted == 0);
}

TEST_CASE("a signature over a root is none over a manifest", "[crypto][release]") {
  auto root = trusted_root();
  root.releases = root.roots;
  CHECK_FALSE(crypto::read_manifest(root, root_text(sample_root(), {1, 2}), release_now));
  const auto parts = release::split_signatures(root_text(sample_root(), {1, 2}));
  REQUIRE(parts);
  const auto swapped = release::encode(release::signed_text{
    release::encode(sample_manifest(next_version, "package")), parts->signatures});
  CHECK_FALSE(crypto::read_manifest(root, swapped, release_now));
}

TEST_CASE("only documents are signed, and by a key once", "[crypto][release]") {
  CHECK_FALSE(crypto::add_signature("any text\n", release_seed(1)));
  CHECK_FALSE(crypto::add_signature("", release_seed(1)));
  CHECK_FALSE(crypto::add_signature(release::encode(sample_root()), secret_bytes(16)));
  CHECK(signed_by(release::encode(sample_root()), {1, 1}) == root_text(sample_root(), {1}));
  CHECK(root_text(sample_root(), {1, 2}) == root_text(sample_root(), {2, 1}));
}

TEST_CASE("a share of the connectors is chosen by their names, anew for each release",
          "[crypto][release]") {
  auto release = sample_manifest(next_version, "package");
  auto later = sample_manifest({{0, 3, 0}}, "package");
  int here = 0;
  int also = 0;
  constexpr int connectors = 2'000;
  for (int at = 0; at < connectors; ++at) {
    const auto id = "connector-" + std::to_string(at);
    release.share = later.share = 20;
    const bool early = crypto::in_share(release, id);
    here += early ? 1 : 0;
    also += early && crypto::in_share(later, id) ? 1 : 0;
    release.share = 40; // who was in stays in
    CHECK((!early || crypto::in_share(release, id)));
    release.share = 0;
    CHECK_FALSE(crypto::in_share(release, id));
    release.share = 100;
    CHECK(crypto::in_share(release, id));
  }
  CHECK(here > connectors / 10);
  CHECK(here < connectors * 3 / 10);
  CHECK(also < here / 2);
}
