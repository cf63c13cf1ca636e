// PKCS#12 files: the parameters by their octets, the contents by openssl's own reader.
#include "crypto/pkcs12.hpp"

#include "core/limits.hpp"
#include "crypto/digest.hpp"
#include "crypto/random.hpp"
#include "tests/catch.hpp"
#include "tests/crypto/support.hpp"

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

struct material {
  key_algorithm algorithm = key_algorithm::rsa2048;
  ca_identity root = make_ca(key_algorithm::ec_p256, "CN=PFX Root");
  certificate leaf = make_leaf(root, shared_key(algorithm), {"CN=PFX leaf", {}, 1});
  std::vector<certificate> chain{make_ca(key_algorithm::ec_p256, "CN=Chain one").cert,
                                 make_ca(key_algorithm::ec_p256, "CN=Chain two").cert};
  secret_bytes password = random_password();
  std::string friendly_name = "J\xc3\xa4ne's key";

  [[nodiscard]] pkcs12_input input() const {
    return {shared_key(algorithm), leaf, chain, friendly_name, password};
  }
  [[nodiscard]] bytes built(const pkcs12_options& options) const {
    auto out = build_pkcs12(input(), options);
    INFO((out ? std::string() : to_string(out.error())));
    REQUIRE(out);
    return std::move(*out);
  }
};

/// The three profiles, by the names of docs/protocol.md.
std::vector<pkcs12_options> profiles() {
  return {pkcs12_options::modern(), pkcs12_options::compatible(), pkcs12_options::legacy()};
}

cli_answer openssl_reads(const bytes& der, const std::string& password,
                         const std::vector<std::string>& more) {
  const temporary_folder folder;
  write_file(folder.file("f.p12"), der);
  std::vector<std::string> arguments{"pkcs12", "-in", folder.file("f.p12"), "-passin",
                                     "pass:" + password};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return openssl(arguments);
}

std::size_t place(const std::string& text, const std::string& part) {
  const std::size_t at = text.find(part);
  INFO(text << "\nlacks " << part);
  REQUIRE(at != std::string::npos);
  return at;
}

/// OpenSSL writes "CN = x" up to 3.1 and "CN=x" since.
std::size_t place_of_subject(const std::string& text, const std::string& name) {
  const auto old = text.find("subject=CN = " + name + "\n");
  return old != std::string::npos ? old : place(text, "subject=CN=" + name + "\n");
}

} // namespace

TEST_CASE("each profile has the parameters of the table, for RSA and EC", "[crypto][pkcs12]") {
  constexpr auto aes256 = "2.16.840.1.101.3.4.1.42";
  constexpr auto pbes2_kdf = "1.2.840.113549.1.5.12";
  constexpr auto hmac_sha256 = "1.2.840.113549.2.9";
  constexpr auto sha256 = "2.16.840.1.101.3.4.2.1";
  constexpr auto sha1_3des = "1.2.840.113549.1.12.1.3";
  constexpr auto sha1 = "1.3.14.3.2.26";
  struct {
    pfx_profile profile;
    std::string encryption, kdf, prf, mac;
    int salt;
  } const rows[] = {{pfx_profile::modern, aes256, pbes2_kdf, hmac_sha256, sha256, 16},
                    {pfx_profile::compatible, aes256, pbes2_kdf, hmac_sha256, sha256, 8},
                    {pfx_profile::legacy, sha1_3des, sha1_3des, "", sha1, 8}};
  for (const key_algorithm algorithm :
       {key_algorithm::rsa2048, key_algorithm::ec_p256, key_algorithm::ec_p521}) {
    const material m{algorithm};
    for (const auto& row : rows) {
      INFO(name_of(algorithm) << " " << name_of(row.profile));
      const auto found = inspect_pkcs12(m.built(pkcs12_options::of(row.profile)), m.password);
      REQUIRE(found);
      CHECK(found->key_encryption == row.encryption);
      CHECK(found->cert_encryption == row.encryption);
      CHECK(found->kdf == row.kdf);
      CHECK(found->prf == row.prf);
      CHECK(found->kdf_iterations == 2048);
      CHECK(found->kdf_salt_bytes == row.salt);
      CHECK(found->mac_digest == row.mac);
      CHECK(found->mac_iterations == 2048);
      CHECK(found->mac_salt_bytes == row.salt);
    }
  }
}

