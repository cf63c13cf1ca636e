// The connector's certificate made anew: whatever ends the process between two steps, the old one
// or the new one is whole, and the next try comes to the end.
#include "tests/catch.hpp"

#include <filesystem>

#include "crypto/issue.hpp"
#include "crypto/request.hpp"
#include "engine/files.hpp"
#include "engine/identity_files.hpp"
#include "engine/upkeep.hpp"
#include "tests/engine/sealed_room.hpp"

namespace {

using namespace pfx;
using namespace pfx::engine;
using test::code_of;
using test::must;

constexpr std::int64_t day_ms = 86'400'000;

/// Thrown where a test ends the process's life.
struct cut {};

/// A connector that is registered, and the service's CA.
struct office {
  test::sealed_room room;
  unix_ms now = system_clock().wall();
  crypto::ca_identity root;
  std::vector<digest> asked; ///< keys, in order

  office()
      : root(must(crypto::make_root(
        {"CN=Office", key_algorithm::ec_p256, now - 100 * day_ms, now + 900 * day_ms}))) {
    must(detail::write_sealed_key(room.settings, detail::key_path(room.settings)));
    const auto own
      = certificate_of(key_in_use(), "CN=connector-7", now - 70 * day_ms, now + 30 * day_ms);
    must(detail::write_new_file(
      room.settings.identity_file,
      as_bytes(detail::identity_text("connector-7", own, {root.cert.pem()}))));
  }
  [[nodiscard]] crypto::private_key key_in_use() const {
    return must(crypto::private_key::from_pkcs8(
      must(detail::read_sealed_key(room.settings, detail::key_path(room.settings))).view()));
  }
  [[nodiscard]] crypto::certificate certificate_of(const crypto::private_key& key,
                                                   const std::string& subject, unix_ms from,
                                                   unix_ms to) const {
    crypto::leaf_options leaf;
    leaf.names.subject = subject;
    leaf.not_before = from;
    leaf.not_after = to;
    return must(crypto::issue_leaf(root, key, leaf));
  }
  bytes sign(byte_view request, unix_ms to) {
    const auto csr = must(crypto::parse_csr(request));
    asked.push_back(csr.public_key_hash);
    crypto::sign_options sign;
    sign.subject = csr.subject;
    sign.public_key = csr.public_key;
    sign.serial = crypto::random_serial();
    sign.not_before = now - day_ms;
    sign.not_after = to;
    return to_bytes(must(crypto::sign_certificate(root, sign)).der());
  }
  detail::renewal_order honest(std::function<void(std::string_view)> after = {}) {
    return {[this](byte_view request) -> result<bytes> { return sign(request, now + 90 * day_ms); },
            std::move(after)};
  }
  [[nodiscard]] crypto::certificate in_use() const {
    return must(crypto::certificate::from_pem(must(load_identity(room.settings)).certificate_pem));
  }
  [[nodiscard]] bool is_new() const { return in_use().not_after() > now + 60 * day_ms; }
  [[nodiscard]] std::size_t files() const {
    std::size_t count = 0;
    for (const auto& each : std::filesystem::directory_iterator(
           std::filesystem::path(room.settings.identity_file).parent_path()))
      count += each.path().filename().string().starts_with("identity.json") ? 1 : 0;
    return count;
  }
};

} // namespace

TEST_CASE("a renewed identity has another key, the same name and chain, and lasts longer",
          "[engine][renewal]") {
  office o;
  const auto before = o.key_in_use().public_key_hash();
  const auto made = must(detail::renew_identity(o.room.settings, o.honest()));
  CHECK(made.connector_id == "connector-7");
  CHECK(o.is_new());
  CHECK(o.in_use().subject() == "CN=connector-7");
  CHECK_FALSE(o.key_in_use().public_key_hash() == before);
  CHECK(must(crypto::certificate::all_from_pem(made.certificate_pem)).size() == 2);
  CHECK(o.files() == 2);
  REQUIRE(o.asked.size() == 1);
  CHECK(o.asked[0] == o.key_in_use().public_key_hash());
}

TEST_CASE("a process that ends between any two steps loses nothing", "[engine][renewal]") {
  for (const std::string_view step :
       {"key_written", "answered", "identity_written", "key_in_place", "identity_in_place"}) {
    office o;
    INFO(step);
    CHECK_THROWS_AS(
      (void)detail::renew_identity(o.room.settings, o.honest([&](std::string_view passed) {
        if (passed == step)
          throw cut{};
      })),
      cut);
    // As the next process finds it: whole, and new as soon as the new one is durable.
    const bool durable = step != "key_written" && step != "answered";
    CHECK(o.is_new() == durable);
    (void)must(detail::finish_renewal(o.room.settings));
    CHECK(o.is_new() == durable);
    if (!durable) {
      (void)must(detail::renew_identity(o.room.settings, o.honest()));
      CHECK(o.is_new());
    }
    CHECK(o.files() == 2);
    // One key for the one new certificate, however often it was asked for.
    for (const auto& key : o.asked)
      CHECK(key == o.key_in_use().public_key_hash());
  }
}

