// Opening PKCS#12 files: every algorithm, every form of a password, files without a MAC.
#include "tests/catch.hpp"
#include "tests/crypto/pfx_maker.hpp"
#include "tests/crypto/support.hpp"

#include "crypto/openssl.hpp"
#include "crypto/random.hpp"

#include <openssl/err.h>

#include <algorithm>

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

using reason = pfx_refusal::reason;

const private_key& key() { return shared_key(key_algorithm::ec_p256); }
const certificate& cert() {
  static const certificate made
    = make_leaf(make_ca(key_algorithm::ec_p256, "CN=PFX root"), key(), {});
  return made;
}
const std::string e_latin1 = "caf\xe9";
const std::string e_utf8 = "caf\xc3\xa9";

void opens(const bytes& octets, const std::string& password) {
  const auto out = open(octets, password);
  INFO((out ? std::string() : to_string(out.error().what)));
  REQUIRE(out);
  REQUIRE(out->keys.size() == 1);
  CHECK(out->keys[0].public_key_hash() == cert().public_key_hash());
}

bytes pair_with(const pbe_shape& shape, const std::string& password, const mac_shape& how = {}) {
  return file({encrypted_safe({cert_bag(cert())}, shape, password),
               plain_safe({shrouded_bag(key(), shape, password)})},
              password, how);
}

pkey_handle made_key(const char* type, const char* parameter = nullptr) {
  return pkey_handle(parameter == nullptr ? ::EVP_PKEY_Q_keygen(nullptr, nullptr, type)
                                          : ::EVP_PKEY_Q_keygen(nullptr, nullptr, type, parameter));
}

bytes key_bag_of(const ::EVP_PKEY* made) {
  const handle<::PKCS8_PRIV_KEY_INFO, ::PKCS8_PRIV_KEY_INFO_free> info(::EVP_PKEY2PKCS8(made));
  REQUIRE(info != nullptr);
  return bag("1.2.840.113549.1.12.10.1.1", encode_der(&::i2d_PKCS8_PRIV_KEY_INFO, info.get()));
}

} // namespace

TEST_CASE("every cipher and every PRF is read", "[crypto][pfx]") {
  for (const auto* cipher : {"aes128", "aes192", "aes256", "des3", "pbe-3des", "pbe-2des",
                             "pbe-rc2-40", "pbe-rc2-128"}) {
    INFO(cipher);
    opens(pair_with({cipher, 256, 100, 8}, "secret"), "secret");
    CHECK(refusal(pair_with({cipher, 256, 100, 8}, "secret"), "Secret") == reason::not_opened);
    // The MAC's password is right, the encryption's is another.
    CHECK(
      refusal(file({encrypted_safe({cert_bag(cert())}, {cipher, 256, 100, 8}, "other")}, "secret"),
              "secret")
      == reason::not_opened);
  }
  for (const int prf : {0, 1, 224, 256, 384, 512}) {
    INFO(prf);
    opens(pair_with({"aes256", prf, 100, 8}, "secret"), "secret");
  }
}

TEST_CASE("every MAC is verified", "[crypto][pfx]") {
  for (const int hash : {1, 224, 256, 384, 512}) {
    INFO(hash);
    opens(pair_with({}, "secret", {hash, 100}), "secret");
    CHECK(refusal(pair_with({}, "secret", {hash, 100}), "Secret") == reason::not_opened);
  }
}

TEST_CASE("PBMAC1 is verified with each PRF and hash", "[crypto][pfx]") {
  for (const int prf : {1, 224, 256, 384, 512}) {
    for (const int hash : {1, 224, 256, 384, 512}) {
      INFO(prf << " " << hash);
      opens(pair_with({}, "secret", {hash, 100, prf, 32}), "secret");
      CHECK(refusal(pair_with({}, "secret", {hash, 100, prf, 32}), "Secret") == reason::not_opened);
    }
  }
  opens(pair_with({}, "secret", {512, 100, 256, 64}), "secret");
  opens(pair_with({}, "secret", {256, 100, 256, 20}), "secret");
  for (const std::int64_t octets : {0, 1, 19}) // RFC 9579: shorter keys MUST NOT be accepted
    CHECK(refusal(pair_with({}, "secret", {256, 100, 256, octets}), "secret") == reason::malformed);
}

