// Files whose certificates all have one name, so that signatures must tell who issued whom.
#include "tests/catch.hpp"
#include "tests/crypto/pfx_maker.hpp"
#include "tests/crypto/support.hpp"

#include "crypto/digest.hpp"
#include "crypto/openssl.hpp"
#include "crypto/random.hpp"

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

/// Two authorities of one name that sign each other, RSA: decoys of RSA are asked about.
const ca_identity& authority(std::size_t i) {
  static const ca_identity both[2]{make_ca(key_algorithm::rsa3072, "CN=Same"),
                                   make_ca(key_algorithm::rsa3072, "CN=Same")};
  return both[i % 2];
}

certificate of_same_name(const ca_identity& issuer, const bytes& public_key) {
  sign_options options;
  options.subject = detail::access::subject_der(issuer.cert);
  options.public_key = public_key;
  options.serial = random_serial();
  options.not_before = now;
  options.not_after = now + day;
  options.add_standard_extensions = false; // no identifiers of keys: the name alone speaks
  auto made = sign_certificate(issuer, options);
  REQUIRE(made);
  return std::move(*made);
}

/// Its key signed nothing; modulus and exponent have so many octets.
certificate decoy(std::size_t modulus, std::size_t exponent) {
  const auto number = [](std::size_t size, std::uint8_t front) {
    bytes out = random_bytes(size);
    out.front() = front;
    out.back() |= 0x01;
    return der::unsigned_integer(out);
  };
  bytes bits{0};
  der::append(bits, seq({number(modulus, 0xff), number(exponent, 0x7f)}));
  return of_same_name(
    authority(0),
    seq({seq({oid("1.2.840.113549.1.1.1"), bytes{0x05, 0x00}}), der::tlv(der::bit_string, bits)}));
}

/// The same with a signature of that many octets, which is nobody's.
certificate with_signature(const certificate& of, std::size_t size) {
  der::reader walk(der::only(of.der(), der::sequence)->content);
  const bytes signed_part = to_bytes(walk.next(der::sequence)->whole);
  const bytes algorithm = to_bytes(walk.next(der::sequence)->whole);
  bytes bits = random_bytes(1 + size);
  bits[0] = bits[1] = 0; // no unused bits; below any modulus
  auto made = certificate::from_der(seq({signed_part, algorithm, der::tlv(der::bit_string, bits)}));
  REQUIRE(made);
  return std::move(*made);
}

struct family {
  certificate leaf;
  std::vector<certificate> path; ///< issuer first
};
family family_of(std::size_t length) {
  family out{of_same_name(authority(0), *shared_key(key_algorithm::ec_p256).public_key()), {}};
  for (std::size_t i = 0; i < length; ++i)
    out.path.push_back(of_same_name(authority(i + 1), *authority(i).key.public_key()));
  return out;
}

/// What becomes of a file that holds leaf and key, then the decoys, then the path.
result<std::size_t> length_of_path(const family& of, const std::vector<certificate>& decoys) {
  parts bags{cert_bag(of.leaf), key_bag(shared_key(key_algorithm::ec_p256))};
  for (const auto& one : decoys)
    bags.push_back(cert_bag(one));
  for (const auto& one : of.path)
    bags.push_back(cert_bag(one));
  const bytes whole = file({plain_safe(bags)}, "secret", {256, 1});
  const cpu_clock clock;
  auto opened = open(whole, "secret");
  INFO((opened ? std::string() : to_string(opened.error().what)));
  REQUIRE(opened);
  const auto out = take_identity(std::move(*opened), to_hex(of.leaf.thumbprint()));
  CHECK(clock.milliseconds() < 200); // 100, and other work on the machine
  if (!out)
    return failure(out.error());
  return out->chain.size();
}

void too_many(const result<std::size_t>& out) {
  REQUIRE_FALSE(out);
  CHECK(out.error().code == errc::too_large);
  CHECK(out.error().field == "chain");
}

} // namespace

TEST_CASE("a path is found where all names are the same", "[crypto][pfx]") {
  for (const std::size_t length : {0U, 1U, 8U})
    CHECK(length_of_path(family_of(length), {}) == length);
  too_many(length_of_path(family_of(9), {}));
}

TEST_CASE("no signature is verified with a key that takes long", "[crypto][pfx][bomb]") {
  const std::vector<certificate> many(54, decoy(384, 384));
  CHECK(length_of_path(family_of(8), many) == 8);
  family of = family_of(0);
  const std::size_t shapes[][2]{{384, 9}, {1025, 3}, {2000, 8}};
  for (const auto& shape : shapes) {
    INFO(shape[0] << ", " << shape[1]);
    of.leaf = with_signature(of.leaf, shape[0]);
    CHECK(length_of_path(of, std::vector<certificate>(40, decoy(shape[0], shape[1]))) == 0U);
  }
}

TEST_CASE("signatures of one file are verified so often and no more", "[crypto][pfx][bomb]") {
  family of = family_of(4);
  CHECK(length_of_path(of, std::vector<certificate>(4, decoy(384, 3))) == 4);
  too_many(length_of_path(of, std::vector<certificate>(54, decoy(384, 8))));
  of.leaf = with_signature(of.leaf, 1024);
  too_many(length_of_path(of, std::vector<certificate>(54, decoy(1024, 8)))); // the most there is
}
