// What an imported PFX is about: certificate, key and path out of everything a file holds.
#include "tests/catch.hpp"
#include "tests/crypto/pfx_maker.hpp"
#include "tests/crypto/support.hpp"

#include "crypto/digest.hpp"

#include <algorithm>

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

const private_key& first_key() { return shared_key(key_algorithm::ec_p256); }
const private_key& second_key() { return shared_key(key_algorithm::ec_p384); }

struct family {
  ca_identity root = make_ca(key_algorithm::ec_p256, "CN=Identity root");
  certificate leaf = make_leaf(root, first_key(), {"CN=first"});
  certificate other = make_leaf(root, second_key(), {"CN=second"});
  certificate stranger = make_ca(key_algorithm::ec_p256, "CN=Stranger").cert;
};

pfx_contents contents(const parts& bags) {
  auto out = open(file({plain_safe(bags)}, "secret"), "secret");
  REQUIRE(out);
  return std::move(*out);
}

std::string sha1_of(const certificate& cert) { return to_hex(sha1(cert.der())); }

void refused(const parts& bags, std::string_view thumbprint) {
  const auto out = take_identity(contents(bags), thumbprint);
  REQUIRE_FALSE(out);
  CHECK(out.error().code == errc::bad_input);
  CHECK(out.error().field == "thumbprint");
}

} // namespace

TEST_CASE("an identity is found by either thumbprint in any case", "[crypto][pfx]") {
  const family f;
  const parts bags{cert_bag(f.stranger), cert_bag(f.leaf, {friendly_name(u"mine")}),
                   key_bag(first_key())};
  std::string upper = sha1_of(f.leaf);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) {
    return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  for (const std::string& thumbprint : {sha1_of(f.leaf), upper, to_hex(f.leaf.thumbprint())}) {
    const auto out = take_identity(contents(bags), thumbprint);
    REQUIRE(out);
    CHECK(out->leaf.der() == f.leaf.der());
    CHECK(out->leaf.matches(out->key));
    CHECK(out->friendly_name == "mine");
    CHECK(out->chain.empty());
  }
}

TEST_CASE("each of two keys goes with its own certificate", "[crypto][pfx]") {
  const family f;
  // Written across: the order of keys and the localKeyIDs say nothing.
  const parts bags{
    key_bag(second_key(), {local_key_id(bytes{1})}), key_bag(first_key(), {local_key_id(bytes{2})}),
    cert_bag(f.leaf, {local_key_id(bytes{1})}), cert_bag(f.other, {local_key_id(bytes{2})})};
  for (const certificate* wanted : {&f.leaf, &f.other}) {
    const auto out = take_identity(contents(bags), sha1_of(*wanted));
    REQUIRE(out);
    CHECK(out->leaf.der() == wanted->der());
    CHECK(out->leaf.matches(out->key));
  }
}

TEST_CASE("a certificate that is not there, or not with its key, is refused", "[crypto][pfx]") {
  const family f;
  const std::string wanted = sha1_of(f.leaf);
  refused({}, wanted);
  refused({cert_bag(f.leaf)}, wanted);                        // no key at all
  refused({key_bag(first_key())}, wanted);                    // no certificate
  refused({cert_bag(f.leaf), key_bag(second_key())}, wanted); // the key of another
  refused({cert_bag(f.other), key_bag(first_key())}, wanted);
  refused({cert_bag(f.other), key_bag(second_key())}, wanted);
  const parts good{cert_bag(f.leaf), key_bag(first_key())};
  CHECK(take_identity(contents(good), wanted));
  for (const std::string& bad :
       {std::string(), wanted.substr(1), wanted + "0", wanted.substr(2), wanted + "00",
        std::string(40, 'g'), " " + wanted.substr(1), std::string(40, '0'), std::string(64, '0'),
        to_hex(f.leaf.thumbprint()).substr(0, 40), std::string(100'000, 'a')}) {
    INFO(bad.substr(0, 80));
    refused(good, bad);
  }
}

TEST_CASE("the chain goes issuer first and stops before the root", "[crypto][pfx]") {
  const bytes octets = read_file(data_file("pkcs12-openssl/test-BER.p12"));
  auto opened = open(octets, "12345");
  REQUIRE(opened);
  const std::string leaf = to_hex(opened->certificates.at(0).value.thumbprint());
  const auto out = take_identity(std::move(*opened), leaf);
  REQUIRE(out);
  CHECK(out->leaf.common_name() == "Docker_Playground_TLS");
  REQUIRE(out->chain.size() == 1); // TLS_ROOTCA comes before it in the file, and is left out
  CHECK(out->chain[0].common_name() == "TLS_ISSUING_CA");
  auto longer = open(read_file(data_file("pkcs12-openssl/signer.p12")), "12345");
  REQUIRE(longer);
  std::reverse(longer->certificates.begin(), longer->certificates.end());
  const std::string signer = to_hex(longer->certificates.back().value.thumbprint());
  const auto path = take_identity(std::move(*longer), signer);
  REQUIRE(path);
  REQUIRE(path->chain.size() == 2);
  CHECK(path->chain[0].common_name() == "subinterCA");
  CHECK(path->chain[1].common_name() == "interCA");
}

TEST_CASE("a self-signed certificate has no chain", "[crypto][pfx]") {
  auto opened = open(read_file(data_file("pkcs12-made/java.p12")), "secret");
  REQUIRE(opened);
  const std::string thumbprint = to_hex(opened->certificates.at(0).value.thumbprint());
  const auto out = take_identity(std::move(*opened), thumbprint);
  REQUIRE(out);
  CHECK(out->chain.empty());
  CHECK(out->friendly_name == "made here");
}

TEST_CASE("the PFX that Windows wrote gives its identity", "[crypto][pfx]") {
  auto opened
    = open(read_file(data_file("pkcs12-windows/EncryptionTests_pass_TestCert.pfx")), "TestCert");
  REQUIRE(opened);
  const auto out = take_identity(std::move(*opened), "F5E1ACB8C9C55A17605930515661548FB4CFC64C");
  REQUIRE(out);
  CHECK(out->leaf.common_name() == "Test Cert");
  CHECK(out->leaf.is_rsa());
}
