// PKCS#12 files whose parts are not what they should be; their MACs are valid, so nothing but the
// reader's own checks refuses them.
#include "tests/catch.hpp"
#include "tests/crypto/pfx_maker.hpp"
#include "tests/crypto/support.hpp"

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

/// The same parts in a plain safe and inside an encryption: what the reader says of them.
void says(const parts& bags, std::optional<reason> why) {
  for (const bytes& safe :
       {plain_safe(bags), encrypted_safe(bags, {"aes256", 256, 10, 8}, "secret")}) {
    const bytes octets = file({safe}, "secret");
    INFO(words(octets, "secret"));
    CHECK(refusal(octets, "secret") == why);
  }
}

std::string name_read(const bytes& attribute) {
  const auto out = open(file({plain_safe({cert_bag(cert(), {attribute})})}, "secret"), "secret");
  REQUIRE(out);
  return out->certificates.at(0).friendly_name;
}

bytes bmp_octets(byte_view content) {
  return attribute("1.2.840.113549.1.9.20", {der::tlv(der::bmp_string, content)});
}

constexpr auto friendly = "1.2.840.113549.1.9.20";
constexpr auto key_id = "1.2.840.113549.1.9.21";

} // namespace

TEST_CASE("friendly names are read from all planes", "[crypto][pfx]") {
  CHECK(name_read(friendly_name(u"plain")) == "plain");
  CHECK(name_read(friendly_name(u"")).empty());
  CHECK(name_read(friendly_name(u"J\u00e4ne")) == "J\xc3\xa4ne");
  CHECK(name_read(friendly_name(u"\u0800\uffff")) == "\xe0\xa0\x80\xef\xbf\xbf"); // CVE-2025-69419
  CHECK(name_read(friendly_name(u"\ud7ff\ue000")) == "\xed\x9f\xbf\xee\x80\x80");
  CHECK(name_read(friendly_name(u"\U0001f511\U0010ffff")) == "\xf0\x9f\x94\x91\xf4\x8f\xbf\xbf");
}

TEST_CASE("friendly names with half a character are refused", "[crypto][pfx]") {
  for (const auto* content : {"00", "004100", "d800", "dc00", "d8000041", "0041d800", "dc00d800",
                              "d800d800dc00", "dbff"}) {
    INFO(content);
    says({cert_bag(cert(), {bmp_octets(unhex(content))})}, reason::malformed);
  }
}

TEST_CASE("attributes of another type than theirs are refused", "[crypto][pfx]") {
  const bytes boolean{0x01, 0x01, 0xff};
  const bytes utf8 = der::tlv(der::utf8_string, as_bytes("name"));
  for (const parts& values :
       {parts{boolean}, parts{utf8}, parts{octets(bytes{0, 65})}, parts{seq({})}, parts{},
        parts{bmp(u"a"), bmp(u"b")}, parts{{0x05, 0x00}}}) {
    says({cert_bag(cert(), {attribute(friendly, values)})}, reason::malformed);
    says({key_bag(key(), {attribute(friendly, values)})}, reason::malformed);
  }
  for (const parts& values :
       {parts{boolean}, parts{seq({octets(bytes{1})})}, parts{integer(1)}, parts{bmp(u"a")},
        parts{}, parts{octets(bytes{1}), octets(bytes{2})}}) {
    says({cert_bag(cert(), {attribute(key_id, values)})}, reason::malformed);
    says({key_bag(key(), {attribute(key_id, values)})}, reason::malformed);
  }
  says({cert_bag(cert(), {friendly_name(u"a"), friendly_name(u"a")})}, reason::malformed);
  says({cert_bag(cert(), {local_key_id(bytes{1}), local_key_id(bytes{1})})}, reason::malformed);
  says({cert_bag(cert(), {octets(bytes{1})})}, reason::malformed);
  says({cert_bag(cert(), {seq({oid(friendly)})})}, reason::malformed);
  says({cert_bag(cert(), {seq({oid(friendly), seq({bmp(u"a")})})})}, reason::malformed);
  says({cert_bag(cert(), {seq({oid(friendly), set({bmp(u"a")}), integer(1)})})}, reason::malformed);
}

TEST_CASE("attributes that nobody knows are passed over", "[crypto][pfx]") {
  const auto out = open(
    file({plain_safe({cert_bag(
           cert(),
           {attribute("1.3.6.1.4.1.311.17.2", {}), attribute("1.3.6.1.4.1.311.17.1", {bmp(u"CSP")}),
            attribute("2.16.840.1.113894.746875.1.1", {oid("2.5.29.37.0"), integer(1)}),
            local_key_id(bytes{1, 2})})})},
         "secret"),
    "secret");
  REQUIRE(out);
  CHECK(out->certificates.at(0).local_key_id == bytes{1, 2});
  CHECK(out->certificates.at(0).friendly_name.empty());
}

