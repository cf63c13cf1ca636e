// Private keys: our DER against OpenSSL's, and what is refused.
#include "crypto/private_key.hpp"

#include "crypto/digest.hpp"
#include "crypto/openssl.hpp"
#include "tests/catch.hpp"
#include "tests/crypto/support.hpp"

#include <array>

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

using pkcs8_handle = handle<::PKCS8_PRIV_KEY_INFO, ::PKCS8_PRIV_KEY_INFO_free>;

constexpr std::array algorithms_of_tests{key_algorithm::rsa2048, key_algorithm::ec_p256,
                                         key_algorithm::ec_p384, key_algorithm::ec_p521};

bytes openssl_pkcs8(const private_key& key) {
  const pkcs8_handle info(::EVP_PKEY2PKCS8(detail::access::pkey(key)));
  REQUIRE(info != nullptr);
  return encode_der(&::i2d_PKCS8_PRIV_KEY_INFO, info.get());
}

} // namespace

TEST_CASE("keys are written octet for octet as OpenSSL writes them", "[crypto][key]") {
  for (const key_algorithm algorithm : algorithms_of_tests) {
    INFO(name_of(algorithm));
    const private_key& key = shared_key(algorithm);
    const auto secret_form = key.to_pkcs8();
    REQUIRE(secret_form);
    CHECK(to_bytes(secret_form->view()) == openssl_pkcs8(key));
    const auto public_form = key.public_key();
    REQUIRE(public_form);
    CHECK(*public_form == encode_der(&::i2d_PUBKEY, detail::access::pkey(key)));
    CHECK(key.public_key_hash() == sha256(*public_form));
  }
}

TEST_CASE("short scalars and coordinates keep their leading zeros", "[crypto][key]") {
  // One P-256 key in 128 has a scalar or a coordinate with a leading zero octet.
  for (int i = 0; i < 600; ++i) {
    const auto key = private_key::generate(key_algorithm::ec_p256);
    REQUIRE(key);
    const auto form = key->to_pkcs8();
    REQUIRE(form);
    REQUIRE(form->size() == 138);
  }
}

TEST_CASE("a made key has the size and the exponent that were asked for", "[crypto][key]") {
  const auto bits_of
    = [](key_algorithm a) { return ::EVP_PKEY_get_bits(detail::access::pkey(shared_key(a))); };
  CHECK(bits_of(key_algorithm::rsa2048) == 2048);
  CHECK(bits_of(key_algorithm::ec_p256) == 256);
  CHECK(bits_of(key_algorithm::ec_p384) == 384);
  CHECK(bits_of(key_algorithm::ec_p521) == 521);
  ::BIGNUM* exponent = nullptr;
  REQUIRE(::EVP_PKEY_get_bn_param(detail::access::pkey(shared_key(key_algorithm::rsa2048)), "e",
                                  &exponent)
          == 1);
  CHECK(::BN_get_word(exponent) == 65537);
  ::BN_free(exponent);
  CHECK_FALSE(private_key::generate(static_cast<key_algorithm>(99)));
}

TEST_CASE("keys come back from PKCS#8 and PEM", "[crypto][key]") {
  for (const key_algorithm algorithm : algorithms_of_tests) {
    INFO(name_of(algorithm));
    const private_key& key = shared_key(algorithm);
    const auto der = key.to_pkcs8();
    const auto pem = key.to_pem();
    REQUIRE(der);
    REQUIRE(pem);
    const auto from_der = private_key::from_pkcs8(der->view());
    const auto from_text = private_key::from_pem(pem->text());
    REQUIRE(from_der);
    REQUIRE(from_text);
    CHECK(from_der->public_key_hash() == key.public_key_hash());
    CHECK(from_text->public_key_hash() == key.public_key_hash());
  }
}