TEST_CASE("each parameter is taken from the options", "[crypto][pkcs12]") {
  const material m;
  pkcs12_options other = pkcs12_options::modern();
  other.kdf_iterations = 3000;
  other.mac_iterations = 1;
  other.prf = hash_algorithm::sha512;
  other.kdf_salt_bytes = 20;
  other.mac_salt_bytes = 32;
  const auto found = inspect_pkcs12(m.built(other), m.password);
  REQUIRE(found);
  CHECK(found->kdf_iterations == 3000);
  CHECK(found->mac_iterations == 1);
  CHECK(found->prf == "1.2.840.113549.2.11");
  CHECK(found->kdf_salt_bytes == 20);
  CHECK(found->mac_salt_bytes == 32);
}

TEST_CASE("openssl names the same parameters", "[crypto][pkcs12][cli]") {
  const material m;
  const std::string password(m.password.text());
  const auto modern
    = openssl_reads(m.built(pkcs12_options::modern()), password, {"-info", "-noout"});
  INFO(modern.output);
  CHECK(modern.status == 0);
  place(modern.output, "MAC: sha256, Iteration 2048");
  place(modern.output, "MAC length: 32, salt length: 16");
  place(modern.output,
        "PKCS7 Encrypted data: PBES2, PBKDF2, AES-256-CBC, Iteration 2048, PRF hmacWithSHA256");
  place(modern.output,
        "Shrouded Keybag: PBES2, PBKDF2, AES-256-CBC, Iteration 2048, PRF hmacWithSHA256");
  const auto small
    = openssl_reads(m.built(pkcs12_options::compatible()), password, {"-info", "-noout"});
  CHECK(small.status == 0);
  place(small.output, "MAC length: 32, salt length: 8");
  const auto old = openssl_reads(m.built(pkcs12_options::legacy()), password, {"-info", "-noout"});
  INFO(old.output);
  CHECK(old.status == 0);
  place(old.output, "MAC: sha1, Iteration 2048");
  place(old.output, "MAC length: 20, salt length: 8");
  place(old.output, "PKCS7 Encrypted data: pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048");
  place(old.output, "Shrouded Keybag: pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048");
}

TEST_CASE("openssl finds leaf, chain in order, name and key id", "[crypto][pkcs12][cli]") {
  const material m{GENERATE(key_algorithm::rsa2048, key_algorithm::ec_p384)};
  for (const auto& options : profiles()) {
    const auto read = openssl_reads(m.built(options), std::string(m.password.text()), {"-nodes"});
    REQUIRE(read.status == 0);
    const std::string& text = read.output;
    CHECK(place_of_subject(text, "PFX leaf") < place_of_subject(text, "Chain one"));
    CHECK(place_of_subject(text, "Chain one") < place_of_subject(text, "Chain two"));
    const std::size_t id = place(text, "localKeyID: ");
    const std::string id_line = text.substr(id, text.find('\n', id) - id);
    CHECK(text.find(id_line, id + 1) != std::string::npos); // the key's is the same
    const std::size_t name = place(text, "friendlyName: ");
    CHECK(text.find("friendlyName: ", name + 1) != std::string::npos);
    const auto key = private_key::from_pem(text.substr(place(text, "-----BEGIN PRIVATE KEY-----")));
    REQUIRE(key);
    CHECK(m.leaf.matches(*key));
  }
}

TEST_CASE("what was built is read back", "[crypto][pkcs12]") {
  const material m{GENERATE(key_algorithm::rsa2048, key_algorithm::ec_p384)};
  for (const auto& options : profiles()) {
    const auto read = read_pkcs12(m.built(options), m.password);
    REQUIRE(read);
    CHECK(read->leaf.der() == m.leaf.der());
    CHECK(read->key.public_key_hash() == m.leaf.public_key_hash());
    REQUIRE(read->chain.size() == 2);
    CHECK(read->chain[0].der() == m.chain[0].der());
    CHECK(read->chain[1].der() == m.chain[1].der());
    CHECK(read->friendly_name == m.friendly_name);
  }
}

TEST_CASE("two files of the same parts share no salt", "[crypto][pkcs12]") {
  const material m;
  CHECK(m.built(pkcs12_options::modern()) != m.built(pkcs12_options::modern()));
}

