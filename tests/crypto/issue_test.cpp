// Certificates of our own signing, read back by OpenSSL's strict verifier and program.
#include "crypto/issue.hpp"

#include "crypto/der.hpp"
#include "crypto/extensions.hpp"
#include "crypto/name.hpp"
#include "crypto/oids.hpp"
#include "crypto/openssl.hpp"
#include "tests/catch.hpp"
#include "tests/crypto/support.hpp"

#include <algorithm>
#include <set>

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

sign_options plain_options(const private_key& key) {
  sign_options out;
  out.subject = name_from_text("CN=leaf").value();
  out.public_key = key.public_key().value();
  out.serial = unhex("0102");
  out.not_before = now;
  out.not_after = now + 30 * day;
  return out;
}

cli_answer openssl_verifies(const certificate& root, const certificate& leaf) {
  const temporary_folder folder;
  write_file(folder.file("root.pem"), root.pem());
  write_file(folder.file("leaf.pem"), leaf.pem());
  return openssl({"verify", "-x509_strict", "-auth_level", "2", "-attime",
                  std::to_string((now + day) / 1000), "-CAfile", folder.file("root.pem"),
                  folder.file("leaf.pem")});
}

} // namespace

TEST_CASE("openssl's strict verifier takes our roots and leaves", "[crypto][issue][cli]") {
  for (const auto ca_key :
       {key_algorithm::ec_p256, key_algorithm::ec_p384, key_algorithm::rsa2048}) {
    const ca_identity ca = make_ca(ca_key);
    CHECK(ca.cert.is_ca());
    CHECK(ca.cert.usages() == bits({key_usage::key_cert_sign, key_usage::crl_sign}));
    CHECK(ca.cert.issued_by(ca.cert));
    for (const auto leaf_key : {key_algorithm::ec_p256, key_algorithm::rsa2048}) {
      const auto leaf = make_leaf(ca, shared_key(leaf_key), {"CN=leaf", {}, 0});
      CHECK_FALSE(leaf.is_ca());
      CHECK(leaf.issued_by(ca.cert));
      CHECK(leaf.matches(shared_key(leaf_key)));
      const auto verdict = openssl_verifies(ca.cert, leaf);
      INFO(verdict.output);
      CHECK(verdict.status == 0);
    }
  }
}

TEST_CASE("a certificate says what it was signed for", "[crypto][issue]") {
  const ca_identity ca = make_ca();
  leaf_options options;
  options.names.subject = "CN=Jane,O=Example";
  options.names.alternative_names = {{name_type::rfc822, "jane@example.org"},
                                     {name_type::upn, "jane@corp.example"},
                                     {name_type::dns, "a.example"},
                                     {name_type::uri, "urn:uuid:7"},
                                     {name_type::ip, "192.0.2.1"},
                                     {name_type::ip, "2001:db8::1"},
                                     {name_type::directory_name, "CN=J,O=E"}};
  options.names.usages
    = bits({key_usage::digital_signature, key_usage::key_agreement, key_usage::decipher_only});
  options.names.extended_usages = {"1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.10.3.4"};
  options.names.security_identifier = "S-1-5-21-1-2-3-1001";
  options.not_before = now;
  options.not_after = now + day;
  const auto cert = issue_leaf(ca, shared_key(key_algorithm::ec_p256), options);
  REQUIRE(cert);
  CHECK(cert->subject() == "CN=Jane,O=Example");
  CHECK(cert->issuer() == ca.cert.subject());
  CHECK(cert->common_name() == "Jane");
  CHECK(cert->alternative_names() == options.names.alternative_names);
  CHECK(cert->usages() == options.names.usages);
  CHECK(cert->extended_usages() == options.names.extended_usages);
  CHECK(cert->security_identifier() == options.names.security_identifier);
  CHECK(cert->not_before() == now);
  CHECK(cert->not_after() == now + day);
  CHECK(cert->is_ec());
  CHECK_FALSE(cert->is_rsa());
  CHECK(cert->key_bits() == 256);
  const auto again = certificate::from_der(cert->der());
  REQUIRE(again);
  CHECK(again->alternative_names() == options.names.alternative_names);
  CHECK(again->thumbprint() == cert->thumbprint());
}

