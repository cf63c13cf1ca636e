// Every PKCS#12 file of the corpora, by other implementations: what is in it, or why not.
#include "tests/catch.hpp"
#include "tests/crypto/pfx_maker.hpp"
#include "tests/crypto/support.hpp"

#include <filesystem>
#include <set>

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

using reason = pfx_refusal::reason;

struct row {
  std::string name;
  std::string password;
  std::size_t keys = 0;
  std::vector<std::string> names; ///< the friendly name of each certificate
  bool transcoded = false;
};

struct refused_row {
  std::string name;
  std::string password;
  reason why;
};

const std::vector<row>& opened_files() {
  static const std::vector<row> all{
    {"pkcs12-pyca/cert-aes256cbc-no-key.p12", "cryptography", 0, {""}},
    {"pkcs12-pyca/cert-key-aes256cbc.p12", "cryptography", 1, {""}},
    {"pkcs12-pyca/cert-none-key-none.p12", "cryptography", 1, {""}},
    {"pkcs12-pyca/cert-rc2-key-3des.p12", "cryptography", 1, {""}},
    {"pkcs12-pyca/no-cert-key-aes256cbc.p12", "cryptography", 1, {}},
    {"pkcs12-pyca/no-password.p12", "", 1, {"cryptography CA"}},
    {"pkcs12-pyca/name-1-no-pwd.p12", "", 1, {"name", "", ""}},
    {"pkcs12-pyca/name-1-pwd.p12", "password", 1, {"name", "", ""}},
    {"pkcs12-pyca/name-2-no-pwd.p12", "", 1, {"", "name2", ""}},
    {"pkcs12-pyca/name-2-pwd.p12", "password", 1, {"", "name2", ""}},
    {"pkcs12-pyca/name-3-no-pwd.p12", "", 1, {"", "", "name3"}},
    {"pkcs12-pyca/name-3-pwd.p12", "password", 1, {"", "", "name3"}},
    {"pkcs12-pyca/name-2-3-no-pwd.p12", "", 1, {"", "name2", "name3"}},
    {"pkcs12-pyca/name-2-3-pwd.p12", "password", 1, {"", "name2", "name3"}},
    {"pkcs12-pyca/name-all-no-pwd.p12", "", 1, {"name", "name2", "name3"}},
    {"pkcs12-pyca/name-all-pwd.p12", "password", 1, {"name", "name2", "name3"}},
    {"pkcs12-pyca/name-unicode-no-pwd.p12", "", 1, {"\u263a", "\u00e4", "\u00e7"}},
    {"pkcs12-pyca/name-unicode-pwd.p12", "password", 1, {"\u263a", "\u00e4", "\u00e7"}},
    {"pkcs12-pyca/no-name-no-pwd.p12", "", 1, {"", "", ""}},
    {"pkcs12-pyca/no-name-pwd.p12", "password", 1, {"", "", ""}},
    {"pkcs12-pyca/no-cert-no-name-no-pwd.p12", "", 0, {"", ""}},
    {"pkcs12-pyca/no-cert-no-name-pwd.p12", "password", 0, {"", ""}},
    {"pkcs12-pyca/no-cert-name-2-no-pwd.p12", "", 0, {"name2", ""}},
    {"pkcs12-pyca/no-cert-name-2-pwd.p12", "password", 0, {"name2", ""}},
    {"pkcs12-pyca/no-cert-name-3-no-pwd.p12", "", 0, {"", "name3"}},
    {"pkcs12-pyca/no-cert-name-3-pwd.p12", "password", 0, {"", "name3"}},
    {"pkcs12-pyca/no-cert-name-all-no-pwd.p12", "", 0, {"name2", "name3"}},
    {"pkcs12-pyca/no-cert-name-all-pwd.p12", "password", 0, {"name2", "name3"}},
    {"pkcs12-pyca/no-cert-name-unicode-no-pwd.p12", "", 0, {"\u2639", "\u00ef"}},
    {"pkcs12-pyca/no-cert-name-unicode-pwd.p12", "password", 0, {"\u2639", "\u00ef"}},
    {"pkcs12-openssl/test-BER.p12",
     "12345",
     1,
     {"Docker_Playground_TLS", "TLS_ROOTCA", "TLS_ISSUING_CA"}},
    {"pkcs12-openssl/signer.p12", "12345", 1, {"", "", "", ""}},
    {"pkcs12-openssl/v3-certs-RC2.p12", "v3-certs", 0, {"", ""}},
    {"pkcs12-openssl/v3-certs-TDES.p12", "v3-certs", 0, {"", ""}},
    {"pkcs12-windows/EncryptionTests_pass_TestCert.pfx", "TestCert", 1, {""}},
    {"pkcs12-made/gnutls-default.p12", "secret", 1, {"Made here"}},
    {"pkcs12-made/nss.p12", "secret", 1, {"Made here"}},
    {"pkcs12-made/gnutls-null.p12", "", 1, {"x"}},
    // Microsoft's tools send one octet for a character; both writers took UTF-8.
    {"pkcs12-made/gnutls-umlaut.p12", "m\xfcller12", 1, {"Made here"}, true},
    {"pkcs12-made/nss-umlaut.p12", "m\xfcller12", 1, {"Made here"}, true},
    {"pkcs12-made/java.p12", "secret", 1, {"made here"}},
    {"pkcs12-made/openssl-utf8.p12", "caf\xc3\xa9", 1, {""}},
    {"pkcs12-made/openssl-latin1-octets.p12", "caf\xe9", 1, {""}},
    {"pkcs12-made/openssl-latin1-legacy.p12", "caf\xe9", 1, {""}},
  };
  return all;
}

