// Passwords to devices: opened by openssl's program with the device's key, and by ours.
#include "crypto/cms.hpp"

#include "crypto/openssl.hpp"
#include "crypto/random.hpp"
#include "tests/catch.hpp"
#include "tests/crypto/support.hpp"

#include <algorithm>
#include <array>

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

struct device {
  const private_key& key;
  certificate cert;
};

device make_device(key_algorithm algorithm) {
  static const ca_identity ca = make_ca();
  const private_key& key = shared_key(algorithm);
  return {key, make_leaf(ca, key, {"CN=device", {}, 0})};
}

bytes sealed_for(const device& to, key_transport transport, byte_view plaintext) {
  auto out = encrypt_to(to.cert, transport, plaintext);
  INFO((out ? std::string() : to_string(out.error())));
  REQUIRE(out);
  return std::move(*out);
}

struct transport_case {
  key_algorithm algorithm;
  key_transport transport;
};
constexpr std::array<transport_case, 5> cases{
  {{key_algorithm::rsa2048, key_transport::rsa_pkcs1},
   {key_algorithm::rsa2048, key_transport::rsa_oaep_sha256},
   {key_algorithm::ec_p256, key_transport::ecdh},
   {key_algorithm::ec_p384, key_transport::ecdh},
   {key_algorithm::ec_p521, key_transport::ecdh}}};

std::string structure_of(const bytes& cms) {
  const temporary_folder folder;
  write_file(folder.file("m.cms"), cms);
  const auto out = openssl(
    {"cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", folder.file("m.cms")});
  REQUIRE(out.status == 0);
  return out.output;
}

bool holds(const std::string& text, std::string_view part) {
  INFO(text << "\nlacks " << part);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

bool holds_octets(const bytes& whole, const char* hex) {
  const bytes part = unhex(hex);
  return std::search(whole.begin(), whole.end(), part.begin(), part.end()) != whole.end();
}

} // namespace

TEST_CASE("openssl opens what was encrypted to a device", "[crypto][cms][cli]") {
  for (const transport_case& c : cases) {
    INFO(name_of(c.algorithm) << " " << name_of(c.transport));
    const device to = make_device(c.algorithm);
    const bytes plaintext = random_bytes(32);
    const temporary_folder folder;
    write_file(folder.file("m.cms"), sealed_for(to, c.transport, plaintext));
    write_file(folder.file("cert.pem"), to.cert.pem());
    write_file(folder.file("key.pem"), to.key.to_pem()->text());
    const auto opened = openssl({"cms", "-decrypt", "-binary", "-inform", "DER", "-in",
                                 folder.file("m.cms"), "-recip", folder.file("cert.pem"), "-inkey",
                                 folder.file("key.pem"), "-out", folder.file("plain")});
    INFO(opened.output);
    REQUIRE(opened.status == 0);
    CHECK(read_file(folder.file("plain")) == plaintext);
  }
}

TEST_CASE("we open it too, whatever its length", "[crypto][cms]") {
  for (const transport_case& c : cases) {
    const device to = make_device(c.algorithm);
    for (const std::size_t size : {0, 1, 15, 16, 17, 32, 4096}) {
      const bytes plaintext = random_bytes(size);
      const auto opened = decrypt_with(to.cert, to.key, sealed_for(to, c.transport, plaintext));
      INFO(name_of(c.transport) << " " << size);
      REQUIRE(opened);
      CHECK(to_bytes(opened->view()) == plaintext);
    }
  }
}

TEST_CASE("the algorithms are those of the protocol", "[crypto][cms][cli]") {
  const bytes plaintext(32, 7);
  SECTION("PKCS#1 v1.5") {
    const auto cms
      = sealed_for(make_device(key_algorithm::rsa2048), key_transport::rsa_pkcs1, plaintext);
    const std::string text = structure_of(cms);
    holds(text, "d.issuerAndSerialNumber:");
    holds(text, "algorithm: rsaEncryption");
    holds(text, "algorithm: aes-256-cbc");
  }
  SECTION("OAEP with SHA-256 for both hashes") {
    const auto cms
      = sealed_for(make_device(key_algorithm::rsa2048), key_transport::rsa_oaep_sha256, plaintext);
    holds(structure_of(cms), "algorithm: rsaesOaep");
    // RSAES-OAEP-params: [0] sha256, [1] mgf1 with sha256, no label
    CHECK(holds_octets(cms,
                       "a00d300b0609608648016503040201"
                       "a11a301806092a864886f70d010108300b0609608648016503040201"));
  }
  SECTION("ECDH with the SHA-256 KDF and AES-256 key wrap") {
    const auto cms
      = sealed_for(make_device(key_algorithm::ec_p256), key_transport::ecdh, plaintext);
    const std::string text = structure_of(cms);
    holds(text, "dhSinglePass-stdDH-sha256kdf-scheme");
    holds(text, "d.issuerAndSerialNumber:");
    holds(text, "algorithm: aes-256-cbc");
    CHECK(holds_octets(cms,
                       "06062b810401"
                       "0b01"));                        // 1.3.132.1.11.1
    CHECK(holds_octets(cms, "060960864801650304012d")); // id-aes256-wrap
  }
}

