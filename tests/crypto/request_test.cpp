// Certification requests: openssl reads ours, we read those of others; wrong options name their
// field.
#include "crypto/request.hpp"

#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"
#include "crypto/openssl.hpp"
#include "tests/catch.hpp"
#include "tests/crypto/support.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

constexpr const char* sid = "S-1-5-21-1004336348-1177238915-682003330-512";

csr_options full_options() {
  csr_options out;
  out.subject = "CN=Jane Doe,OU=Sales,O=Example";
  out.alternative_names = {
    {name_type::rfc822, "jane.doe@example.org"},
    {name_type::upn, "j\xc3\xa4ne@example.org"},
    {name_type::dns, "laptop-7.example.org"},
    {name_type::uri, "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500"},
    {name_type::ip, "192.0.2.7"},
    {name_type::ip, "2001:db8::7"},
    {name_type::directory_name, "CN=Jane,O=Example"},
  };
  out.usages = bits({key_usage::digital_signature, key_usage::key_agreement});
  out.extended_usages = {"1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.10.3.4"};
  out.security_identifier = sid;
  return out;
}

bytes built(const private_key& key, const csr_options& options) {
  auto out = build_csr(key, options);
  INFO((out ? std::string() : to_string(out.error())));
  REQUIRE(out);
  return std::move(*out);
}

std::string openssl_reads(const bytes& csr_der) {
  const temporary_folder folder;
  write_file(folder.file("r.csr"), csr_der);
  const auto out = openssl({"req", "-inform", "DER", "-in", folder.file("r.csr"), "-noout", "-text",
                            "-verify", "-nameopt", "RFC2253"});
  INFO(out.output);
  REQUIRE(out.status == 0);
  return out.output;
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

error refused(const csr_options& options) {
  const auto out = check_csr_options(options);
  REQUIRE_FALSE(out);
  // What the check refuses is refused when it is built, with the same words.
  const auto built_out = build_csr(shared_key(key_algorithm::rsa2048), options);
  REQUIRE_FALSE(built_out);
  CHECK(built_out.error() == out.error());
  return out.error();
}

std::string field_for(name_type type, const std::string& value) {
  csr_options options;
  options.alternative_names = {{name_type::dns, "ok.example"}, {type, value}};
  INFO(name_of(type) << " '" << value << "'");
  return refused(options).field;
}

} // namespace

TEST_CASE("openssl finds everything in our request that we put in", "[crypto][csr][cli]") {
  for (const auto algorithm :
       {key_algorithm::rsa2048, key_algorithm::ec_p256, key_algorithm::ec_p521}) {
    const std::string text = openssl_reads(built(shared_key(algorithm), full_options()));
    INFO(text);
    CHECK(holds(text, "CN=Jane Doe,OU=Sales,O=Example"));
    CHECK(holds(text, "X509v3 Key Usage: critical\n"));
    CHECK(holds(text, "Digital Signature, Key Agreement"));
    CHECK(holds(text, "TLS Web Client Authentication"));
    CHECK(holds(text, "email:jane.doe@example.org"));
    CHECK(holds(text, "DNS:laptop-7.example.org"));
    CHECK(holds(text, "URI:tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500"));
    CHECK(holds(text, "IP Address:192.0.2.7"));
    CHECK(holds(text, "IP Address:2001:DB8:0:0:0:0:0:7"));
    CHECK(holds(text, "DirName:"));
    // OpenSSL has a name for it since 3.4.
    const bool strong
      = holds(text, "1.3.6.1.4.1.311.25.2") || holds(text, "Microsoft NTDS CA Extension");
    CHECK(strong);
  }
}

TEST_CASE("requests are signed with the hash that was asked for", "[crypto][csr][cli]") {
  csr_options options;
  options.subject = "CN=x";
  options.hash = hash_algorithm::sha384;
  CHECK(holds(openssl_reads(built(shared_key(key_algorithm::rsa2048), options)),
              "sha384WithRSAEncryption"));
  options.hash = hash_algorithm::sha512;
  CHECK(
    holds(openssl_reads(built(shared_key(key_algorithm::ec_p384), options)), "ecdsa-with-SHA512"));
}