TEST_CASE("keys and extensions of a request are copied octet for octet", "[crypto][issue]") {
  const ca_identity ca = make_ca();
  csr_options wanted;
  wanted.subject = "CN=copy";
  wanted.alternative_names = {{name_type::dns, "copy.example"}};
  wanted.usages = bits({key_usage::digital_signature});
  const auto request = build_csr(shared_key(key_algorithm::rsa2048), wanted);
  REQUIRE(request);
  const auto parsed = parse_csr(*request);
  REQUIRE(parsed);
  sign_options options = plain_options(shared_key(key_algorithm::rsa2048));
  options.subject = parsed->subject;
  options.public_key = parsed->public_key;
  options.extensions = parsed->extensions;
  const auto cert = sign_certificate(ca, options);
  REQUIRE(cert);
  CHECK(cert->public_key_hash() == parsed->public_key_hash);
  CHECK(cert->alternative_names() == wanted.alternative_names);
  CHECK(cert->serial() == "102");
  options.add_standard_extensions = false;
  const auto exact = sign_certificate(ca, options);
  REQUIRE(exact);
  const bytes& der = exact->der();
  CHECK(std::search(der.begin(), der.end(), parsed->extensions.begin(), parsed->extensions.end())
        != der.end());
  CHECK(exact->der().size() < cert->der().size());
}

TEST_CASE("a certificate of a request with forty names still parses", "[crypto][issue]") {
  const ca_identity ca = make_ca();
  leaf_shape shape;
  for (int i = 0; i < 40; ++i) {
    shape.names.push_back({name_type::dns, "host-" + std::to_string(i) + ".example"});
  }
  const auto cert = make_leaf(ca, shared_key(key_algorithm::ec_p256), shape);
  CHECK(certificate::from_der(cert.der())->alternative_names().size() == 40);
}

TEST_CASE("wrong parts are refused by field before anything is signed", "[crypto][issue]") {
  const ca_identity ca = make_ca();
  const private_key& key = shared_key(key_algorithm::ec_p256);
  sign_options options = plain_options(key);
  const auto field_of = [&ca, &options] {
    const auto out = sign_certificate(ca, options);
    REQUIRE_FALSE(out);
    return out.error().field;
  };
  SECTION("serials") {
    for (const char* bad : {"", "00", "0000", "800000000000000000000000000000000000000000",
                            "8000000000000000000000000000000000000000",
                            "010000000000000000000000000000000000000000"}) {
      options.serial = unhex(bad);
      CHECK(field_of() == "serial");
    }
  }
  SECTION("validity") {
    options.not_after = options.not_before;
    CHECK(field_of() == "notAfter");
    options.not_after = 253'402'300'800'000;
    CHECK(field_of() == "notAfter");
    options.not_before = -1;
    CHECK(field_of() == "notBefore");
  }
  SECTION("subject") {
    options.subject = unhex("3003020101");
    CHECK(field_of() == "subject");
    options.subject.clear();
    CHECK(field_of() == "subject");
  }
  SECTION("public key") {
    options.public_key = unhex("3000");
    CHECK(field_of() == "publicKey");
    options.public_key = shared_key(key_algorithm::ec_p256).public_key().value();
    options.public_key.push_back(0);
    CHECK(field_of() == "publicKey");
  }
  SECTION("extensions") {
    const bytes one = encode_extension(oids::key_usage, true, encode_key_usage(1));
    for (const bytes& bad :
         {unhex("30"), unhex("3100"), unhex("3002ffff"), der::tlv(der::sequence, {one, one}),
          der::tlv(der::sequence, {encode_extension(oids::basic_constraints, true, unhex("3000"))}),
          der::tlv(der::sequence,
                   {encode_extension(oids::subject_key_identifier, false, unhex("040100"))})}) {
      INFO(to_hex(bad));
      options.extensions = bad;
      CHECK(field_of() == "extensions");
    }
  }
  SECTION("hash") {
    options.hash = static_cast<hash_algorithm>(0);
    CHECK(field_of() == "hashAlgorithm");
  }
}

