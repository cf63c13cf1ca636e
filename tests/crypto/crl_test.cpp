// Revocation lists: ours read by openssl, openssl's read by us, and every way in which one is bad.
#include "tests/catch.hpp"

#include "crypto/crl.hpp"
#include "crypto/extensions.hpp"
#include "crypto/oids.hpp"
#include "crypto/sign.hpp"
#include "crypto/x509_values.hpp"
#include "tests/crypto/support.hpp"

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

crl_options sample() {
  crl_options out;
  out.number = 0x1234;
  out.this_update = now;
  out.next_update = now + day;
  out.revoked = {{"ff01", now - day, 1, now - 2 * day},
                 {"7f", now - 3 * day, 0, 0},
                 {"80aa", now - 2 * day, 4, 0}};
  return out;
}

const ca_identity& authority() {
  static const ca_identity one = make_ca();
  return one;
}

bytes made(const crl_options& options) {
  auto out = make_crl(authority(), options);
  INFO((out ? std::string() : to_string(out.error())));
  REQUIRE(out);
  return *out;
}

errc refusal(const crl_options& options) {
  const auto out = make_crl(authority(), options);
  return out ? errc::none : out.error().code;
}
errc fault(byte_view der) {
  const auto out = read_crl(der, authority().cert);
  return out ? errc::none : out.error().code;
}

/// A list of one line, signed, of these parts.
bytes built(byte_view version, byte_view entry_extensions, byte_view list_extensions) {
  ::EVP_PKEY* key = detail::access::pkey(authority().key);
  const auto algorithm = signature_algorithm(key, hash_algorithm::sha256);
  const auto moment = encode_time(now, "");
  const bytes entry = der::tlv(der::sequence, {*serial_integer("0a"), *moment, entry_extensions});
  const bytes list = der::tlv(der::sequence,
                              {version, *algorithm, detail::access::subject_der(authority().cert),
                               *moment, der::tlv(der::sequence, entry), list_extensions});
  return *sign_structure(list, key, hash_algorithm::sha256);
}

const bytes version_2{0x02, 0x01, 0x01};

bytes list_extension(byte_view oid, bool critical, byte_view value) {
  return der::tlv(der::context_constructed(0),
                  der::tlv(der::sequence, encode_extension(oid, critical, value)));
}

} // namespace

TEST_CASE("a list is read as it was made, sorted by serial", "[crl]") {
  const auto read = read_crl(made(sample()), authority().cert);
  REQUIRE(read);
  CHECK(read->issuer == authority().cert.subject());
  CHECK(read->number == "1234");
  CHECK(read->this_update == now);
  CHECK(read->next_update == now + day);
  CHECK(read->authority_key.size() == 20);
  REQUIRE(read->revoked.size() == 3);
  CHECK(read->revoked[0].serial == "7f");
  CHECK(read->revoked[1].serial == "80aa");
  CHECK(read->revoked[2].serial == "ff01");
  for (const auto& one : sample().revoked) {
    const auto* found = read->find(one.serial);
    REQUIRE(found != nullptr);
    CHECK(*found == one);
  }
  CHECK(read->find("7e") == nullptr);
  CHECK(read->find("") == nullptr);
  CHECK(read->find("ff02") == nullptr);
}

TEST_CASE("a list of nobody has no lines at all, as RFC 5280 5.1.2.6 wants it", "[crl]") {
  auto options = sample();
  options.revoked.clear();
  const auto read = read_crl(made(options), authority().cert);
  REQUIRE(read);
  CHECK(read->revoked.empty());
}

TEST_CASE("openssl verifies our list and reads its lines", "[crl][openssl]") {
  const temporary_folder folder;
  for (const auto algorithm : {key_algorithm::ec_p256, key_algorithm::rsa2048}) {
    const auto ca = make_ca(algorithm);
    const auto list = make_crl(ca, sample());
    REQUIRE(list);
    write_file(folder.file("list"), *list);
    write_file(folder.file("ca.pem"), ca.cert.pem());
    const auto said = openssl({"crl", "-inform", "DER", "-in", folder.file("list"), "-CAfile",
                               folder.file("ca.pem"), "-noout", "-text"});
    CAPTURE(said.output);
    CHECK(said.status == 0);
    for (const auto* words :
         {"verify OK", "Version 2", "X509v3 CRL Number", "4660", "FF01", "Key Compromise",
          "Superseded", "Invalidity Date", "X509v3 Authority Key Identifier"}) {
      CAPTURE(words);
      CHECK(said.output.find(words) != std::string::npos);
    }
    CHECK(said.output.find("Unspecified") == std::string::npos); // RFC 5280 5.3.1
  }
}