TEST_CASE("an answer that is lost is asked for again with the same key", "[engine][renewal]") {
  office o;
  auto order = o.honest();
  order.ask = [&](byte_view request) -> result<bytes> {
    (void)o.sign(request, o.now + 90 * day_ms);
    return failure(errc::unknown_outcome, "", "cut");
  };
  CHECK(code_of(detail::renew_identity(o.room.settings, order)) == errc::unknown_outcome);
  CHECK_FALSE(o.is_new());
  (void)must(detail::renew_identity(o.room.settings, o.honest()));
  CHECK(o.is_new());
  REQUIRE(o.asked.size() == 2);
  CHECK(o.asked[0] == o.asked[1]);
}

TEST_CASE("what is no certificate of ours is not put in the place of one", "[engine][renewal]") {
  office o;
  const auto other = must(crypto::private_key::generate(key_algorithm::ec_p256));
  const auto refused = [&](std::function<result<bytes>(byte_view)> ask) {
    const auto code = code_of(detail::renew_identity(o.room.settings, {std::move(ask), {}}));
    CHECK_FALSE(o.is_new());
    return code;
  };
  CHECK(refused([&](byte_view) -> result<bytes> {
          return to_bytes(
            o.certificate_of(other, "CN=connector-7", o.now - day_ms, o.now + 90 * day_ms).der());
        })
        == errc::crypto);
  CHECK(refused([&](byte_view request) -> result<bytes> {
          return o.sign(request, o.now + 20 * day_ms); // ends before the one in use
        })
        == errc::bad_input);
  CHECK(refused([&](byte_view) -> result<bytes> { return bytes{1, 2, 3}; }) != errc::none);
  CHECK(
    refused([&](byte_view request) -> result<bytes> {
      const auto csr = must(crypto::parse_csr(request));
      crypto::sign_options sign;
      sign.subject
        = must(crypto::parse_csr(must(crypto::build_csr(other, {.subject = "CN=other"})))).subject;
      sign.public_key = csr.public_key;
      sign.serial = crypto::random_serial();
      sign.not_before = o.now - day_ms;
      sign.not_after = o.now + 90 * day_ms;
      return to_bytes(must(crypto::sign_certificate(o.root, sign)).der());
    })
    == errc::policy);
  (void)must(detail::renew_identity(o.room.settings, o.honest()));
  CHECK(o.is_new());
}

TEST_CASE("a key that another master key sealed is left by nobody: a new one is made",
          "[engine][renewal]") {
  office o;
  test::sealed_room elsewhere;
  must(
    detail::write_sealed_key(elsewhere.settings, detail::next_identity_key_path(o.room.settings)));
  CHECK_FALSE(o.is_new());
  (void)must(detail::renew_identity(o.room.settings, o.honest()));
  CHECK(o.is_new());
  CHECK(o.files() == 2);
}

TEST_CASE("a next key that cannot be read now is kept; one that is damaged makes way",
          "[engine][renewal]") {
  office o;
  CHECK_THROWS_AS(
    (void)detail::renew_identity(o.room.settings, o.honest([](std::string_view passed) {
      if (passed == "key_written")
        throw cut{};
    })),
    cut);
  const auto path = detail::next_identity_key_path(o.room.settings);
  const auto kept = must(detail::read_file(path, 64u << 10));
  const auto master = o.room.settings.master_key_file;
  SECTION("no master key") { o.room.settings.master_key_file = o.room.folder.path("missing.key"); }
  SECTION("another one in its place") {
    o.room.settings.master_key_file = o.room.folder.path("other.key");
    must(crypto::write_new_master_key(o.room.settings.master_key_file));
  }
  SECTION("damage") {
    auto damaged = kept;
    damaged.back() ^= 1;
    must(detail::replace_file(path, damaged));
    (void)must(detail::renew_identity(o.room.settings, o.honest()));
    CHECK(o.is_new());
    return;
  }
  CHECK_FALSE(detail::renew_identity(o.room.settings, o.honest()));
  CHECK(must(detail::read_file(path, 64u << 10)) == kept);
  o.room.settings.master_key_file = master;
  (void)must(detail::renew_identity(o.room.settings, o.honest()));
  CHECK(o.is_new());
}

TEST_CASE("a rotation of the master key takes a renewal under way along", "[engine][renewal]") {
  office o;
  CHECK_THROWS_AS(
    (void)detail::renew_identity(o.room.settings, o.honest([](std::string_view passed) {
      if (passed == "identity_written")
        throw cut{};
    })),
    cut);
  const auto old = o.room.master();
  const auto path = o.room.folder.path("next.key");
  must(crypto::write_new_master_key(path));
  const auto next = must(crypto::read_master_key(path));
  CHECK(must(detail::reseal_identity(o.room.settings, old, &next)));
  CHECK_FALSE(must(detail::reseal_identity(o.room.settings, old, &next))); // a repeat
  o.room.settings.master_key_file = path;
  CHECK(o.is_new());
  CHECK(must(detail::finish_renewal(o.room.settings)));
  CHECK(o.is_new());
}