const std::vector<refused_row>& refused_files() {
  static const std::vector<refused_row> all{
    {"pkcs12-openssl/bad1.p12", "", reason::malformed}, // CVE-2024-0727
    {"pkcs12-openssl/bad2.p12", "", reason::malformed},
    {"pkcs12-openssl/bad3.p12", "", reason::malformed},
    {"pkcs12-openssl/garbage-pkcs12.p12", "", reason::malformed},
    {"pkcs12-kdf-bombs/mac_iter_0.p12", "secret", reason::malformed},
    {"pkcs12-kdf-bombs/mac_iter_minus1.p12", "secret", reason::malformed},
    {"pkcs12-kdf-bombs/mac_iter_2147483647.p12", "secret", reason::too_much},
    {"pkcs12-kdf-bombs/mac_iter_2p63-1.p12", "secret", reason::too_much},
    {"pkcs12-kdf-bombs/mac_iter_2p512.p12", "secret", reason::too_much},
    {"pkcs12-kdf-bombs/valid_iter_5000001_pass_secret.p12", "secret", reason::too_much},
  };
  return all;
}

bool slow(const bytes& octets) {
  const auto parsed = pfx_file::parse(octets);
  return parsed && parsed->known_iterations() > 500'000;
}

void opens_as(const row& one) {
  INFO(one.name);
  const auto out = open(read_file(data_file(one.name)), one.password);
  INFO((out ? std::string() : to_string(out.error().what)));
  REQUIRE(out);
  CHECK(out->mac_verified);
  CHECK(out->keys.size() == one.keys);
  REQUIRE(out->certificates.size() == one.names.size());
  for (std::size_t i = 0; i < one.names.size(); ++i)
    CHECK(out->certificates[i].friendly_name == one.names[i]);
  if (one.keys == 1 && !one.names.empty())
    CHECK(out->certificates[0].value.matches(out->keys[0]));
  CHECK(out->password_transcoded == one.transcoded);
}

} // namespace

TEST_CASE("the files of the corpora are opened", "[crypto][pfx][corpus]") {
  for (const row& one : opened_files()) {
    if (!slow(read_file(data_file(one.name))))
      opens_as(one);
  }
}