TEST_CASE("we read the list that openssl makes", "[crl][openssl]") {
  const temporary_folder folder;
  write_file(folder.file("ca.pem"), authority().cert.pem());
  write_file(folder.file("ca.key"), authority().key.to_pem()->text());
  write_file(folder.file("index.txt"),
             std::string("R\t301101120000Z\t261031120000Z,keyCompromise\t0A1B\tunknown\t/CN=x\n"
                         "R\t301101120000Z\t261030120000Z\t01\tunknown\t/CN=y\n"
                         "V\t301101120000Z\t\t02\tunknown\t/CN=z\n"));
  write_file(folder.file("number"), std::string("0F\n"));
  write_file(folder.file("ca.conf"),
             "[ca]\ndefault_ca=one\n[one]\ndatabase=" + folder.file("index.txt")
               + "\ncrlnumber=" + folder.file("number")
               + "\ndefault_md=sha256\ndefault_crl_days=3\ncrl_extensions=ext\n"
                 "[ext]\nauthorityKeyIdentifier=keyid\n");
  const auto wrote
    = openssl({"ca", "-gencrl", "-config", folder.file("ca.conf"), "-keyfile",
               folder.file("ca.key"), "-cert", folder.file("ca.pem"), "-out", folder.file("pem")});
  CAPTURE(wrote.output);
  REQUIRE(wrote.status == 0);
  REQUIRE(openssl({"crl", "-in", folder.file("pem"), "-outform", "DER", "-out", folder.file("der")})
            .status
          == 0);
  const auto read = read_crl(read_file(folder.file("der")), authority().cert);
  INFO((read ? std::string() : to_string(read.error())));
  REQUIRE(read);
  CHECK(read->number == "f");
  REQUIRE(read->revoked.size() == 2);
  REQUIRE(read->find("a1b") != nullptr);
  CHECK(read->find("a1b")->reason == 1);
  CHECK(read->find("1")->reason == 0);
  CHECK(read->find("2") == nullptr);
}

TEST_CASE("no changed, missing or further octet of a list goes unnoticed", "[crl]") {
  const auto good = made(sample());
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] ^= 0x01;
    if (fault(bad) == errc::none) {
      FAIL("octet " << at);
    }
    if (fault(byte_view(good).first(at)) != errc::bad_input) {
      FAIL("cut at " << at);
    }
  }
  auto longer = good;
  longer.push_back(0);
  CHECK(fault(longer) == errc::bad_input);
  CHECK(fault(bytes(crl_bytes_max + 1, 0x30)) == errc::too_large);
}

TEST_CASE("a list of another key or another name is not believed", "[crl]") {
  const auto stranger = make_ca();
  CHECK(read_crl(made(sample()), stranger.cert).error().code == errc::crypto);
  // The same key under another name.
  sign_options again;
  again.subject = detail::access::subject_der(make_ca(key_algorithm::ec_p256, "CN=Other").cert);
  again.public_key = *authority().key.public_key();
  again.serial = random_serial();
  again.not_before = now;
  again.not_after = now + day;
  const auto renamed = sign_certificate(authority(), again);
  REQUIRE(renamed);
  CHECK(read_crl(made(sample()), *renamed).error().code == errc::policy);
}

TEST_CASE("a list that cannot be right is not made", "[crl]") {
  auto bad = sample();
  SECTION("no number") { bad.number = 0; }
  SECTION("an end before its beginning") { bad.next_update = bad.this_update; }
  SECTION("a serial twice") { bad.revoked.push_back(bad.revoked.front()); }
  SECTION("no serial") { bad.revoked[0].serial.clear(); }
  SECTION("serial zero") { bad.revoked[0].serial = "0"; }
  SECTION("a leading zero, by which one could stand twice") { bad.revoked[0].serial = "0ff01"; }
  SECTION("a negative serial") { bad.revoked[0].serial = "-1"; }
  SECTION("a serial of 21 octets") { bad.revoked[0].serial = std::string(42, '1'); }
  SECTION("a serial of 20 octets and a sign") { bad.revoked[0].serial = std::string(40, 'f'); }
  SECTION("a serial that is no number") { bad.revoked[0].serial = "xyz"; }
  SECTION("a reason that does not exist") { bad.revoked[0].reason = 7; }
  SECTION("the reason of delta lists") { bad.revoked[0].reason = 8; }
  SECTION("a reason beyond the last") { bad.revoked[0].reason = 11; }
  SECTION("a moment before all") { bad.revoked[0].revoked_at = -1; }
  CHECK(refusal(bad) == errc::bad_input);
}

TEST_CASE("a list has a longest length", "[crl]") {
  auto bad = sample();
  bad.revoked.assign(crl_entries_max + 1, {"1", now, 0, 0});
  CHECK(refusal(bad) == errc::too_large);
}