TEST_CASE("wrong inputs are refused by field", "[crypto][pkcs12]") {
  material m;
  pkcs12_options options = pkcs12_options::modern();
  const auto field_of = [&m, &options] {
    const auto out = build_pkcs12(m.input(), options);
    REQUIRE_FALSE(out);
    return out.error().field;
  };
  SECTION("passwords") {
    m.password = secret_bytes();
    CHECK(field_of() == "password");
    m.password = secret(std::string(257, 'a'));
    CHECK(field_of() == "password");
    m.password = secret(std::string_view("a\0b", 3));
    CHECK(field_of() == "password");
    m.password = secret("\xff");
    CHECK(field_of() == "password");
  }
  SECTION("friendly names") {
    for (const std::string& bad :
         {std::string("\xc3"), std::string("a\n"), std::string(257, 'a')}) {
      m.friendly_name = bad;
      CHECK(field_of() == "friendlyName");
    }
  }
  SECTION("iterations and salts") {
    for (const int bad : {0, -1, 2'000'001}) {
      options = pkcs12_options::modern();
      options.kdf_iterations = bad;
      CHECK(field_of() == "iterations");
      options = pkcs12_options::modern();
      options.mac_iterations = bad;
      CHECK(field_of() == "iterations");
    }
    for (const int bad : {0, -1, 7, 65}) {
      options = pkcs12_options::modern();
      options.kdf_salt_bytes = bad;
      CHECK(field_of() == "salt");
      options = pkcs12_options::modern();
      options.mac_salt_bytes = bad;
      CHECK(field_of() == "salt");
    }
  }
  SECTION("a certificate of another key") {
    m.leaf = make_leaf(m.root, shared_key(key_algorithm::ec_p256), {});
    CHECK(field_of() == "certificate");
  }
  SECTION("a chain that is too long") {
    m.chain.assign(9, m.root.cert);
    CHECK(field_of() == "chain");
  }
}

TEST_CASE("damaged files and wrong passwords are refused", "[crypto][pkcs12]") {
  const material m;
  const bytes good = m.built(pkcs12_options::modern());
  CHECK(read_pkcs12(good, secret("wrong")).error().code == errc::crypto);
  CHECK(inspect_pkcs12(good, secret("wrong")).error().code == errc::crypto);
  CHECK_FALSE(read_pkcs12(good, secret_bytes()));
  CHECK_FALSE(read_pkcs12({}, m.password));
  CHECK(read_pkcs12(bytes(limits::pfx_bytes_max + 1), m.password).error().code == errc::too_large);
  bytes longer = good;
  longer.push_back(0);
  CHECK_FALSE(read_pkcs12(longer, m.password));
  for (std::size_t i = 0; i < good.size(); i += 13) {
    bytes bad = good;
    bad[i] = static_cast<std::uint8_t>(bad[i] ^ 0x01);
    INFO("octet " << i);
    CHECK_FALSE(read_pkcs12(bad, m.password));
  }
}

TEST_CASE("files that others wrote are read", "[crypto][pkcs12][corpus]") {
  const auto reads = [](const char* name, const char* password) {
    const auto out = read_pkcs12(read_file(data_file(name)), secret(password));
    INFO(name << " " << (out ? std::string() : to_string(out.error())));
    REQUIRE(out);
    CHECK(out->leaf.matches(out->key));
    return to_hex(sha1(out->leaf.der()));
  };
  CHECK(reads("pkcs12-windows/EncryptionTests_pass_TestCert.pfx", "TestCert")
        == "f5e1acb8c9c55a17605930515661548fb4cfc64c");
  reads("pkcs12-pyca/cert-key-aes256cbc.p12", "cryptography");
  reads("pkcs12-pyca/name-unicode-pwd.p12", "password");
  reads("pkcs12-pyca/name-all-pwd.p12", "password");
  reads("pkcs12-pyca/cert-rc2-key-3des.p12", "cryptography");
}

TEST_CASE("files of others that hold no openable pair are refused", "[crypto][pkcs12][corpus]") {
  const auto refuses = [](const char* name, const char* password) {
    INFO(name);
    const auto out = read_pkcs12(read_file(data_file(name)), secret(password));
    REQUIRE_FALSE(out);
    CHECK(out.error().field == "encryptedPfxBlob");
  };
  refuses("pkcs12-openssl/bad1.p12", ""); // CVE-2024-0727
  refuses("pkcs12-openssl/bad2.p12", "");
  refuses("pkcs12-openssl/bad3.p12", "");
  refuses("pkcs12-openssl/garbage-pkcs12.p12", "");
  refuses("pkcs12-openssl/v3-certs-TDES.p12", "v3-certs"); // no key inside
  refuses("pkcs12-openssl/v3-certs-RC2.p12", "v3-certs");
  refuses("pkcs12-pyca/no-cert-key-aes256cbc.p12", "cryptography");
  refuses("pkcs12-pyca/cert-key-aes256cbc.p12", "cryptograph");
}