TEST_CASE("a request comes apart into the raw parts it was made of", "[crypto][csr]") {
  const private_key& key = shared_key(key_algorithm::ec_p256);
  const bytes der = built(key, full_options());
  const auto parsed = parse_csr(der);
  REQUIRE(parsed);
  CHECK(parsed->der == der);
  CHECK(parsed->public_key == key.public_key().value());
  CHECK(parsed->public_key_hash == key.public_key_hash());
  CHECK(der::only(parsed->extensions, der::sequence));
  csr_options bare;
  bare.subject = "CN=bare";
  const auto without = parse_csr(built(key, bare));
  REQUIRE(without);
  CHECK(without->extensions.empty());
}

TEST_CASE("the SID extension is the golden octets", "[crypto][csr][sid]") {
  const auto value = encode_security_identifier(sid);
  REQUIRE(value);
  CHECK(*value
        == unhex(std::string("303ea03c060a2b060104018237190201a02e042c") + to_hex(as_bytes(sid))));
  const auto parsed = parse_csr(built(shared_key(key_algorithm::ec_p256), full_options()));
  REQUIRE(parsed);
  // Extension, not critical: OID 1.3.6.1.4.1.311.25.2 and the value in an OCTET STRING
  const bytes whole = unhex("304d06092b0601040182371902"
                            "0440"
                            + to_hex(*value));
  CHECK(
    std::search(parsed->extensions.begin(), parsed->extensions.end(), whole.begin(), whole.end())
    != parsed->extensions.end());
}

TEST_CASE("texts that are no SID are refused", "[crypto][csr][sid]") {
  for (const std::string bad :
       {"", "S-1-5", "S-1-", "S-1--5", "s-1-5-21-1", "S-1-5-21-1-", "S-1-5-21--1", "S-2-5-21-1",
        "S-1-05-21", "S-1-5-021", "S-1-5-4294967296", "S-1-281474976710656-1", "S-1-5-21-1 ",
        " S-1-5-21-1", "S-1-5-21-+1", "S-1-5-21-0x1", "S-1-5-21-1\n",
        "S-1-5-21-99999999999999999999", "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16"}) {
    INFO(bad);
    const auto out = encode_security_identifier(bad);
    REQUIRE_FALSE(out);
    CHECK(out.error().field == "securityIdentifier");
  }
  CHECK(encode_security_identifier("S-1-5-18"));
  CHECK(encode_security_identifier("S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15"));
}

TEST_CASE("wrong alternative names are refused by index", "[crypto][csr]") {
  using namespace std::string_literals;
  const std::string field = "subjectAlternativeNames[1].value";
  for (const auto type : {name_type::rfc822, name_type::upn, name_type::dns, name_type::uri,
                          name_type::ip, name_type::directory_name}) {
    CHECK(field_for(type, "") == field);
    CHECK(field_for(type, "a\0b"s) == field);
    CHECK(field_for(type, std::string(9000, 'a')) == field);
  }
  for (const std::string& bad :
       {"jane"s, "@example.org"s, "jane@"s, "jane@@example.org"s, "j ane@example.org"s,
        ".jane@example.org"s, "jane.@example.org"s, "ja..ne@example.org"s,
        "j\xc3\xa4ne@example.org"s, "jane@exa mple.org"s, "jane@-a.org"s, "jane@example.org\n"s,
        "<jane@example.org>"s, "jane@192.0.2.1"s, "\"j\"@example.org"s,
        std::string(65, 'a') + "@example.org", "a@" + std::string(64, 'b') + ".org"}) {
    CHECK(field_for(name_type::rfc822, bad) == field);
  }
  for (const std::string& bad :
       {"."s, "a."s, ".a"s, "a..b"s, "-a"s, "a-"s, "a_b"s, "*.example.org"s, "a b"s, "\xc3\xa4.de"s,
        "192.0.2.1"s, "host:80"s, "a/b"s, std::string(64, 'a'), "a\n"s}) {
    CHECK(field_for(name_type::dns, bad) == field);
  }
  for (const std::string& bad :
       {"example"s, ":x"s, "http:"s, "1http://x"s, "ht tp://x"s, "http://a b"s, "http://\xc3\xa4"s,
        "http://x/%"s, "http://x/%2"s, "http://x/%zz"s, "http://x/\"a\""s, "http://x/<a>"s,
        "http://x\n"s}) {
    CHECK(field_for(name_type::uri, bad) == field);
  }
  for (const std::string& bad : {"1.2.3"s, "1.2.3.256"s, "01.2.3.4"s, "1.2.3.4.5"s, "1.2.3.4/24"s,
                                 "::g"s, "1::2::3"s, "fe80::1%eth0"s, " 1.2.3.4"s, "[::1]"s}) {
    CHECK(field_for(name_type::ip, bad) == field);
  }
  for (const std::string& bad : {"jane"s, "@x"s, "jane@"s, "a@b@c"s, "a\n@b"s, "a\xff@b"s}) {
    CHECK(field_for(name_type::upn, bad) == field);
  }
  for (const std::string& bad : {"Jane"s, "CN="s, "CN=a;O=b"s, "CN=" + std::string(65, 'a')}) {
    CHECK(field_for(name_type::directory_name, bad) == field);
  }
  CHECK(field_for(static_cast<name_type>(77), "x") == field);
}

