// PS256 signatures: made here, verified here and by OpenSSL with parameters of its own. RS256
// signatures: made by OpenSSL, verified here.
#include "tests/catch.hpp"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "crypto/digest.hpp"
#include "crypto/issue.hpp"
#include "crypto/openssl.hpp"
#include "crypto/rsa_signature.hpp"

using namespace pfx;
using namespace pfx::crypto;

namespace {

struct pair {
  private_key key;
  certificate cert;
};

pair make(key_algorithm algorithm) {
  auto root = make_root({"CN=Signer", algorithm, 0, 4'000'000'000'000});
  REQUIRE(root.has_value());
  return {std::move(root->key), std::move(root->cert)};
}

/// OpenSSL's own reading of the parameters, salt length stated as a number.
bool verified_elsewhere(const certificate& cert, byte_view octets, byte_view signature,
                        int salt_octets) {
  ::EVP_MD_CTX* context = ::EVP_MD_CTX_new();
  ::EVP_PKEY_CTX* parameters = nullptr;
  bool good = ::EVP_DigestVerifyInit(context, &parameters, ::EVP_sha256(), nullptr,
                                     detail::access::pkey(cert))
      == 1
    && ::EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1
    && ::EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt_octets) == 1
    && ::EVP_DigestVerify(context, signature.data(), signature.size(), octets.data(), octets.size())
      == 1;
  ::EVP_MD_CTX_free(context);
  const queue_guard guard;
  return good;
}

bytes rs256(const private_key& key, byte_view octets) {
  bytes out(512);
  std::size_t size = out.size();
  ::EVP_MD_CTX* context = ::EVP_MD_CTX_new();
  REQUIRE(::EVP_DigestSignInit(context, nullptr, ::EVP_sha256(), nullptr, detail::access::pkey(key))
          == 1);
  REQUIRE(::EVP_DigestSign(context, out.data(), &size, octets.data(), octets.size()) == 1);
  ::EVP_MD_CTX_free(context);
  out.resize(size);
  return out;
}

} // namespace

TEST_CASE("a PS256 signature verifies, with a salt of 32 octets", "[crypto][pss]") {
  const pair signer = make(key_algorithm::rsa2048);
  const bytes text = to_bytes("eyJhbGciOiJQUzI1NiJ9.e30");
  const auto signature = sign_pss_sha256(signer.key, text);
  REQUIRE(signature.has_value());
  CHECK(signature->size() == 256);
  CHECK(verify_pss_sha256(signer.cert, text, *signature));
  CHECK(verified_elsewhere(signer.cert, text, *signature, 32));
  CHECK_FALSE(verified_elsewhere(signer.cert, text, *signature, 20));
  CHECK(*sign_pss_sha256(signer.key, text) != *signature); // the salt is random
}

TEST_CASE("a PS256 signature of something else or by somebody else is refused", "[crypto][pss]") {
  const pair signer = make(key_algorithm::rsa2048);
  const pair other = make(key_algorithm::rsa2048);
  const pair ec = make(key_algorithm::ec_p256);
  const bytes text = to_bytes("text");
  bytes signature = *sign_pss_sha256(signer.key, text);
  CHECK_FALSE(verify_pss_sha256(signer.cert, to_bytes("texts"), signature));
  CHECK_FALSE(verify_pss_sha256(signer.cert, {}, signature));
  CHECK_FALSE(verify_pss_sha256(other.cert, text, signature));
  CHECK_FALSE(verify_pss_sha256(ec.cert, text, signature));
  CHECK_FALSE(verify_pss_sha256(signer.cert, text, {}));
  CHECK_FALSE(verify_pss_sha256(signer.cert, text, byte_view(signature).first(255)));
  signature[100] ^= 1;
  CHECK_FALSE(verify_pss_sha256(signer.cert, text, signature));
}

TEST_CASE("an RS256 signature verifies as what it is alone", "[crypto][pss]") {
  const pair signer = make(key_algorithm::rsa2048);
  const pair other = make(key_algorithm::rsa2048);
  const pair ec = make(key_algorithm::ec_p256);
  const bytes text = to_bytes("eyJhbGciOiJSUzI1NiJ9.e30");
  bytes signature = rs256(signer.key, text);
  CHECK(verify_pkcs1_sha256(signer.cert, text, signature));
  CHECK_FALSE(verify_pss_sha256(signer.cert, text, signature));
  CHECK_FALSE(verify_pkcs1_sha256(signer.cert, text, *sign_pss_sha256(signer.key, text)));
  CHECK_FALSE(verify_pkcs1_sha256(signer.cert, to_bytes("text"), signature));
  CHECK_FALSE(verify_pkcs1_sha256(other.cert, text, signature));
  CHECK_FALSE(verify_pkcs1_sha256(ec.cert, text, rs256(ec.key, text)));
  CHECK_FALSE(verify_pkcs1_sha256(signer.cert, text, {}));
  signature[100] ^= 1;
  CHECK_FALSE(verify_pkcs1_sha256(signer.cert, text, signature));
}

TEST_CASE("keys that PS256 is not for are refused before anything is signed", "[crypto][pss]") {
  const pair ec = make(key_algorithm::ec_p256);
  CHECK(sign_pss_sha256(ec.key, to_bytes("x")).error().code == errc::not_supported);
  ::EVP_PKEY* raw = ::EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024});
  auto small = detail::access::adopt(pkey_handle(raw));
  REQUIRE(small.has_value());
  CHECK(sign_pss_sha256(*small, to_bytes("x")).error().code == errc::not_supported);
}

TEST_CASE("base64url is the alphabet of RFC 4648 section 5 without padding", "[crypto][digest]") {
  CHECK(to_base64url({}).empty());
  CHECK(to_base64url(to_bytes("f")) == "Zg");
  CHECK(to_base64url(to_bytes("fo")) == "Zm8");
  CHECK(to_base64url(to_bytes("foo")) == "Zm9v");
  CHECK(to_base64url(bytes{0xfb, 0xff, 0xfe}) == "-__-");
  // RFC 7515 A.1.1
  CHECK(to_base64url(to_bytes("{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}"))
        == "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9");
}
