// What an imported PFX is about: certificate, key and path out of everything a file holds.
#include "tests/catch.hpp"
#include "tests/crypto/pfx_maker.hpp"
#include "tests/crypto/support.hpp"

#include "crypto/digest.hpp"
#include "crypto/openssl.hpp"

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

bytes octets_of(const private_key& key) {
  const auto info = key.to_pkcs8();
  REQUIRE(info);
  return to_bytes(info->view());
}
parts with_key(const certificate& cert, const bytes& info) {
  return {cert_bag(cert), bag("1.2.840.113549.1.12.10.1.1", info)};
}

/// The public half of one P-256 key beside the private half of another.
bytes chimera(const private_key& open_half, const private_key& secret_half) {
  const bytes before{0x02, 0x01, 0x01, 0x04, 0x20}; // version 1, then the scalar (RFC 5915)
  bytes out = octets_of(open_half);
  const bytes other = octets_of(secret_half);
  const auto at = std::ranges::search(out, before).end();
  std::copy_n(std::ranges::search(other, before).end(), 32, at);
  return out;
}

/// One octet of the `index`-th number of RSAPrivateKey is another; odd numbers stay odd.
bytes tampered(const private_key& key, int index) {
  bytes out = octets_of(key);
  der::reader info(der::only(out, der::sequence)->content);
  REQUIRE((info.next() && info.next())); // version and algorithm
  der::reader walk(der::only(info.next()->content, der::sequence)->content);
  for (int i = 0; i < index; ++i)
    REQUIRE(walk.next());
  const auto number = walk.next(der::integer)->content;
  out[static_cast<std::size_t>(number.data() - out.data()) + number.size() / 2] ^= 0x10;
  return out;
}

/// Numbers of 8,192 bits that fit together in all but being primes: the last of what is looked at.
struct false_rsa {
  bytes info;
  bytes public_info;
};
false_rsa longest_false_rsa() {
  const handle<::BN_CTX, ::BN_CTX_free> scratch(::BN_CTX_new());
  const auto made = [] { return bignum_handle(::BN_new()); };
  const auto n = made(), e = made(), d = made(), phi = made(), qi = made();
  bignum_handle of[2], less[2], half[2];
  REQUIRE(::BN_set_word(e.get(), 65537) == 1);
  do {
    for (int i = 0; i < 2; ++i) {
      of[i] = made(), half[i] = made();
      REQUIRE(::BN_rand(of[i].get(), 4096, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD) == 1);
      less[i].reset(::BN_dup(of[i].get()));
      REQUIRE(::BN_sub_word(less[i].get(), 1) == 1);
    }
    REQUIRE(::BN_mul(n.get(), of[0].get(), of[1].get(), scratch.get()) == 1);
    REQUIRE(::BN_mul(phi.get(), less[0].get(), less[1].get(), scratch.get()) == 1);
  } while (::BN_mod_inverse(d.get(), e.get(), phi.get(), scratch.get()) == nullptr
           || ::BN_mod_inverse(qi.get(), of[1].get(), of[0].get(), scratch.get()) == nullptr);
  for (int i = 0; i < 2; ++i)
    REQUIRE(::BN_mod(half[i].get(), d.get(), less[i].get(), scratch.get()) == 1);
  const auto number = [](const bignum_handle& value) {
    bytes out(static_cast<std::size_t>(BN_num_bytes(value.get())));
    ::BN_bn2bin(value.get(), out.data());
    return der::unsigned_integer(out);
  };
  const bytes algorithm = seq({oid("1.2.840.113549.1.1.1"), bytes{0x05, 0x00}});
  bytes bits{0};
  der::append(bits, seq({number(n), number(e)}));
  return {seq({integer(0), algorithm,
               octets(seq({integer(0), number(n), number(e), number(d), number(of[0]),
                           number(of[1]), number(half[0]), number(half[1]), number(qi)}))}),
          seq({algorithm, der::tlv(der::bit_string, bits)})};
}

certificate cert_of(const ca_identity& issuer, const bytes& public_key) {
  sign_options options;
  options.subject = detail::access::subject_der(issuer.cert);
  options.public_key = public_key;
  options.serial = random_serial();
  options.not_before = now;
  options.not_after = now + day;
  auto made = sign_certificate(issuer, options);
  REQUIRE(made);
  return std::move(*made);
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

TEST_CASE("a key is its certificate's with both halves, or it is not there", "[crypto][pfx]") {
  const family f;
  const auto other = private_key::generate(key_algorithm::ec_p256);
  REQUIRE(other);
  CHECK(
    take_identity(contents(with_key(f.leaf, chimera(first_key(), first_key()))), sha1_of(f.leaf)));
  refused(with_key(f.leaf, chimera(first_key(), *other)), sha1_of(f.leaf));
  const auto& rsa = shared_key(key_algorithm::rsa2048);
  const auto cert = make_leaf(f.root, rsa, {});
  CHECK(take_identity(contents(with_key(cert, octets_of(rsa))), sha1_of(cert)));
  for (const int number : {3, 4, 5, 6, 7, 8}) { // d, p, q, dp, dq, qi
    INFO(number);
    refused(with_key(cert, tampered(rsa, number)), sha1_of(cert));
  }
}

TEST_CASE("proving the numbers of the longest key takes its time", "[crypto][pfx][bomb]") {
  const auto key = longest_false_rsa();
  const auto cert = cert_of(make_ca(), key.public_info);
  auto opened = contents(with_key(cert, key.info));
  const cpu_clock clock;
  CHECK_FALSE(take_identity(std::move(opened), sha1_of(cert)));
  CHECK(clock.milliseconds() < 400); // a tenth of a second, and other work on the machine
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