TEST_CASE("a MAC that was changed, cut or lengthened does not hold", "[crypto][pfx]") {
  const bytes over = authenticated({plain_safe({cert_bag(cert())})});
  const bytes good = mac({}, over, "secret");
  CHECK_FALSE(refusal(file(over, good), "secret"));
  bytes other_content = over;
  other_content.back() ^= 1U;
  CHECK(refusal(file(other_content, good), "secret"));
  const bytes null{0x05, 0x00};
  for (const std::size_t size : {0U, 1U, 31U, 33U}) { // the first octets of a MAC prove nothing
    const bytes cut = seq({seq({seq({oid("2.16.840.1.101.3.4.2.1"), null}), octets(bytes(size))}),
                           octets(bytes(8)), integer(1000)});
    CHECK(refusal(file(over, cut), "secret") == reason::malformed);
  }
}

TEST_CASE("octets that are no UTF-8 are tried as given, then as Latin-1", "[crypto][pfx]") {
  const auto form = [](const bytes& octets, const std::string& password) -> std::string {
    const auto out = open(octets, password);
    if (!out)
      return "refused";
    return out->password_transcoded ? "transcoded" : "as given";
  };
  const pbe_shape modern{"aes256", 256, 100, 8};
  const pbe_shape old{"pbe-3des", 0, 100, 8};
  CHECK(form(pair_with(modern, e_latin1), e_latin1) == "as given");
  CHECK(form(pair_with(modern, e_utf8), e_latin1) == "transcoded");
  CHECK(form(pair_with(modern, e_utf8, {256, 100, 256, 32}), e_latin1) == "transcoded");
  CHECK(form(pair_with(modern, e_latin1, {256, 100, 256, 32}), e_latin1) == "as given");
  CHECK(form(pair_with(modern, e_utf8), e_utf8) == "as given");
  // RFC 7292 B.1 takes characters, not octets: both are the same password.
  CHECK(form(pair_with(old, e_utf8), e_latin1) == "as given");
  CHECK(form(pair_with(old, e_latin1), e_utf8) == "as given");
  // UTF-8 is UTF-8: it is not tried as anything else.
  CHECK(form(pair_with(modern, e_latin1), e_utf8) == "refused");
  CHECK(form(pair_with(modern, "caf\xc3\x83\xc2\xa9"), e_utf8) == "refused");
}

