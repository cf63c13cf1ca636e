// Import orders: files of others, passwords sealed once, and each bad one bad in exactly one way.
#include <map>
#include <set>

#include "connect/service/codec.hpp"
#include "crypto/digest.hpp"
#include "crypto/pfx_file.hpp"
#include "crypto/rsa_decrypt.hpp"
#include "sandbox/odd_ciphertext.hpp"
#include "sandbox/sandbox.hpp"
#include "tests/catch.hpp"
#include "tests/sandbox/support.hpp"

using namespace pfx;
using namespace pfx::sandbox;
using namespace pfx::test;

namespace {

connect::service::offer read(const std::string& text) {
  auto answer = good(connect::service::decode_download_answer(
    connect::service::encode_download_answer({text}, false)));
  REQUIRE(answer.offers.size() == 1);
  return answer.offers.front();
}

/// The password as the connector gets it; none if the ciphertext does not open.
std::optional<bytes> decrypted(const import_order& what) {
  const auto padding = crypto::rsa_padding_of(what.padding_scheme);
  if (!padding) {
    return std::nullopt;
  }
  const auto plain = good(crypto::rsa_decrypt(importer().key, *padding, what.encrypted_password));
  return plain.opened ? std::optional(to_bytes(plain.octets.view())) : std::nullopt;
}

std::string_view made_by(const foreign_file& one) {
  return one.maker.substr(0, one.maker.find(' '));
}

void check_files(bool (*wanted)(const foreign_file&)) {
  std::size_t seen = 0;
  for (const auto& one : foreign_files()) {
    if (!wanted(one)) {
      continue;
    }
    CAPTURE(std::string(one.name));
    ++seen;
    const auto file = crypto::pfx_file::parse(one.octets);
    REQUIRE(file);
    auto contents = file->open(secret_bytes(one.password));
    REQUIRE(contents);
    auto identity = crypto::take_identity(std::move(*contents), one.sha1);
    REQUIRE(identity);
    CHECK(to_hex(identity->leaf.thumbprint()) == one.sha256);
    CHECK(to_hex(identity->key.public_key_hash()) == one.public_key);
    CHECK(identity->chain.size() == one.chain);
    CHECK(identity->friendly_name == one.friendly_name);
  }
  CHECK(seen > 0);
}

} // namespace

TEST_CASE("the files of others open with their passwords and hold what their makers say",
          "[import][files]") {
  check_files([](const foreign_file& one) { return one.weight > 1; });
}

TEST_CASE("so do those of many iterations that NSS writes", "[import][files]") {
  check_files([](const foreign_file& one) { return one.weight == 1 && made_by(one) == "NSS"; });
}

TEST_CASE("so do those of many iterations that GnuTLS writes", "[import][files]") {
  check_files([](const foreign_file& one) { return one.weight == 1 && made_by(one) != "NSS"; });
}

TEST_CASE("there are files of all makers, and slow ones are rare", "[import][files]") {
  std::set<std::string_view> makers;
  std::uint32_t slow = 0;
  std::uint32_t all = 0;
  CHECK(foreign_files().size() >= 25);
  for (const auto& one : foreign_files()) {
    makers.insert(made_by(one));
    const auto file = crypto::pfx_file::parse(one.octets);
    const bool is_slow = file && file->known_iterations() > crypto::pfx_limits::fast_iterations_max;
    slow += is_slow ? one.weight : 0;
    all += one.weight;
  }
  CHECK(makers == std::set<std::string_view>{"OpenSSL", "NSS", "GnuTLS", "Java", "Windows"});
  CHECK(slow >= 1);
  CHECK(slow * 20 < all);
}

TEST_CASE("an import of a named file is of that file, and only good ones can be named",
          "[import][orders]") {
  for (const auto& one : foreign_files()) {
    const auto kind = "import:" + std::string(one.name);
    CAPTURE(kind);
    CHECK(order_book::knows(kind) == (one.weight > 0));
    if (one.weight > 0) {
      CHECK(import_of(kind, 3).brought.file->name == one.name);
      CHECK(needs_import_key(kind));
    }
  }
  CHECK_FALSE(order_book::knows("import:"));
  CHECK_FALSE(order_book::knows("import:../master.key"));
}