TEST_CASE("only a CA that may sign lists signs one", "[crl]") {
  auto other = make_ca();
  const ca_identity mixed{authority().cert, std::move(other.key)};
  CHECK(make_crl(mixed, sample()).error().field == "issuer");
  auto key = private_key::generate(key_algorithm::ec_p256);
  REQUIRE(key);
  leaf_shape shape;
  shape.usages = bits({key_usage::digital_signature});
  auto leaf = make_leaf(authority(), *key, shape);
  const ca_identity no_ca{leaf, std::move(*key)};
  CHECK(make_crl(no_ca, sample()).error().field == "issuer");
}

TEST_CASE("a list is not believed that its issuer's key may not sign", "[crl]") {
  // The same name and key in a certificate of other usages.
  const auto issuer_with = [](const bytes& extensions) {
    sign_options again;
    again.subject = detail::access::subject_der(authority().cert);
    again.public_key = *authority().key.public_key();
    again.extensions = extensions;
    again.serial = random_serial();
    again.not_before = now;
    again.not_after = now + day;
    auto out = sign_certificate(authority(), again);
    REQUIRE(out);
    return *out;
  };
  const auto verdict = [&](key_usages usages) {
    const auto issuer = issuer_with(
      der::tlv(der::sequence, encode_extension(oids::key_usage, true, encode_key_usage(usages))));
    const auto read = read_crl(made(sample()), issuer);
    return read ? errc::none : read.error().code;
  };
  CHECK(verdict(bits({key_usage::crl_sign})) == errc::none);
  CHECK(verdict(bits({key_usage::key_cert_sign})) == errc::policy);
  CHECK(verdict(bits({key_usage::digital_signature, key_usage::key_cert_sign})) == errc::policy);
  CHECK(read_crl(made(sample()), issuer_with({}))); // says nothing of usages: RFC 5280 6.3.3 (f)
}

TEST_CASE("what a whole list of one issuer has not is not taken for one", "[crl]") {
  const bytes v1{0x02, 0x01, 0x00};
  const bytes number{0x02, 0x01, 0x05};
  const bytes delta_indicator{0x55, 0x1d, 0x1b};
  const bytes issuing_point{0x55, 0x1d, 0x1c};
  const bytes entry_issuer{0x55, 0x1d, 0x1d};
  const auto entry = [](byte_view oid, bool critical, byte_view value) {
    return der::tlv(der::sequence, encode_extension(oid, critical, value));
  };
  const bytes plain = list_extension(oids::crl_number, false, number);
  CHECK(fault(built(version_2, {}, plain)) == errc::none);
  CHECK(fault(built(version_2, {}, {})) == errc::none); // without a number
  CHECK(fault(built(v1, {}, {})) == errc::not_supported);
  CHECK(fault(built({}, {}, {})) == errc::bad_input);
  for (const bool critical : {true, false}) {
    CHECK(fault(built(version_2, {}, list_extension(delta_indicator, critical, number)))
          == errc::not_supported);
    CHECK(fault(built(version_2, {}, list_extension(issuing_point, critical, bytes{0x30, 0x00})))
          == errc::not_supported);
  }
  CHECK(fault(built(version_2, entry(entry_issuer, true, bytes{0x30, 0x00}), plain))
        == errc::not_supported);
  CHECK(fault(built(version_2, entry(entry_issuer, false, bytes{0x30, 0x00}), plain))
        == errc::none);
}

TEST_CASE("malformed parts of a signed list are refused", "[crl]") {
  const auto reason = [](byte_view value) {
    return der::tlv(der::sequence, encode_extension(oids::crl_reason, false, value));
  };
  for (const auto* value :
       {"0a0107", "0a0108", "0a010b", "0a00", "0a020001", "020101", "", "0a010100"}) {
    CAPTURE(value);
    CHECK(fault(built(version_2, reason(unhex(value)), {})) == errc::bad_input);
  }
  for (const auto* value : {"0200", "0201ff", "0a0101", "", "3000"}) {
    CAPTURE(value);
    CHECK(fault(built(version_2, {}, list_extension(oids::crl_number, false, unhex(value))))
          == errc::bad_input);
  }
  const bytes twice = encode_extension(oids::crl_number, false, bytes{0x02, 0x01, 0x01});
  CHECK(fault(built(version_2, {},
                    der::tlv(der::context_constructed(0), der::tlv(der::sequence, {twice, twice}))))
        == errc::bad_input);
  const bytes date = der::tlv(
    der::sequence, encode_extension(oids::invalidity_date, false, bytes{0x18, 0x01, 0x30}));
  CHECK(fault(built(version_2, date, {})) == errc::bad_input);
}
