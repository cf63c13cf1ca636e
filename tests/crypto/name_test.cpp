// Distinguished names: OpenSSL's RFC 2253 printer is the second opinion; bad input outnumbers good.
#include "crypto/name.hpp"

#include "crypto/der.hpp"
#include "crypto/openssl.hpp"
#include "tests/catch.hpp"
#include "tests/crypto/support.hpp"

#include <string>

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

using name_handle = handle<::X509_NAME, ::X509_NAME_free>;

/// What OpenSSL prints for a DER Name, with UTF-8 left as it is.
std::string openssl_text(byte_view der) {
  const unsigned char* cursor = der.data();
  const name_handle name(::d2i_X509_NAME(nullptr, &cursor, static_cast<long>(der.size())));
  REQUIRE(name != nullptr);
  const bio_handle out(::BIO_new(::BIO_s_mem()));
  ::X509_NAME_print_ex(out.get(), name.get(), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

bytes parsed(std::string_view text) {
  auto out = name_from_text(text);
  INFO(text << " " << (out ? std::string() : to_string(out.error())));
  REQUIRE(out);
  return std::move(*out);
}

/// Text, and the position that the message must name.
using wrong_names = std::vector<std::pair<std::string, int>>;

void check_refused(const wrong_names& all) {
  for (const auto& [text, position] : all) {
    const auto out = name_from_text(text);
    INFO(text);
    REQUIRE_FALSE(out);
    CHECK(out.error().code == errc::bad_input);
    CHECK(out.error().field == "subject");
    INFO(out.error().message);
    CHECK(out.error().message.find("at position " + std::to_string(position) + ":") == 0);
  }
}

} // namespace

TEST_CASE("good names mean to OpenSSL what they mean to us", "[crypto][name]") {
  // text, as OpenSSL prints it back
  const std::vector<std::pair<std::string, std::string>> names{
    {"CN=user", "CN=user"},
    {"cn=user,Ou=x", "CN=user,OU=x"},
    {"CN=user,OU=one,OU=two,O=Company,C=DE", "CN=user,OU=one,OU=two,O=Company,C=DE"},
    {"CN=user, OU=one ,  O = Company", "CN=user,OU=one,O=Company"},
    {R"(CN=Steve Kille\, PhD,O=Isode\, Ltd.)", R"(CN=Steve Kille\, PhD,O=Isode\, Ltd.)"},
    {R"(CN="Sue, Grabbit and Runn",C=GB)", R"(CN=Sue\, Grabbit and Runn,C=GB)"},
    {R"(CN="a+b;c<d>e=f\"g\\h")", R"(CN=a\+b\;c\<d\>e=f\"g\\h)"},
    {R"(CN=a\+b\,c\;d\=e)", R"(CN=a\+b\,c\;d=e)"},
    {R"(CN=a=b)", "CN=a=b"},
    {R"(CN=\ lead and trail\ )", R"(CN=\ lead and trail\ )"},
    {R"(CN=\#hash)", R"(CN=\#hash)"},
    {R"(CN=Before\0DAfter,O=Test,C=GB)", R"(CN=Before\0DAfter,O=Test,C=GB)"},
    {R"(SN=Lu\C4\8Di\C4\87)", "SN=Lu\xC4\x8Di\xC4\x87"},
    {"SN=Lu\xC4\x8Di\xC4\x87", "SN=Lu\xC4\x8Di\xC4\x87"},
    {"UID=jsmith,DC=example,DC=net", "UID=jsmith,DC=example,DC=net"},
    {"E=user@example.org,G=Jane,SN=Doe", "emailAddress=user@example.org,GN=Jane,SN=Doe"},
    {"serialNumber=AB-12,title=Dr,T=Prof", "serialNumber=AB-12,title=Dr,title=Prof"},
    {"2.5.4.3=oid", "CN=oid"},
    {"CN=#0C0548656C6C6F", "CN=Hello"},
    {"1.3.6.1.4.1.1466.0=#0C024869", "1.3.6.1.4.1.1466.0=#0C024869"},
    {"1.3.6.1.4.1.1466.0=#1e0200e9", "1.3.6.1.4.1.1466.0=#1E0200E9"},
    {"", ""},
  };
  for (const auto& [text, expected] : names) {
    const bytes der = parsed(text);
    CHECK(openssl_text(der) == expected);
    const auto ours = name_to_text(der);
    REQUIRE(ours);
    CHECK(*ours == expected);
    CHECK(parsed(*ours) == der); // and what we print we read
  }
}

TEST_CASE("multi-valued parts are one sorted set", "[crypto][name]") {
  const bytes der = parsed("OU=Sales+CN=J.  Smith,DC=example");
  CHECK(der == parsed("CN=J.  Smith + OU=Sales, DC=example"));
  const auto outer = der::only(der, der::sequence);
  REQUIRE(outer);
  der::reader walk(outer->content);
  REQUIRE(walk.next(der::set)); // DC first in DER
  const auto both = walk.next(der::set);
  REQUIRE(both);
  der::reader values(both->content);
  CHECK(values.next(der::sequence));
  CHECK(values.next(der::sequence));
  CHECK(values.at_end());
  CHECK(name_to_text(der).value() == openssl_text(der));
}

TEST_CASE("values get the string types of RFC 5280", "[crypto][name]") {
  const auto tag_of = [](std::string_view text) {
    const bytes der = parsed(text);
    const auto rdn = der::reader(der::only(der, der::sequence)->content).next(der::set);
    der::reader parts(der::reader(rdn->content).next(der::sequence)->content);
    REQUIRE(parts.next(der::object_identifier));
    return parts.peek();
  };
  CHECK(tag_of("CN=x") == der::utf8_string);
  CHECK(tag_of("C=DE") == der::printable_string);
  CHECK(tag_of("serialNumber=1") == der::printable_string);
  CHECK(tag_of("DC=x") == der::ia5_string);
  CHECK(tag_of("E=a@b.c") == der::ia5_string);
  CHECK(tag_of("1.2.3.4=x") == der::utf8_string);
  CHECK(tag_of("CN=#130178") == der::printable_string);
}

TEST_CASE("bounds are counted in characters, not in octets", "[crypto][name]") {
  std::string umlauts;
  for (int i = 0; i < 64; ++i)
    umlauts += "\xc3\xbc";
  CHECK(name_from_text("CN=" + umlauts));
  CHECK_FALSE(name_from_text("CN=" + umlauts + "x"));
  CHECK(name_from_text("CN=" + std::string(64, 'a')));
  CHECK_FALSE(name_from_text("CN=" + std::string(65, 'a')));
  CHECK_FALSE(name_from_text("O=" + std::string(65, 'a')));
  CHECK_FALSE(name_from_text("OU=" + std::string(65, 'a')));
  CHECK_FALSE(name_from_text("L=" + std::string(129, 'a')));
  CHECK_FALSE(name_from_text("E=" + std::string(256, 'a')));
  CHECK_FALSE(name_from_text("1.2.3=" + std::string(1025, 'a')));
  std::string many = "OU=0";
  for (int i = 1; i < 64; ++i)
    many += ",OU=" + std::to_string(i);
  CHECK(name_from_text(many));
  const auto over = name_from_text(many + ",OU=64");
  REQUIRE_FALSE(over);
  CHECK(over.error().code == errc::too_large);
  CHECK(name_from_text(std::string(9000, ' ')).error().code == errc::too_large);
}

TEST_CASE("wrong syntax is refused and the place is told", "[crypto][name]") {
  const wrong_names wrong{
    {"user", 1},        {"=user", 1},
    {"CN", 3},          {"CN user", 4},
    {"CN=", 4},         {"CN= ", 5},
    {"CN=,O=x", 4},     {"CN=\"\"", 4},
    {",CN=a", 1},       {"CN=a,", 6},
    {"CN=a,,O=b", 6},   {"CN=a+", 6},
    {"CN=a+,O=b", 6},   {"CN=a;O=b", 5},
    {"CN=a<b", 5},      {"CN=a>b", 5},
    {"CN=a\"b", 5},     {"CN=\"a", 4},
    {"CN=\"a\"b", 7},   {"CN=\"a\\", 6},
    {"CN=a\\", 5},      {"CN=a\\x", 5},
    {"CN=a\\0", 5},     {"CN=a\\0g", 5},
    {"CN=a\\zz", 5},    {"CN=a\\00b", 4},
    {"CN=\\FF", 4},     {"CN=\\C3", 4},
    {"CN=\xc3", 4},     {"CN=\xed\xa0\x80", 4},
    {"CN=\xc0\x80", 4}, {"CN=\xf4\x90\x80\x80", 4},
  };
  check_refused(wrong);
}

TEST_CASE("wrong types and values are refused and the place is told", "[crypto][name]") {
  const wrong_names wrong{
    {"foo=bar", 1},
    {"CN=a,foo=bar", 6},
    {"1=x", 1},
    {"1.=x", 1},
    {"1..2=x", 1},
    {"01.2=x", 1},
    {"3.1=x", 1},
    {"1.40=x", 1},
    {"OID.2.5.4.3=x", 1},
    {"CN=#", 4},
    {"CN=#0", 4},
    {"CN=#0C", 4},
    {"CN=#0C05", 4},
    {"CN=#0C0148FF", 4},
    {"CN=#0C01FF", 4},
    {"CN=#0402", 4},
    {"1.2.3=#04024869", 7},
    {"1.2.3=#1E0100", 7},
    {"1.2.3=#0500", 7},
    {"CN=#040148", 4},
    {"CN=#300348656C", 4},
    {"CN=#0C00", 4},
    {"CN=#zz", 4},
    {"C=D", 3},
    {"C=DEU", 3},
    {"C=12", 3},
    {"C=#0C024445", 3},
    {"serialNumber=a_b", 14},
    {"serialNumber=\xc3\xbc", 14},
    {"DC=\xc3\xbc", 4},
    {"E=\xc3\xbc@example.org", 3},
    {"CN=a+CN=b", 10},
    {"CN=a+2.5.4.3=b", 15},
  };
  check_refused(wrong);
}

TEST_CASE("a NUL in the text is refused, quoted or not", "[crypto][name]") {
  using namespace std::string_literals;
  CHECK_FALSE(name_from_text("CN=a\0b"s));
  CHECK_FALSE(name_from_text("CN=\"a\0b\""s));
  CHECK_FALSE(name_from_text("C\0N=a"s));
}

TEST_CASE("DER that is no Name is refused", "[crypto][name]") {
  CHECK_FALSE(name_to_text({}));
  CHECK_FALSE(name_to_text(unhex("31")));
  CHECK_FALSE(name_to_text(unhex("3000ff")));
  CHECK_FALSE(name_to_text(unhex("3080")));
  CHECK_FALSE(name_to_text(unhex("3003020101")));
  CHECK_FALSE(name_to_text(unhex("300231ff")));
  CHECK_FALSE(name_to_text(unhex("300c310a300806035504030c01fc"))); // no UTF-8 in a UTF8String
}

TEST_CASE("foreign string types are printed as text or as hexadecimal", "[crypto][name]") {
  // BMPString, TeletexString, and a type that we have no name for
  CHECK(name_to_text(unhex("300f310d300b06035504031e0400410042")).value() == "CN=AB");
  CHECK(name_to_text(unhex("300c310a300806035504031401fc")).value() == "CN=\xc3\xbc");
  CHECK(name_to_text(unhex("300b3109300706022a030c0141")).value() == "1.2.3=#0C0141");
}
