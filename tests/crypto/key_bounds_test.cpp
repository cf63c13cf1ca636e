// Private keys that would keep the machine busy: refused by their octets, before OpenSSL has them.
#include "tests/catch.hpp"
#include "tests/crypto/pfx_maker.hpp"
#include "tests/crypto/support.hpp"

#include "crypto/digest.hpp"
#include "crypto/file_key_store.hpp"
#include "crypto/random.hpp"

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

using reason = pfx_refusal::reason;

const bytes null{0x05, 0x00};

/// A positive odd number of exactly so many octets; its first bit is set.
bytes number(std::size_t size) {
  bytes out = random_bytes(size);
  out.front() |= 0x80;
  out.back() |= 0x01;
  return der::unsigned_integer(out);
}

bytes key_info(const bytes& algorithm, const bytes& inner) {
  return seq({integer(0), algorithm, octets(inner)});
}

bytes dsa(std::size_t size) {
  return key_info(seq({oid("1.2.840.10040.4.1"), seq({number(size), number(32), integer(2)})}),
                  number(size));
}
bytes dh(std::size_t size) {
  return key_info(seq({oid("1.2.840.113549.1.3.1"), seq({number(size), integer(2)})}),
                  number(size));
}
bytes dhx(std::size_t size) {
  return key_info(seq({oid("1.2.840.10046.2.1"), seq({number(size), integer(2), number(32)})}),
                  number(size));
}

struct rsa_shape {
  std::size_t modulus = 256; ///< octets, as all of them
  std::size_t exponent = 3;
  std::size_t secret = 256;
  std::size_t prime = 128;
  bytes behind; ///< otherPrimeInfos
};
/// Nothing proves these numbers; their lengths alone are looked at.
bytes rsa(const rsa_shape& shape) {
  parts all{integer(shape.behind.empty() ? 0 : 1), number(shape.modulus), number(shape.exponent),
            number(shape.secret)};
  for (int i = 0; i < 5; ++i)
    all.push_back(number(shape.prime));
  all.push_back(shape.behind);
  return key_info(seq({oid("1.2.840.113549.1.1.1"), null}), seq(all));
}

bytes ec(const bytes& parameters, std::size_t scalar, const bytes& inside = {}) {
  return key_info(seq({oid("1.2.840.10045.2.1"), parameters}),
                  seq({integer(1), octets(random_bytes(scalar)), inside}));
}

/// A curve that is spelt out, over a field of some odd number.
bytes explicit_curve(std::size_t size) {
  const bytes element = octets(random_bytes(size));
  bytes base{0x02}; // compressed: a square root modulo that number
  der::append(base, random_bytes(size));
  return seq({integer(1), seq({oid("1.2.840.10045.1.1"), number(size)}), seq({element, element}),
              octets(base), number(size), integer(1)});
}

bytes raw_key_bag(const bytes& info) { return bag("1.2.840.113549.1.12.10.1.1", info); }

/// Wherever in a file the key lies, and without a file.
void refused_at_once(const bytes& info, errc alone, reason in_a_file) {
  const bytes files[]
    = {file({plain_safe({raw_key_bag(info)})}, "secret"),
       file({plain_safe({nested_bag({raw_key_bag(info)})})}, "secret"),
       file({encrypted_safe({raw_key_bag(info)}, {"aes256", 256, 1, 8}, "secret")}, "secret"),
       file({plain_safe({raw_shrouded_bag(info, {"pbe-3des", 0, 1, 8}, "secret")})}, "secret")};
  const cpu_clock clock;
  const auto out = private_key::from_pkcs8(info);
  REQUIRE_FALSE(out);
  INFO(to_string(out.error()));
  CHECK(out.error().code == alone);
  for (const bytes& one : files)
    CHECK(refusal(one, "secret") == in_a_file);
  CHECK(clock.milliseconds() < 200);
}

std::string pem(const std::string& label, const bytes& octets) {
  std::string out = "-----BEGIN " + label + "-----\n";
  const std::string text = to_base64(octets);
  for (std::size_t at = 0; at < text.size(); at += 64)
    out.append(text, at, 64).append("\n");
  return out + "-----END " + label + "-----\n";
}

} // namespace

TEST_CASE("keys over a group of their own are refused unread", "[crypto][pfx][key][bomb]") {
  for (const std::size_t size : {128U, 4'000U, 14'000U}) {
    INFO(size);
    refused_at_once(dsa(size), errc::not_supported, reason::unsupported);
    refused_at_once(dh(size), errc::not_supported, reason::unsupported);
    refused_at_once(dhx(size), errc::not_supported, reason::unsupported);
  }
}