TEST_CASE("an import is the same at each hand-out, but for its lease", "[import][desk]") {
  import_desk desk(7, importer().stranger);
  REQUIRE(desk.announce({importer().announced}));
  const auto orders = book();
  for (std::uint64_t index = 0; index < 12; ++index) {
    auto first = orders.of_kind("import", index);
    auto second = orders.of_kind("import", index);
    REQUIRE(desk.complete(first));
    // A key that came later changes nothing.
    const auto name = "later-" + std::to_string(index);
    REQUIRE(desk.announce({{"Test Provider", name, importer().announced.public_key}}));
    REQUIRE(desk.complete(second));
    CHECK(first.request == second.request);
    CHECK(orders.text(first, 1, 1000, 0) == orders.text(second, 1, 1000, 0));
    CHECK(read(orders.text(first, 1, 1000, 0)).fingerprint
          == read(orders.text(second, 9, 5000, 0)).fingerprint);
  }
}

TEST_CASE("an import holds its file's password under the padding that it names", "[import][desk]") {
  std::set<std::string> words;
  std::set<std::size_t> thumbprints;
  std::map<pfx_profile, int> profiles;
  bool left_out = false;
  const auto orders = book();
  for (std::uint64_t index = 0; index < 80; ++index) {
    const auto one = import_of("import", index);
    const auto offer = read(orders.text(one, 2, 1000, 0));
    REQUIRE(offer.request);
    CHECK(*offer.request == one.request);
    const auto& asked = offer.request->import;
    words.insert(asked.padding_scheme);
    thumbprints.insert(asked.thumbprint.size());
    ++profiles[offer.request->profile];
    left_out = left_out || one.brought.without_profile;
    CHECK(decrypted(asked) == to_bytes(one.brought.file->password));
    CHECK(asked.encrypted_pfx == to_bytes(one.brought.file->octets));
    CHECK(
      (asked.intended_purpose == "smimeEncryption" || asked.intended_purpose == "smimeSigning"));
  }
  for (const auto* word : {"oaepSha256", "oaepSha384", "oaepSha512", "OaepSha256"}) {
    CHECK(words.contains(word));
  }
  CHECK(thumbprints == std::set<std::size_t>{40, 64});
  CHECK(profiles.size() == 4);
  CHECK(left_out);
}

TEST_CASE("nothing is sealed before a key, and creates never are", "[import][desk]") {
  import_desk desk(7, importer().stranger);
  CHECK_FALSE(desk.has_key());
  auto one = book().of_kind("import", 1);
  REQUIRE(desk.complete(one));
  CHECK(one.request.import.encrypted_password.empty());
  REQUIRE(desk.announce({importer().announced}));
  CHECK(desk.has_key());
  auto create = book().at(1);
  const auto before = create.request;
  REQUIRE(desk.complete(create));
  CHECK(create.request == before);
}

TEST_CASE("a key's name stands for one key", "[import][desk]") {
  import_desk desk(7, importer().stranger);
  const auto& known = importer().announced;
  CHECK(good(desk.announce({known})).size() == 1);
  CHECK(good(desk.announce({known, known})).empty());
  auto other = known;
  other.public_key = importer().stranger;
  CHECK(desk.announce({other}).error().code == errc::conflict);
  other.key_name = "key-2";
  auto twin = other;
  twin.public_key = known.public_key;
  CHECK(desk.announce({other, twin}).error().code == errc::conflict); // all or none
  CHECK(good(desk.announce({other})).size() == 1);
  other.provider_name = "Another";
  CHECK(good(desk.announce({other})).size() == 1);
  auto curve = known;
  curve.key_name = "curve";
  curve.public_key = good(good(crypto::private_key::generate(key_algorithm::ec_p256)).public_key());
  CHECK(desk.announce({curve}).error().code == errc::bad_input);
  curve.public_key = {1, 2, 3};
  CHECK(desk.announce({curve}).error().code == errc::bad_input);
}