TEST_CASE("other wrong options are refused by field", "[crypto][csr]") {
  csr_options options = full_options();
  SECTION("no subject and no names") { CHECK(refused(csr_options()).field == "subject"); }
  SECTION("a subject that is no name") {
    options.subject = "CN=a;O=b";
    CHECK(refused(options).field == "subject");
  }
  SECTION("extended usages") {
    for (const char* bad : {"", "1", "1.", ".1", "1..2", "clientAuth", "1.2.3 ", "1.2.03", "3.1.2",
                            "1.40.1", "1 2 3", "1.2.-3"}) {
      INFO(bad);
      options.extended_usages = {bad, "1.2.3"};
      CHECK(refused(options).field == "extendedKeyUsages[0]");
      options.extended_usages = {"1.2.3", bad};
      CHECK(refused(options).field == "extendedKeyUsages[1]");
    }
    options.extended_usages = {"1.2." + std::string(200, '1')};
    CHECK(refused(options).field == "extendedKeyUsages[0]");
    options.extended_usages.assign(501, "1.2.3");
    CHECK(refused(options).code == errc::too_large);
  }
  SECTION("usages") {
    options.usages = 1 << 9;
    CHECK(refused(options).field == "keyUsages");
    options.usages = bits({key_usage::encipher_only});
    CHECK(refused(options).field == "keyUsages");
    options.usages = bits({key_usage::decipher_only, key_usage::digital_signature});
    CHECK(refused(options).field == "keyUsages");
  }
  SECTION("security identifier") {
    options.security_identifier = "Domain Users";
    CHECK(refused(options).field == "securityIdentifier");
  }
  SECTION("hash") {
    options.hash = static_cast<hash_algorithm>(9);
    CHECK(refused(options).field == "hashAlgorithm");
  }
  SECTION("too many names") {
    options.alternative_names.assign(501, {name_type::dns, "a.b"});
    CHECK(refused(options).code == errc::too_large);
    options.alternative_names.assign(500, {name_type::uri, "urn:" + std::string(60, 'x')});
    CHECK(refused(options).field == "subjectAlternativeNames"); // would not fit a certificate
    options.alternative_names.assign(500, {name_type::dns, "host.example.org"});
    CHECK(check_csr_options(options));
  }
}

TEST_CASE("encipherment usages on an EC key are refused (RFC 8813)", "[crypto][csr]") {
  csr_options options;
  options.subject = "CN=x";
  for (const auto usage : {key_usage::key_encipherment, key_usage::data_encipherment}) {
    options.usages = bits({usage, key_usage::digital_signature});
    const auto ec = check_csr_options(options, key_algorithm::ec_p256);
    REQUIRE_FALSE(ec);
    CHECK(ec.error().field == "keyUsages");
    CHECK(check_csr_options(options, key_algorithm::rsa2048));
    CHECK_FALSE(build_csr(shared_key(key_algorithm::ec_p256), options));
    CHECK(build_csr(shared_key(key_algorithm::rsa2048), options));
  }
}