TEST_CASE("the plaintext lies nowhere in the message", "[crypto][cms]") {
  const bytes plaintext = random_bytes(32);
  for (const transport_case& c : cases) {
    const bytes cms = sealed_for(make_device(c.algorithm), c.transport, plaintext);
    CHECK(std::search(cms.begin(), cms.end(), plaintext.begin(), plaintext.begin() + 8)
          == cms.end());
  }
}

TEST_CASE("a transport that does not fit the key is refused by field", "[crypto][cms]") {
  const auto refused = [](key_algorithm algorithm, key_transport transport) {
    const auto out = encrypt_to(make_device(algorithm).cert, transport, bytes(32));
    REQUIRE_FALSE(out);
    CHECK(out.error().code == errc::policy);
    CHECK(out.error().field == "keyTransport");
  };
  refused(key_algorithm::ec_p256, key_transport::rsa_pkcs1);
  refused(key_algorithm::ec_p256, key_transport::rsa_oaep_sha256);
  refused(key_algorithm::rsa2048, key_transport::ecdh);
  refused(key_algorithm::rsa2048, static_cast<key_transport>(0));
  CHECK(
    encrypt_to(make_device(key_algorithm::rsa2048).cert, key_transport::rsa_pkcs1, bytes(70'000))
      .error()
      .code
    == errc::too_large);
}

TEST_CASE("a message opens with one key and unchanged only", "[crypto][cms]") {
  for (const auto& c : {cases[1], cases[2]}) {
    const device to = make_device(c.algorithm);
    const bytes plaintext = random_bytes(32);
    const bytes good = sealed_for(to, c.transport, plaintext);
    const auto other = private_key::generate(key_algorithm::ec_p256);
    REQUIRE(other);
    const auto wrong_key = decrypt_with(to.cert, *other, good);
    REQUIRE_FALSE(wrong_key);
    const device stranger{*other, make_leaf(make_ca(), *other, {})};
    const auto wrong_device = decrypt_with(stranger.cert, stranger.key, good);
    REQUIRE_FALSE(wrong_device);
    CHECK(wrong_device.error() == wrong_key.error()); // one error for every cause
    for (std::size_t i = 0; i < good.size(); i += 5) {
      bytes bad = good;
      bad[i] = static_cast<std::uint8_t>(bad[i] ^ 0x01);
      const auto out = decrypt_with(to.cert, to.key, bad);
      // CBC has no integrity: another plaintext may come out, ours only if nothing that counts
      // changed.
      if (!out)
        CHECK(out.error() == wrong_key.error());
    }
    bytes longer = good;
    longer.push_back(0);
    CHECK_FALSE(decrypt_with(to.cert, to.key, longer));
    CHECK_FALSE(decrypt_with(to.cert, to.key, {}));
    CHECK_FALSE(decrypt_with(to.cert, to.key, bytes(200'000)));
  }
}

TEST_CASE("other kinds of messages are refused unopened", "[crypto][cms][cli]") {
  const device to = make_device(key_algorithm::rsa2048);
  const temporary_folder folder;
  write_file(folder.file("cert.pem"), to.cert.pem());
  write_file(folder.file("key.pem"), to.key.to_pem()->text());
  write_file(folder.file("plain"), std::string_view("secret"));
  const auto refuses = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"cms",      "-binary", "-in",  folder.file("plain"),
                                       "-outform", "DER",     "-out", folder.file("m.cms")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto made = openssl(arguments);
    INFO(made.output);
    REQUIRE(made.status == 0);
    CHECK_FALSE(decrypt_with(to.cert, to.key, read_file(folder.file("m.cms"))));
  };
  refuses({"-encrypt", "-aes-256-gcm", folder.file("cert.pem")}); // AuthEnvelopedData
  refuses(
    {"-sign", "-signer", folder.file("cert.pem"), "-inkey", folder.file("key.pem"), "-nodetach"});
  refuses({"-encrypt", "-aes256", "-pwri_password", "secret"});
  refuses({"-encrypt", "-aes256", folder.file("cert.pem"), folder.file("cert.pem")});
  refuses({"-data_create"});
}