TEST_CASE("openssl reads our PEM, and we read its traditional PEM", "[crypto][key][cli]") {
  const temporary_folder folder;
  for (const key_algorithm algorithm : {key_algorithm::rsa2048, key_algorithm::ec_p384}) {
    const private_key& key = shared_key(algorithm);
    const auto pem = key.to_pem();
    REQUIRE(pem);
    write_file(folder.file("key.pem"), pem->text());
    const auto checked = openssl({"pkey", "-in", folder.file("key.pem"), "-check", "-noout"});
    INFO(checked.output);
    CHECK(checked.status == 0);
    REQUIRE(openssl({"pkey", "-in", folder.file("key.pem"), "-traditional", "-out",
                     folder.file("old.pem")})
              .status
            == 0);
    const auto back = private_key::from_pem(to_text(read_file(folder.file("old.pem"))));
    REQUIRE(back);
    CHECK(back->public_key_hash() == key.public_key_hash());
  }
}

TEST_CASE("a key with a compressed point is the same key", "[crypto][key][cli]") {
  const temporary_folder folder;
  const auto pem = shared_key(key_algorithm::ec_p256).to_pem();
  REQUIRE(pem);
  write_file(folder.file("key.pem"), pem->text());
  REQUIRE(openssl({"ec", "-in", folder.file("key.pem"), "-conv_form", "compressed", "-out",
                   folder.file("small.pem")})
            .status
          == 0);
  const auto back = private_key::from_pem(to_text(read_file(folder.file("small.pem"))));
  REQUIRE(back);
  CHECK(back->public_key_hash() == shared_key(key_algorithm::ec_p256).public_key_hash());
}

TEST_CASE("damaged PKCS#8 keys are refused", "[crypto][key]") {
  const auto good = shared_key(key_algorithm::ec_p256).to_pkcs8();
  REQUIRE(good);
  const bytes der = to_bytes(good->view());
  SECTION("nothing at all") { CHECK_FALSE(private_key::from_pkcs8({})); }
  SECTION("octets behind it") {
    bytes longer = der;
    longer.push_back(0);
    const auto out = private_key::from_pkcs8(longer);
    REQUIRE_FALSE(out);
    CHECK(out.error().code == errc::bad_input);
  }
  SECTION("every truncation") {
    for (std::size_t size = 0; size < der.size(); ++size) {
      CHECK_FALSE(private_key::from_pkcs8(byte_view(der).first(size)));
    }
  }
  SECTION("more octets than any key has") {
    const auto out = private_key::from_pkcs8(bytes(100'000, 0x30));
    REQUIRE_FALSE(out);
    CHECK(out.error().code == errc::too_large);
  }
}

TEST_CASE("keys of other kinds are refused by name", "[crypto][key][cli]") {
  const temporary_folder folder;
  const auto refuses = [&folder](const std::vector<std::string>& options) {
    std::vector<std::string> arguments{"genpkey", "-out", folder.file("k.pem")};
    arguments.insert(arguments.end(), options.begin(), options.end());
    REQUIRE(openssl(arguments).status == 0);
    const auto out = private_key::from_pem(to_text(read_file(folder.file("k.pem"))));
    REQUIRE_FALSE(out);
    return out.error().code;
  };
  CHECK(refuses({"-algorithm", "ED25519"}) == errc::not_supported);
  CHECK(refuses({"-algorithm", "X25519"}) == errc::not_supported);
  CHECK(refuses({"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"})
        == errc::not_supported);
}

TEST_CASE("PEM texts without an open private key are refused", "[crypto][key][cli]") {
  const temporary_folder folder;
  const auto pem = shared_key(key_algorithm::ec_p256).to_pem();
  REQUIRE(pem);
  write_file(folder.file("key.pem"), pem->text());
  REQUIRE(openssl({"pkcs8", "-topk8", "-in", folder.file("key.pem"), "-passout", "pass:x", "-out",
                   folder.file("locked.pem")})
            .status
          == 0);
  REQUIRE(
    openssl({"pkey", "-in", folder.file("key.pem"), "-pubout", "-out", folder.file("pub.pem")})
      .status
    == 0);
  CHECK_FALSE(private_key::from_pem(to_text(read_file(folder.file("locked.pem")))));
  CHECK_FALSE(private_key::from_pem(to_text(read_file(folder.file("pub.pem")))));
  CHECK_FALSE(private_key::from_pem(""));
  CHECK_FALSE(private_key::from_pem("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"));
  CHECK_FALSE(private_key::from_pem("no PEM at all"));
  CHECK_FALSE(private_key::from_pem(std::string(200'000, 'A')));
}