TEST_CASE("odd ciphertexts are odd in their form alone", "[import][odd]") {
  const auto key = good(importer().key.public_key());
  const auto plain = to_bytes("secret");
  const auto opens = [&](const oaep_form& form) {
    const auto made = good(encrypt_oddly(key, form, plain));
    CHECK(made.size() == 256);
    const auto seen
      = good(crypto::rsa_decrypt(importer().key, crypto::rsa_padding::oaep_sha256, made));
    return seen.opened && to_bytes(seen.octets.view()) == plain;
  };
  for (int round = 0; round < 5; ++round) {
    CHECK(opens({})); // the protocol's form: so the arithmetic is right
  }
  CHECK_FALSE(opens({oaep_hash::sha1, oaep_hash::sha1, ""}));
  CHECK_FALSE(opens({oaep_hash::sha256, oaep_hash::sha256, "label"}));
  CHECK_FALSE(opens({oaep_hash::sha256, oaep_hash::sha1, ""}));
  CHECK_FALSE(encrypt_oddly(bytes{1, 2, 3}, {}, plain));
  CHECK(encrypt_oddly(key, {}, bytes(191, 'x')).error().code == errc::too_large);
  CHECK(encrypt_oddly(key, {}, bytes(190, 'x')));
}

TEST_CASE("bad imports are bad as their rows say", "[import][orders]") {
  const auto orders = book();
  for (const auto& name : bad_import_names()) {
    CAPTURE(name);
    CHECK(order_book::knows("bad:" + name));
    CHECK(needs_import_key("bad:" + name));
    const auto bad = import_of("bad:" + name, 5);
    CHECK(bad.expected.end == expected_end::failure);
    CHECK_FALSE(bad.expected.codes.empty());
    const auto offer = read(orders.text(bad, 1, 1000, 0));
    CHECK(offer.context == bad.context);
    const bool found_by_reader = bad.how == spoiling::text || name == "import-file-too-big";
    CHECK(offer.request.has_value() == !found_by_reader);
    if (found_by_reader) {
      const auto& why = offer.request.error();
      CHECK((why.field + ": " + why.message).find(bad.expected.field) != std::string::npos);
      continue;
    }
    CHECK(bad.expected.alike.empty() == (bad.expected.field != "encryptedPfxPassword"));
    if (!bad.expected.alike.empty()) { // the right password must not come out of any of them
      const bool damaged = name == "import-file-damaged";
      const auto password = decrypted(bad.request.import);
      CHECK((password == to_bytes(bad.brought.file->password)) == damaged);
    }
  }
  CHECK(import_of("bad:import-ciphertext-short", 1).request.import.encrypted_password.size()
        == 255);
  CHECK(import_of("bad-import", 0).kind == "bad:" + bad_import_names().front());
  CHECK(import_of("poison-import", 0).context.starts_with("poison-"));
  CHECK(import_of("poison-import", 0).expected.end == expected_end::anything);
}

TEST_CASE("the files that must be refused are refused for their own reason", "[import][files]") {
  using reason = crypto::pfx_refusal::reason;
  const auto parsed = [](const std::string& name) {
    return crypto::pfx_file::parse(import_of("bad:" + name, 5).request.import.encrypted_pfx);
  };
  for (const auto* name : {"import-bomb-mac", "import-bomb-iterations"}) {
    CAPTURE(name);
    const auto bomb = parsed(name);
    REQUIRE_FALSE(bomb);
    CHECK(bomb.error().why == reason::too_much);
  }
  for (const auto* name : {"import-file-garbage", "import-file-truncated"}) {
    CAPTURE(name);
    const auto bad = parsed(name);
    REQUIRE_FALSE(bad);
    CHECK(bad.error().why == reason::malformed);
  }
  const auto damaged = parsed("import-file-damaged");
  REQUIRE(damaged);
  const auto opened = damaged->open(secret_bytes(file_named("openssl-rsa2048.p12")->password));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().why == reason::not_opened);
}