TEST_CASE("wrong passwords for the files of the corpora open nothing", "[crypto][pfx][corpus]") {
  for (const row& one : opened_files()) {
    const bytes octets = read_file(data_file(one.name));
    if (slow(octets))
      continue; // tried below
    for (const auto* wrong : {"wrong", "Cryptography", "passwore", "\xff", "123456"}) {
      INFO(one.name << " " << wrong);
      CHECK(refusal(octets, wrong) == reason::not_opened);
    }
  }
  CHECK(refusal(read_file(data_file("pkcs12-made/gnutls-default.p12")), "Secret")
        == reason::not_opened);
  CHECK(refusal(read_file(data_file("pkcs12-made/nss.p12")), "secret ") == reason::not_opened);
}

TEST_CASE("bad files of the corpora are refused for the right reason", "[crypto][pfx][corpus]") {
  for (const refused_row& one : refused_files()) {
    INFO(one.name);
    const bytes octets = read_file(data_file(one.name));
    INFO(words(octets, one.password));
    const cpu_clock clock;
    CHECK(refusal(octets, one.password) == one.why);
    if (one.why != reason::not_opened)
      CHECK(clock.milliseconds() < 100);
  }
}

TEST_CASE("no PKCS#12 file of the test data is left out", "[crypto][pfx][corpus]") {
  std::set<std::string> named;
  for (const row& one : opened_files())
    named.insert(one.name);
  for (const refused_row& one : refused_files())
    named.insert(one.name);
  for (const auto* folder :
       {"pkcs12-pyca", "pkcs12-openssl", "pkcs12-windows", "pkcs12-kdf-bombs", "pkcs12-made"}) {
    for (const auto& entry : std::filesystem::directory_iterator(data_file(folder))) {
      const auto extension = entry.path().extension();
      if (extension != ".p12" && extension != ".pfx")
        continue;
      const std::string name = std::string(folder) + "/" + entry.path().filename().string();
      INFO(name);
      CHECK(named.contains(name));
    }
  }
}

TEST_CASE("default files of GnuTLS and NSS are for the slow lane", "[crypto][pfx][corpus]") {
  for (const row& one : opened_files()) {
    const bytes octets = read_file(data_file(one.name));
    if (!slow(octets))
      continue;
    INFO(one.name);
    const cpu_clock clock;
    const auto parsed = pfx_file::parse(octets);
    REQUIRE(parsed);
    CHECK(parsed->known_iterations() == 1'800'000);
    for (const std::int64_t budget : {pfx_limits::fast_iterations_max, std::int64_t{1'799'999}}) {
      const auto fast = parsed->open(secret(one.password), budget);
      REQUIRE_FALSE(fast);
      CHECK(fast.error().why == reason::needs_time);
    }
    CHECK(clock.milliseconds() < 100);
    opens_as(one);
  }
}

TEST_CASE("what is cut off a file or changed in it is refused", "[crypto][pfx]") {
  for (const auto* name : {"pkcs12-openssl/test-BER.p12", "pkcs12-made/java.p12"}) {
    const bytes good = read_file(data_file(name));
    for (std::size_t size = 0; size < good.size(); size += 7) {
      INFO(name << " cut to " << size);
      CHECK_FALSE(pfx_file::parse(byte_view(good).first(size)));
    }
    bytes longer = good;
    longer.push_back(0);
    CHECK_FALSE(pfx_file::parse(longer));
  }
  const bytes good = read_file(data_file("pkcs12-windows/EncryptionTests_pass_TestCert.pfx"));
  REQUIRE_FALSE(refusal(good, "TestCert"));
  for (std::size_t at = 0; at < good.size(); ++at) {
    bytes bad = good;
    bad[at] = static_cast<std::uint8_t>(bad[at] ^ 1U << at % 8);
    if (!refusal(bad, "TestCert", 4'000))
      FAIL("octet " << at << " changed and nobody noticed");
  }
}