TEST_CASE("a curve is one of three, by its name", "[crypto][pfx][key][bomb]") {
  const bytes p256 = oid("1.2.840.10045.3.1.7");
  for (const char* other : {"1.3.132.0.10", "1.3.132.0.39", "1.2.840.10045.3.0.13"}) {
    INFO(other); // secp256k1; sect571r1 and c2pnb304w1, over binary fields
    refused_at_once(ec(oid(other), 32), errc::not_supported, reason::unsupported);
    refused_at_once(ec(p256, 32, explicit0(oid(other))), errc::not_supported, reason::unsupported);
  }
  const bytes spelt_out = explicit_curve(82); // 656 bits, OpenSSL's limit is 661
  refused_at_once(ec(spelt_out, 82), errc::not_supported, reason::unsupported);
  refused_at_once(ec(p256, 32, explicit0(spelt_out)), errc::not_supported, reason::unsupported);
  refused_at_once(ec(null, 32), errc::not_supported, reason::unsupported); // inherited
  refused_at_once(ec(p256, 60'000), errc::bad_input, reason::malformed);
  CHECK(private_key::from_pkcs8(ec(p256, 32)));
  CHECK(private_key::from_pkcs8(ec(p256, 32, explicit0(p256))));
}

TEST_CASE("RSA numbers have the lengths that a key's have", "[crypto][pfx][key][bomb]") {
  CHECK(private_key::from_pkcs8(rsa({})));
  CHECK(private_key::from_pkcs8(rsa({1024, 8, 1024, 512, {}})));
  const auto bad = [](const rsa_shape& shape, errc alone, reason in_a_file) {
    refused_at_once(rsa(shape), alone, in_a_file);
  };
  bad({1025, 3, 1025, 512, {}}, errc::too_large, reason::too_much);
  bad({2048, 3, 2048, 1024, {}}, errc::too_large, reason::too_much);
  bad({14'000, 3, 14'000, 7'000, {}}, errc::too_large, reason::too_much);
  bad({256, 9, 256, 128, {}}, errc::not_supported, reason::unsupported);
  bad({256, 256, 256, 128, {}}, errc::not_supported, reason::unsupported);
  bad({256, 3, 10'000, 128, {}}, errc::bad_input, reason::malformed);
  bad({256, 3, 256, 256, {}}, errc::bad_input, reason::malformed);
  bad({256, 3, 256, 5'000, {}}, errc::bad_input, reason::malformed);
  const bytes third = seq({seq({number(128), number(128), number(128)})});
  bad({256, 3, 256, 128, third}, errc::not_supported, reason::unsupported);
}

TEST_CASE("a connector key has 2,048 to 4,096 bits", "[crypto][key][keys]") {
  const auto why = [](std::size_t modulus) {
    const auto key = private_key::from_pkcs8(rsa({modulus, 3, modulus, modulus / 2, {}}));
    REQUIRE(key);
    const auto out = file_key_store::check({"provider", "name", {}, false}, &*key);
    REQUIRE_FALSE(out); // nothing proves its numbers
    CHECK(out.error().code == errc::bad_input);
    CHECK(out.error().field == "key");
    return out.error().message;
  };
  for (const std::size_t good : {256U, 512U})
    CHECK(why(good).starts_with("its numbers"));
  for (const std::size_t bad : {255U, 513U, 1024U})
    CHECK(why(bad) == "must be RSA of 2048 to 4096 bits");
}

TEST_CASE("PEM leads to the same judgement", "[crypto][key][bomb]") {
  const cpu_clock clock;
  const auto code = [](const std::string& text) {
    const auto out = private_key::from_pem(text);
    return out ? errc::none : out.error().code;
  };
  for (const bytes& info : {dsa(14'000), dh(14'000), dhx(14'000), ec(explicit_curve(82), 82)})
    CHECK(code(pem("PRIVATE KEY", info)) == errc::not_supported);
  const bytes old_dsa
    = seq({integer(0), number(14'000), number(32), integer(2), number(14'000), number(14'000)});
  CHECK(code(pem("DSA PRIVATE KEY", old_dsa)) == errc::not_supported);
  const bytes old_ec = seq({integer(1), octets(bytes(82, 1)), explicit0(explicit_curve(82))});
  CHECK(code(pem("EC PRIVATE KEY", old_ec)) == errc::not_supported);
  CHECK(code(pem("EC PRIVATE KEY", seq({integer(1), octets(bytes(32, 1))}))) == errc::bad_input);
  CHECK(code(pem("RSA PRIVATE KEY", seq({integer(0), number(2'048)}))) == errc::bad_input);
  CHECK(clock.milliseconds() < 200);
}

TEST_CASE("a known curve that is spelt out is not taken for it", "[crypto][key][cli]") {
  const auto made = openssl({"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                             "-pkeyopt", "ec_param_enc:explicit"});
  REQUIRE(made.status == 0);
  const auto out = private_key::from_pem(made.output);
  REQUIRE_FALSE(out);
  CHECK(out.error().code == errc::not_supported);
}

TEST_CASE("a key is found behind what openssl writes before it", "[crypto][key][cli]") {
  const auto made = openssl({"ecparam", "-name", "prime256v1", "-genkey"});
  REQUIRE(made.status == 0);
  REQUIRE(made.output.find("BEGIN EC PARAMETERS") != std::string::npos);
  CHECK(private_key::from_pem(made.output));
}