TEST_CASE("key usage bits stand where the standard wants them", "[crypto][csr][cli]") {
  csr_options options;
  options.subject = "CN=x";
  options.usages = bits({key_usage::key_agreement, key_usage::decipher_only});
  CHECK(holds(openssl_reads(built(shared_key(key_algorithm::ec_p256), options)),
              "Key Agreement, Decipher Only"));
  options.usages = bits({key_usage::crl_sign, key_usage::key_cert_sign});
  CHECK(holds(openssl_reads(built(shared_key(key_algorithm::ec_p256), options)),
              "Certificate Sign, CRL Sign"));
}

TEST_CASE("an empty subject makes the alternative names critical", "[crypto][csr][cli]") {
  csr_options options;
  options.alternative_names = {{name_type::dns, "a.example"}};
  CHECK(holds(openssl_reads(built(shared_key(key_algorithm::ec_p256), options)),
              "X509v3 Subject Alternative Name: critical"));
}

TEST_CASE("a request with any flipped octet is refused", "[crypto][csr]") {
  csr_options options;
  options.subject = "CN=flip";
  options.alternative_names = {{name_type::dns, "a.example"}};
  const bytes good = built(shared_key(key_algorithm::ec_p256), options);
  REQUIRE(parse_csr(good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    bytes bad = good;
    bad[i] ^= 0x01;
    INFO("octet " << i);
    CHECK_FALSE(parse_csr(bad));
  }
  bytes longer = good;
  longer.push_back(0);
  CHECK_FALSE(parse_csr(longer));
  CHECK_FALSE(parse_csr(byte_view(good).first(good.size() - 1)));
  CHECK_FALSE(parse_csr({}));
  CHECK(parse_csr(bytes(70'000)).error().code == errc::too_large);
}

TEST_CASE("weak and foreign keys in requests are refused by field", "[crypto][csr][cli]") {
  const temporary_folder folder;
  const auto field_of = [&folder](const std::vector<std::string>& key_options) {
    std::vector<std::string> arguments{"req",
                                       "-new",
                                       "-nodes",
                                       "-subj",
                                       "/CN=x",
                                       "-outform",
                                       "DER",
                                       "-out",
                                       folder.file("r.csr"),
                                       "-keyout",
                                       folder.file("k.pem")};
    arguments.insert(arguments.end(), key_options.begin(), key_options.end());
    const auto made = openssl(arguments);
    INFO(made.output);
    REQUIRE(made.status == 0);
    const auto out = parse_csr(read_file(folder.file("r.csr")));
    REQUIRE_FALSE(out);
    return out.error().field;
  };
  CHECK(field_of({"-newkey", "rsa:1024"}) == "publicKey");
  CHECK(field_of({"-newkey", "ED25519"}) == "publicKey");
  CHECK(field_of({"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"}) == "publicKey");
}

TEST_CASE("requests of others are read or refused, never more", "[crypto][csr][corpus]") {
  std::size_t read = 0;
  std::size_t refused_count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(data_file("x509-pyca/requests"))) {
    if (entry.path().extension() != ".der")
      continue;
    const auto out = parse_csr(read_file(entry.path().string()));
    INFO(entry.path().filename().string());
    if (out) {
      ++read;
      CHECK_FALSE(out->public_key.empty());
    } else {
      ++refused_count;
      CHECK_FALSE(out.error().field.empty());
    }
  }
  CHECK(read >= 2);
  CHECK(refused_count >= 1);
}

TEST_CASE("openssl's own requests with extensions are read", "[crypto][csr][cli]") {
  const temporary_folder folder;
  const auto made
    = openssl({"req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-subj", "/CN=x", "-addext", "subjectAltName=DNS:a.example", "-outform", "DER",
               "-out", folder.file("r.csr"), "-keyout", folder.file("k.pem")});
  INFO(made.output);
  REQUIRE(made.status == 0);
  const auto out = parse_csr(read_file(folder.file("r.csr")));
  REQUIRE(out);
  const bytes host = to_bytes(std::string_view("a.example"));
  CHECK(std::search(out->extensions.begin(), out->extensions.end(), host.begin(), host.end())
        != out->extensions.end());
}