TEST_CASE("every password that does not open a file costs the same derivations", "[crypto][pfx]") {
  // Text, text that is not ASCII, octets that are no text, nothing, and what stands in for a
  // ciphertext that was wrong: whoever sees the time must not know which of them it was.
  const parts wrong{to_bytes("other"), to_bytes(e_utf8), to_bytes(e_latin1), {}, random_bytes(32)};
  const pbe_shape part{"aes256", 256, 1'000, 8};
  const parts safes{encrypted_safe({cert_bag(cert())}, part, "secret"),
                    plain_safe({shrouded_bag(key(), part, "secret")})};
  const parts files{file_without_mac(safes), file(safes, "secret", {256, 2'000}),
                    file(safes, "secret", {256, 2'000, 256, 32})};
  for (const auto& octets : files) {
    const auto parsed = pfx_file::parse(octets);
    REQUIRE(parsed);
    const auto once = parsed->known_iterations();
    for (const auto& password : wrong) {
      CAPTURE(to_hex(password), once);
      const auto end = [&](std::int64_t budget) {
        const auto out = parsed->open(secret_bytes(password), budget);
        REQUIRE_FALSE(out);
        return out.error().why;
      };
      // An attempt reckons with all counts; the second, with what the first has run besides.
      const std::int64_t run = once > 2'000 ? 2'000 : 1'000; // the MAC, or the first part
      CHECK(end(once - 1) == reason::needs_time);
      CHECK(end(once + run - 1) == reason::needs_time);
      CHECK(end(once + run) == reason::not_opened);
    }
  }
}

TEST_CASE("no pass over a file is cut short by what the pass before has run", "[crypto][pfx]") {
  const bytes octets = file({plain_safe({cert_bag(cert())})}, "secret", {256, 1'100'000});
  for (const auto& wrong : {to_bytes("other"), to_bytes(e_latin1), random_bytes(32)}) {
    const auto end = pfx_file::parse(octets)->open(secret_bytes(wrong), 2'199'999);
    REQUIRE_FALSE(end);
    CHECK(end.error().why == reason::needs_time); // for the second one
  }
}

TEST_CASE("the second form of a password counts in the budget", "[crypto][pfx]") {
  // 100 for the MAC, 1,000 for each of two parts; the first part is tried twice.
  const bytes octets = pair_with({"aes256", 256, 1'000, 8}, e_utf8, {256, 100});
  const auto opened = open(octets, e_latin1, 3'100);
  REQUIRE(opened);
  CHECK(opened->iterations == 3'100);
  CHECK(refusal(octets, e_latin1, 3'099) == reason::needs_time);
  CHECK(refusal(octets, e_latin1, 2'099) == reason::needs_time);
  // Under PBMAC1 the MAC is run again.
  const bytes pbmac1 = pair_with({"aes256", 256, 1'000, 8}, e_utf8, {256, 100, 256, 32});
  CHECK(open(pbmac1, e_latin1)->iterations == 2'200);
  CHECK(refusal(pbmac1, e_latin1, 2'199) == reason::needs_time);
}

TEST_CASE("a wrong password costs the MAC and nothing else", "[crypto][pfx]") {
  // Were one more part derived, it would take 200 ms and more.
  const bytes octets
    = file({sealed_safe(algorithm({"aes256", 512, 900'000, 8}), bytes(64))}, "x", {256, 1'000});
  for (const auto& wrong : {std::string("wrong"), std::string("\xff\xfe"), std::string(400, 'w')}) {
    const cpu_clock clock;
    CHECK(refusal(octets, wrong) == reason::not_opened);
    CHECK(clock.milliseconds() < 100);
  }
}

TEST_CASE("no password is read with and without its terminator", "[crypto][pfx]") {
  opens(pair_with({"aes256", 256, 10, 8}, ""), "");
  opens(pair_with({"pbe-3des", 256, 10, 8}, ""), "");
  CHECK(refusal(pair_with({}, ""), "x") == reason::not_opened);
  CHECK(refusal(pair_with({}, "x"), "") == reason::not_opened);
  // Files of writers that leave the terminator out: pkcs12-pyca/*-no-pwd.p12.
}

TEST_CASE("a file without a MAC is proven by its encrypted key alone", "[crypto][pfx]") {
  const pbe_shape shape{"aes256", 256, 100, 8};
  const bytes shrouded = shrouded_bag(key(), shape, "secret");
  const auto out = open(file_without_mac({plain_safe({cert_bag(cert()), shrouded})}), "secret");
  REQUIRE(out);
  CHECK_FALSE(out->mac_verified);
  CHECK(out->keys.size() == 1);
  CHECK(out->iterations == 100);
  const auto inside
    = open(file_without_mac({encrypted_safe({cert_bag(cert()), key_bag(key())}, shape, "secret")}),
           "secret");
  REQUIRE(inside);
  CHECK_FALSE(inside->mac_verified);
  CHECK(refusal(file_without_mac({plain_safe({shrouded})}), "wrong") == reason::not_opened);
  CHECK(refusal(file_without_mac({plain_safe({cert_bag(cert()), key_bag(key())})}), "secret")
        == reason::not_opened);
  CHECK(refusal(file_without_mac({plain_safe({cert_bag(cert())})}), "secret")
        == reason::not_opened);
  CHECK(refusal(file_without_mac({encrypted_safe({cert_bag(cert())}, shape, "secret")}), "secret")
        == reason::not_opened);
  CHECK(refusal(file_without_mac({}), "secret") == reason::not_opened);
}

TEST_CASE("without a MAC, what lies inside an encryption is not told", "[crypto][pfx]") {
  // Else changed files could be decrypted by asking which error they give.
  const pbe_shape shape{"aes256", 256, 100, 8};
  for (const bytes& inside :
       {bag("1.2.3", seq({})), integer(1), seq({}), nested_bag({nested_bag({integer(1)})}),
        hollow_bag(algorithm({"aes256", 256, 3'000'000, 8})),
        bag("1.2.840.113549.1.12.10.1.1", seq({integer(0)}))}) {
    const parts bags{inside};
    CHECK(refusal(file_without_mac({encrypted_safe(bags, shape, "secret")}), "secret")
          == reason::not_opened);
    CHECK(refusal(file({encrypted_safe(bags, shape, "secret")}, "secret"), "secret")
          != reason::not_opened);
  }
}

TEST_CASE("keys of other kinds are not supported", "[crypto][pfx]") {
  for (const auto& [type, parameter] : {std::pair{"ED25519", static_cast<const char*>(nullptr)},
                                        {"X25519", nullptr},
                                        {"EC", "secp256k1"},
                                        {"EC", "P-224"},
                                        {"EC", "brainpoolP256r1"}}) {
    INFO(type << (parameter == nullptr ? "" : parameter));
    const auto made = made_key(type, parameter);
    REQUIRE(made != nullptr);
    const bytes octets = file({plain_safe({key_bag_of(made.get())})}, "secret");
    CHECK(refusal(octets, "secret") == reason::unsupported);
  }
  CHECK(refusal(file({plain_safe({bag("1.2.840.113549.1.12.10.1.1",
                                      seq({integer(0), seq({oid("1.2.840.10040.4.1")}),
                                           octets(bytes{2, 1, 1})}))})},
                     "secret"),
                "secret")); // DSA without parameters
}

TEST_CASE("RSA keys and attributes behind a key are read", "[crypto][pfx]") {
  const private_key& rsa = shared_key(key_algorithm::rsa2048);
  const auto info = rsa.to_pkcs8();
  REQUIRE(info);
  const auto outer = der::only(info->view(), der::sequence);
  // Windows puts a key usage there: [0] IMPLICIT SET OF Attribute.
  const bytes usage
    = der::tlv(der::context_constructed(0), attribute("2.5.29.15", {{0x03, 0x02, 0x00, 0x10}}));
  const bytes with_usage = der::tlv(der::sequence, {outer->content, usage});
  const auto out
    = open(file({plain_safe({bag("1.2.840.113549.1.12.10.1.1", with_usage)})}, "secret"), "secret");
  REQUIRE(out);
  CHECK(out->keys.at(0).public_key_hash() == rsa.public_key_hash());
  // Numbers that do not belong together, and half a key.
  bytes broken = to_bytes(info->view());
  broken.resize(broken.size() / 2);
  CHECK(refusal(file({plain_safe({bag("1.2.840.113549.1.12.10.1.1", seq({broken}))})}, "secret"),
                "secret")
        == reason::malformed);
}

TEST_CASE("an EC key may name its curve twice, and leave its public half out", "[crypto][pfx]") {
  const auto info = key().to_pkcs8();
  REQUIRE(info);
  der::reader walk(der::only(info->view(), der::sequence)->content);
  const auto version = walk.next(der::integer);
  const auto algorithm_whole = walk.next(der::sequence);
  const auto inner = walk.next(der::octet_string);
  REQUIRE(inner);
  der::reader inside(der::only(inner->content, der::sequence)->content);
  const auto inner_version = inside.next(der::integer);
  const auto scalar = inside.next(der::octet_string);
  const auto point = inside.next();
  REQUIRE(point);
  const auto with = [&](const parts& behind_scalar) {
    const bytes made
      = seq({to_bytes(inner_version->whole), to_bytes(scalar->whole), join(behind_scalar)});
    const bytes whole
      = seq({to_bytes(version->whole), to_bytes(algorithm_whole->whole), octets(made)});
    return file({plain_safe({bag("1.2.840.113549.1.12.10.1.1", whole)})}, "secret");
  };
  const bytes curve = explicit0(oid("1.2.840.10045.3.1.7"));
  opens(with({to_bytes(point->whole)}), "secret");
  opens(with({curve, to_bytes(point->whole)}), "secret");
  opens(with({curve}), "secret");
  opens(with({}), "secret");
  CHECK(refusal(with({curve, integer(1)}), "secret") == reason::malformed);
}

TEST_CASE("nothing is left in OpenSSL's error queue", "[crypto][pfx]") {
  const auto quiet = [](const bytes& octets, const std::string& password) {
    static_cast<void>(open(octets, password));
    CHECK(::ERR_peek_error() == 0);
  };
  quiet(pair_with({}, "secret"), "secret");
  quiet(pair_with({}, "secret"), "wrong");
  quiet(file({sealed_safe(algorithm({"aes256", 256, 10, 8}), bytes(64))}, "secret"), "secret");
  quiet(file({plain_safe({bag("1.2.840.113549.1.12.10.1.1", seq({integer(0)}))})}, "secret"),
        "secret");
  quiet(
    file({plain_safe({bag("1.2.840.113549.1.12.10.1.3",
                          seq({oid("1.2.840.113549.1.9.22.1"), explicit0(octets(bytes(9)))}))})},
         "secret"),
    "secret");
  quiet(read_file(data_file("pkcs12-openssl/garbage-pkcs12.p12")), "");
}