TEST_CASE("bags that are not whole are refused", "[crypto][pfx]") {
  constexpr auto key_bag_type = "1.2.840.113549.1.12.10.1.1";
  constexpr auto shrouded_type = "1.2.840.113549.1.12.10.1.2";
  constexpr auto cert_type = "1.2.840.113549.1.12.10.1.3";
  constexpr auto x509 = "1.2.840.113549.1.9.22.1";
  for (const auto* type : {key_bag_type, shrouded_type, cert_type, "1.2.840.113549.1.12.10.1.4",
                           "1.2.840.113549.1.12.10.1.5", "1.2.840.113549.1.12.10.1.6"}) {
    INFO(type);
    says({seq({oid(type)})}, reason::malformed); // CVE-2024-0727, -69421: no content
    says({seq({oid(type), explicit0({})})}, reason::malformed);
    says({seq({oid(type), explicit0(join({seq({}), seq({})}))})}, reason::malformed);
    says({seq({oid(type), explicit0(seq({})), integer(1)})}, reason::malformed);
    says({seq({oid(type), octets(bytes{1})})}, reason::malformed);
  }
  for (const auto* type : {key_bag_type, shrouded_type, cert_type}) {
    says({bag(type, integer(1))}, reason::malformed);
    says({bag(type, seq({}))}, reason::malformed);
    says({bag(type, seq({octets(bytes{1})}))}, reason::malformed);
  }
  says({integer(1)}, reason::malformed);
  says({seq({})}, reason::malformed);
  says({bag(cert_type, seq({oid(x509)}))}, reason::malformed);
  says({bag(cert_type, seq({oid(x509), explicit0(octets({}))}))}, reason::malformed);
  says({bag(cert_type, seq({oid(x509), explicit0(integer(1))}))}, reason::malformed);
  says({bag(cert_type, seq({oid(x509), explicit0(octets(bytes(100, 0x30)))}))}, reason::malformed);
  bytes tail = cert().der();
  tail.push_back(0);
  says({bag(cert_type, seq({oid(x509), explicit0(octets(tail))}))}, reason::malformed);
  says({bag("1.2.840.113549.1.12.10.1.6", octets(bytes{1}))}, reason::malformed);
}

TEST_CASE("encrypted parts without whole blocks are refused", "[crypto][pfx]") {
  for (const auto* cipher : {"aes256", "pbe-3des", "pbe-rc2-40"}) {
    const bytes how = algorithm({cipher, 256, 10, 8});
    for (const std::size_t size : {0U, 1U, 15U, 33U}) {
      says({hollow_bag(how, size)}, reason::malformed);
      CHECK(refusal(file({sealed_safe(how, bytes(size))}, "secret"), "secret")
            == reason::malformed);
    }
    // Whole blocks of nothing: the wrong key, or damaged.
    CHECK(refusal(file({sealed_safe(how, bytes(64))}, "secret"), "secret") == reason::not_opened);
  }
}

TEST_CASE("what is not read here is named as such", "[crypto][pfx]") {
  constexpr auto pbes2 = "1.2.840.113549.1.5.13";
  const bytes null{0x05, 0x00};
  const bytes salted = seq({octets(bytes(8)), integer(10)});
  const bytes kdf = seq({oid("1.2.840.113549.1.5.12"), salted});
  for (const bytes& how :
       {seq({oid("1.2.840.113549.1.12.1.1"), salted}), // RC4
        seq({oid("1.2.840.113549.1.12.1.2"), salted}), seq({oid("1.2.840.113549.1.5.3"), salted}),
        seq({oid("1.2.3.4")}), seq({oid(pbes2), seq({kdf, seq({oid("1.2.3.4"), null})})}),
        seq({oid(pbes2),
             seq({seq({oid("1.2.3.4"), salted}),
                  seq({oid("2.16.840.1.101.3.4.1.42"), octets(bytes(16))})})}),
        seq({oid(pbes2),
             seq({seq({oid("1.2.840.113549.1.5.12"),
                       seq({octets(bytes(8)), integer(10), seq({oid("1.2.3.4"), null})})}),
                  seq({oid("2.16.840.1.101.3.4.1.42"), octets(bytes(16))})})})}) {
    says({hollow_bag(how, 32)}, reason::unsupported);
    CHECK(refusal(file({sealed_safe(how, bytes(32))}, "secret"), "secret") == reason::unsupported);
  }
  says({bag("1.2.840.113549.1.12.10.1.7", seq({}))}, reason::unsupported);
  says({bag("1.2.840.113549.1.12.10.1.3",
            seq({oid("1.2.840.113549.1.9.22.2"), explicit0(octets(bytes{1}))}))},
       reason::unsupported);
  CHECK(refusal(file({seq({oid("1.2.840.113549.1.7.3"), explicit0(seq({}))})}, "secret"), "secret")
        == reason::unsupported); // enveloped for a public key
  const bytes is_signed = seq({integer(3), seq({oid("1.2.840.113549.1.7.2"), explicit0(seq({}))})});
  CHECK(refusal(is_signed, "secret") == reason::unsupported);
}