TEST_CASE("an issuer whose key is not its certificate's signs nothing", "[crypto][issue]") {
  ca_identity ca = make_ca();
  auto other = private_key::generate(key_algorithm::ec_p256);
  REQUIRE(other);
  ca.key = std::move(*other);
  const auto out = sign_certificate(ca, plain_options(shared_key(key_algorithm::ec_p256)));
  REQUIRE_FALSE(out);
  CHECK(out.error().field == "issuer");
}

TEST_CASE("roots need a subject and a future", "[crypto][issue]") {
  CHECK(make_root({"", key_algorithm::ec_p256, now, now + day}).error().field == "subject");
  CHECK(make_root({"x", key_algorithm::ec_p256, now, now + day}).error().field == "subject");
  CHECK(make_root({"CN=x", key_algorithm::ec_p256, now, now}).error().field == "notAfter");
}

TEST_CASE("times after 2049 are written in the long form", "[crypto][issue][cli]") {
  constexpr unix_ms end_of_2049 = 2'524'607'999'000;
  const ca_identity ca = make_ca();
  for (const unix_ms end : {end_of_2049, end_of_2049 + 1000, unix_ms{253'402'300'799'000}}) {
    sign_options options = plain_options(shared_key(key_algorithm::ec_p256));
    options.not_after = end;
    const auto cert = sign_certificate(ca, options);
    REQUIRE(cert);
    CHECK(cert->not_after() == end);
    const bool long_form = to_text(cert->der()).find("\x18\x0f") != std::string::npos;
    CHECK(long_form == (end > end_of_2049));
    CHECK(openssl_verifies(ca.cert, *cert).status == 0);
  }
}

TEST_CASE("random serials are positive, twenty octets and all different", "[crypto][issue]") {
  std::set<bytes> seen;
  for (int i = 0; i < 1000; ++i) {
    bytes serial = random_serial();
    CHECK(serial.size() == 20);
    CHECK((serial[0] & 0x80) == 0);
    CHECK(serial[0] != 0);
    seen.insert(std::move(serial));
  }
  CHECK(seen.size() == 1000);
}

TEST_CASE("validity moves by the calendar and clamps at the end of a month", "[crypto][issue]") {
  const auto moved = [](const char* from, std::uint32_t value, validity_unit unit) {
    return to_rfc3339(add_validity(from_rfc3339(from).value(), {value, unit}));
  };
  CHECK(moved("2026-01-31T10:00:00Z", 1, validity_unit::months) == "2026-02-28T10:00:00Z");
  CHECK(moved("2028-01-31T10:00:00Z", 1, validity_unit::months) == "2028-02-29T10:00:00Z");
  CHECK(moved("2026-10-31T23:59:59Z", 1, validity_unit::months) == "2026-11-30T23:59:59Z");
  CHECK(moved("2026-12-15T00:00:00Z", 1, validity_unit::months) == "2027-01-15T00:00:00Z");
  CHECK(moved("2026-12-31T00:00:00Z", 12, validity_unit::months) == "2027-12-31T00:00:00Z");
  CHECK(moved("2028-02-29T00:00:00Z", 1, validity_unit::years) == "2029-02-28T00:00:00Z");
  CHECK(moved("2028-02-29T00:00:00Z", 4, validity_unit::years) == "2032-02-29T00:00:00Z");
  CHECK(moved("2026-02-28T00:00:00Z", 1, validity_unit::days) == "2026-03-01T00:00:00Z");
  CHECK(moved("2026-01-01T00:00:00Z", 0, validity_unit::months) == "2026-01-01T00:00:00Z");
  for (const auto unit : {validity_unit::days, validity_unit::months, validity_unit::years}) {
    CHECK(moved("2026-01-01T00:00:00Z", 4'294'967'295U, unit) == "9999-12-31T23:59:59Z");
  }
}