TEST_CASE("algorithms with parameters of the wrong form are refused", "[crypto][pfx]") {
  constexpr auto pbes2 = "1.2.840.113549.1.5.13";
  constexpr auto pbkdf2 = "1.2.840.113549.1.5.12";
  const bytes aes = seq({oid("2.16.840.1.101.3.4.1.42"), octets(bytes(16))});
  const auto with_kdf = [&](const parts& parameters) {
    return seq({oid(pbes2), seq({seq({oid(pbkdf2), seq(parameters)}), aes})});
  };
  const bytes salt = octets(bytes(8));
  for (const bytes& how :
       {seq({}), seq({oid(pbes2)}), seq({oid(pbes2), integer(1)}), seq({oid(pbes2), seq({})}),
        seq({oid(pbes2), seq({aes})}), with_kdf({}), with_kdf({salt}), with_kdf({integer(1)}),
        with_kdf({salt, integer(0)}), with_kdf({salt, der::tlv(der::integer, bytes{0x80})}),
        with_kdf({salt, integer(1), integer(16)}), // not AES-256's key length
        with_kdf({salt, integer(1), integer(0)}), with_kdf({salt, integer(1), octets({})}),
        seq({oid("1.2.840.113549.1.12.1.3")}), seq({oid("1.2.840.113549.1.12.1.3"), integer(1)}),
        seq({oid("1.2.840.113549.1.12.1.3"), seq({salt})}),
        seq({oid("1.2.840.113549.1.12.1.3"), seq({salt, integer(1), integer(1)})}),
        seq({oid(pbes2),
             seq({seq({oid(pbkdf2), seq({salt, integer(1)})}),
                  seq({oid("2.16.840.1.101.3.4.1.42"), octets(bytes(15))})})}),
        seq({oid(pbes2),
             seq({seq({oid(pbkdf2), seq({salt, integer(1)})}),
                  seq({oid("2.16.840.1.101.3.4.1.42")})})})}) {
    INFO(to_hex(how));
    says({hollow_bag(how, 32)}, reason::malformed);
    CHECK(refusal(file({sealed_safe(how, bytes(32))}, "secret"), "secret") == reason::malformed);
  }
}

TEST_CASE("the outer parts are judged one by one", "[crypto][pfx]") {
  constexpr auto data = "1.2.840.113549.1.7.1";
  const bytes over = authenticated({plain_safe({cert_bag(cert())})});
  const bytes good_mac = mac({}, over, "secret");
  const bytes content = seq({oid(data), explicit0(octets(over))});
  CHECK_FALSE(refusal(seq({integer(3), content, good_mac}), "secret"));
  for (const bytes& octets_of_file :
       {seq({}), seq({integer(3)}), seq({integer(2), content, good_mac}),
        seq({integer(4), content, good_mac}), seq({content, good_mac}),
        seq({integer(3), good_mac, content}), seq({integer(3), content, good_mac, integer(1)}),
        seq({integer(3), content, integer(1)}), seq({integer(3), seq({oid(data)}), good_mac}),
        seq({integer(3), seq({oid(data), explicit0({})}), good_mac}),
        seq({integer(3), seq({oid(data), explicit0(over)}), good_mac}),
        seq({integer(3), content, seq({})}), bytes{0x30, 0x80}, bytes{0x30}, bytes{0}, bytes{}}) {
    INFO(to_hex(octets_of_file).substr(0, 64));
    CHECK(refusal(octets_of_file, "secret") == reason::malformed);
  }
  for (const parts& safes :
       {parts{integer(1)}, parts{seq({})}, parts{seq({oid(data)})},
        parts{seq({oid("1.2.840.113549.1.7.6")})},
        parts{seq({oid("1.2.840.113549.1.7.6"), explicit0(seq({}))})},
        parts{seq({oid("1.2.840.113549.1.7.6"),
                   explicit0(seq({integer(0), seq({oid(data), algorithm({})})}))})}}) {
    INFO(to_hex(join(safes)));
    CHECK(refusal(file(safes, "secret"), "secret") == reason::malformed);
  }
}
