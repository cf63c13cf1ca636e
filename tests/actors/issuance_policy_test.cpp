// The issuance policy: what is not named in it is refused, and so is all that only looks like it.
#include "actors/tasks/issuance_policy.hpp"

#include <string>
#include <vector>

#include "core/limits.hpp"
#include "tests/catch.hpp"

namespace {

using namespace pfx;
using actors::tasks::check_issuance;
using actors::tasks::issuance_policy;

constexpr const char* client_auth = "1.3.6.1.5.5.7.3.2";
constexpr const char* mail_protection = "1.3.6.1.5.5.7.3.4";
constexpr const char* smart_card_logon = "1.3.6.1.4.1.311.20.2.2";
constexpr const char* enrolment_agent = "1.3.6.1.4.1.311.20.2.1";
constexpr const char* any_purpose = "2.5.29.37.0";
constexpr const char* our_sid = "S-1-5-21-1004336348-1177238915-682003330-1105";
const std::string sid_tag = "tag:microsoft.com,2022-09-14:sid:";

issuance_policy usual_policy() {
  issuance_policy policy;
  policy.authorities = {{"Corp-CA", {"User", "Device"}}, {"Lab-CA", {"Test"}}};
  policy.name_types = {name_type::rfc822, name_type::upn, name_type::dns,
                       name_type::uri,    name_type::ip,  name_type::directory_name};
  policy.name_suffixes = {"example.test", ".below.test"};
  policy.ip_ranges = {"10.1.0.0/16", "192.0.2.7", "2001:db8:7::/48"};
  policy.directory_name_suffixes = {"OU=People,DC=example,DC=test"};
  policy.security_identifier_domains = {"S-1-5-21-1004336348-1177238915-682003330"};
  policy.extended_key_usages = {client_auth, mail_protection};
  return policy;
}

create_order usual_order() {
  create_order order;
  order.subject = "CN=Ada";
  order.key = key_algorithm::rsa2048;
  order.usages = static_cast<key_usages>(key_usage::digital_signature)
                 | static_cast<key_usages>(key_usage::key_encipherment);
  order.extended_usages = {client_auth};
  order.validity = {365, validity_unit::days};
  order.authority = "Corp-CA";
  order.certificate_template = "User";
  order.alternative_names = {{name_type::upn, "ada@example.test"}};
  return order;
}

/// "" if allowed, else the field that is refused.
std::string refused(const create_order& order, const issuance_policy& policy = usual_policy()) {
  const auto checked = check_issuance(order, policy);
  if (checked) {
    return "";
  }
  const bool expected_kind = checked.error().code == errc::policy
                             || checked.error().code == errc::bad_input
                             || checked.error().code == errc::too_large;
  return expected_kind && !checked.error().message.empty() ? checked.error().field : "wrong error";
}

const std::string value_field = "certificate.subjectAlternativeNames[0].value";

std::string refused_name(name_type type, std::string value,
                         const issuance_policy& policy = usual_policy()) {
  auto order = usual_order();
  order.alternative_names = {{type, std::move(value)}};
  return refused(order, policy);
}

std::string refused_usages(std::vector<std::string> usages, const issuance_policy& policy) {
  auto order = usual_order();
  order.extended_usages = std::move(usages);
  return refused(order, policy);
}

std::string refused_sid(std::string sid) {
  auto order = usual_order();
  order.security_identifier = std::move(sid);
  return refused(order);
}

} // namespace

TEST_CASE("an order within the policy is allowed", "[actors][policy]") {
  CHECK(refused(usual_order()).empty());
}

TEST_CASE("an empty policy allows nothing", "[actors][policy]") {
  CHECK(refused(usual_order(), issuance_policy{}) == "certificate.certificateAuthority");
  auto policy = usual_policy();
  policy.name_types.clear();
  CHECK(refused(usual_order(), policy) == "certificate.subjectAlternativeNames[0].type");
  policy = usual_policy();
  policy.name_suffixes.clear();
  CHECK(refused(usual_order(), policy) == value_field);
  policy = usual_policy();
  policy.extended_key_usages.clear();
  CHECK(refused(usual_order(), policy) == "certificate.extendedKeyUsages[0]");
}

TEST_CASE("authority and template are allowed as a pair", "[actors][policy]") {
  const auto with = [](std::string authority, std::string wanted) {
    auto order = usual_order();
    order.authority = std::move(authority);
    order.certificate_template = std::move(wanted);
    return refused(order);
  };
  CHECK(with("Lab-CA", "Test").empty());
  CHECK(with("Corp-CA", "Test") == "certificate.certificateTemplate");
  CHECK(with("Lab-CA", "User") == "certificate.certificateTemplate");
  CHECK(with("Corp-CA", "") == "certificate.certificateTemplate");
  CHECK(with("corp-ca", "User") == "certificate.certificateAuthority");
  CHECK(with("", "User") == "certificate.certificateAuthority");
  CHECK(with("Corp-CA\n", "User") == "certificate.certificateAuthority");
}

TEST_CASE("mail and principal names are judged by their domain", "[actors][policy]") {
  for (const auto type : {name_type::rfc822, name_type::upn}) {
    for (const auto* good : {"ada@example.test", "ada@EXAMPLE.Test", "ada@sales.example.test",
                             "a.b+c@x.below.test"}) {
      CAPTURE(good);
      CHECK(refused_name(type, good).empty());
    }
    for (const auto* bad :
         {"", "ada", "@example.test", "ada@", "ada@evil.test", "ada@notexample.test",
          "ada@example.test.evil.test", "ada@below.test", "ada@example.test.", "ada@.example.test",
          "ada@evil.test@example.test", "ada@example.test@evil.test", "ada@example.test\n",
          "ada@evil.test\n@example.test", "a\nda@example.test", "ada@example_.test",
          "ada@-.example.test",
          "ada@*.example.test", "ada@ example.test", "ada@xn--\xc3\xa4.example.test",
          "ada@evil.test\\.example.test"}) {
      CAPTURE(bad);
      CHECK(refused_name(type, bad) == value_field);
    }
  }
}

TEST_CASE("dns names are host names at or below an allowed one", "[actors][policy]") {
  const std::string label_63(63, 'a');
  for (const auto& good : std::vector<std::string>{"example.test", "pc-1.example.test",
                                                   "PC.Example.TEST", "a.below.test",
                                                   label_63 + ".example.test"}) {
    CAPTURE(good);
    CHECK(refused_name(name_type::dns, good).empty());
  }
  std::string long_name;
  while (long_name.size() < 250) {
    long_name += "a.";
  }
  for (const auto& bad : std::vector<std::string>{
         "", ".", "test", "evil.test", "notexample.test", "below.test", "*.example.test",
         "example.test.", ".example.test", "a..example.test", "a b.example.test",
         "a\n.example.test", "-a.example.test", "a-.example.test", "a_b.example.test",
         "192.0.2.7", "example.test/evil.test", std::string("evil.test\0.example.test", 23),
         label_63 + "a.example.test", long_name + "example.test"}) {
    CAPTURE(bad);
    CHECK(refused_name(name_type::dns, bad) == value_field);
  }
}

TEST_CASE("an address is no dns name, even below a suffix that looks like one",
          "[actors][policy]") {
  auto policy = usual_policy();
  policy.name_suffixes = {"2.7", "7"};
  CHECK(refused_name(name_type::dns, "192.0.2.7", policy) == value_field);
  CHECK(refused_name(name_type::uri, "https://192.0.2.7/", policy) == value_field);
}

TEST_CASE("a suffix that is no suffix allows nothing", "[actors][policy]") {
  auto policy = usual_policy();
  for (const auto* suffix : {"", ".", "..", "*.example.test", "*"}) {
    CAPTURE(suffix);
    policy.name_suffixes = {suffix};
    CHECK(refused_name(name_type::dns, "pc.example.test", policy) == value_field);
  }
}

TEST_CASE("uris are judged by their host", "[actors][policy]") {
  for (const auto* good : {"https://example.test", "https://pc.example.test/a?b#c",
                           "HTTPS://PC.EXAMPLE.TEST:8443/", "spiffe://example.test/x/evil.test",
                           "IMAP4+x.y-z://a.below.test"}) {
    CAPTURE(good);
    CHECK(refused_name(name_type::uri, good).empty());
  }
  for (const auto* bad :
       {"", "example.test", "//example.test/", "https:example.test", "https:/example.test",
        "https:///example.test", "https://", "https://evil.test", "https://evil.test/example.test",
        "https://evil.test#.example.test", "https://evil.test?.example.test",
        "https://evil.test\\.example.test", "https://example.test@evil.test",
        "https://evil.test@example.test", "https://example.test:80@evil.test",
        "https://evil.test:80.example.test", "https://evil.test:.example.test",
        "https://evil.test%2f.example.test", "https://[2001:db8:7::1]/", "https://10.1.0.1/",
        "1s://example.test", "h t://example.test", "mailto:ada@example.test", "urn:x:example.test",
        "https://example.test.evil.test/", "https://notexample.test/", "://example.test",
        "evil.test/x://example.test", "https://exa\x01mple.test"}) {
    CAPTURE(bad);
    CHECK(refused_name(name_type::uri, bad) == value_field);
  }
}

TEST_CASE("addresses lie in an allowed range", "[actors][policy]") {
  for (const auto* good : {"10.1.0.0", "10.1.255.255", "192.0.2.7", "2001:db8:7::1",
                           "2001:DB8:7:ffff:ffff:ffff:ffff:ffff"}) {
    CAPTURE(good);
    CHECK(refused_name(name_type::ip, good).empty());
  }
  for (const auto* bad : {"", "10.2.0.0", "10.0.255.255", "192.0.2.6", "192.0.2.8", "192.0.2.256",
                          "192.0.2", "010.1.0.1", "0x0a.1.0.1", "10.1.0.1/32", "10.1.0.1 ",
                          "2001:db8:8::1", "2001:db8:6:ffff::", "::ffff:10.1.0.1", "fe80::1%eth0",
                          "::1", "example.test"}) {
    CAPTURE(bad);
    CHECK(refused_name(name_type::ip, bad) == value_field);
  }
  const auto within = [](const char* range, const char* address) {
    auto policy = usual_policy();
    policy.ip_ranges = {range};
    return refused_name(name_type::ip, address, policy).empty();
  };
  CHECK(within("0.0.0.0/0", "203.0.113.9"));
  CHECK_FALSE(within("0.0.0.0/0", "2001:db8::1"));
  CHECK(within("::/0", "2001:db8::1"));
  CHECK_FALSE(within("::/0", "10.1.0.1"));
  CHECK(within("192.0.2.128/25", "192.0.2.200"));
  CHECK_FALSE(within("192.0.2.128/25", "192.0.2.127"));
  CHECK(within("192.0.2.7/32", "192.0.2.7"));
  for (const auto* malformed : {"10.1.0.0/33", "10.1.0.0/", "10.1.0.0/-1", "10.1.0.0/8x", "/8", "",
                                "10.1/16", "::/129"}) {
    CAPTURE(malformed);
    CHECK_FALSE(within(malformed, "10.1.0.0"));
    CHECK_FALSE(within(malformed, "::"));
  }
}

TEST_CASE("directory names lie at or below an allowed one", "[actors][policy]") {
  for (const auto* good : {"OU=People,DC=example,DC=test", "CN=Ada,OU=People,DC=example,DC=test",
                           "CN=Love\\, Ada+UID=7,OU=People,DC=example,DC=test"}) {
    CAPTURE(good);
    CHECK(refused_name(name_type::directory_name, good).empty());
  }
  for (const auto* bad :
       {"", "just words", "DC=example,DC=test", "CN=Ada,DC=example,DC=test",
        "CN=Ada,OU=Admins,DC=example,DC=test", "CN=Ada,OU=People,DC=example,DC=tes",
        "CN=Ada,OU=People,DC=example,DC=test,O=evil", "DC=test,DC=example,OU=People,CN=Ada",
        "CN=Ada\\,OU\\=People\\,DC\\=example\\,DC\\=test",
        "CN=Ada,OU=People+L=x,DC=example,DC=test",
        "CN=\"Ada,OU=People,DC=example,DC=test", "CN=Ada,OU=People,,DC=example,DC=test"}) {
    CAPTURE(bad);
    CHECK(refused_name(name_type::directory_name, bad) == value_field);
  }
  auto policy = usual_policy();
  for (const auto* suffix : {"", "words", " "}) {
    CAPTURE(suffix);
    policy.directory_name_suffixes = {suffix};
    CHECK(refused_name(name_type::directory_name, "CN=Ada,DC=test", policy) == value_field);
  }
}

TEST_CASE("a type of name that is not allowed is refused whatever its value", "[actors][policy]") {
  auto policy = usual_policy();
  policy.name_types = {name_type::upn};
  const std::string field = "certificate.subjectAlternativeNames[0].type";
  CHECK(refused_name(name_type::rfc822, "ada@example.test", policy) == field);
  CHECK(refused_name(name_type::dns, "pc.example.test", policy) == field);
  CHECK(refused_name(name_type::uri, "https://example.test", policy) == field);
  CHECK(refused_name(name_type::ip, "10.1.0.1", policy) == field);
  auto order = usual_order();
  order.security_identifier = our_sid;
  order.alternative_names = {{name_type::uri, sid_tag + our_sid}};
  CHECK(refused(order, policy) == field);
}

TEST_CASE("every name is judged, and the bad one is named", "[actors][policy]") {
  auto order = usual_order();
  order.alternative_names = {{name_type::upn, "ada@example.test"},
                             {name_type::dns, "pc.example.test"},
                             {name_type::upn, "root@evil.test"}};
  CHECK(refused(order) == "certificate.subjectAlternativeNames[2].value");
  order.alternative_names.assign(limits::alternative_names_max + 1,
                                 {name_type::upn, "ada@example.test"});
  CHECK(refused(order) == "certificate.subjectAlternativeNames");
  order.alternative_names.clear();
  CHECK(refused(order).empty());
}

TEST_CASE("a SID is of exactly an allowed domain and of nobody well-known", "[actors][policy]") {
  const std::string domain = "S-1-5-21-1004336348-1177238915-682003330";
  CHECK(refused_sid("").empty());
  CHECK(refused_sid(our_sid).empty());
  CHECK(refused_sid(domain + "-1000").empty());
  CHECK(refused_sid(domain + "-4294967295").empty());
  for (const auto& bad : std::vector<std::string>{
         domain, domain + "-999", domain + "-500", domain + "-512", domain + "-0", domain + "-",
         domain + "-01105", domain + "-00000500", domain + "-+1105", domain + "--1105",
         domain + "-1105 ", " " + domain + "-1105", domain + "-1105\n", domain + "-1105-1105",
         domain + "-4294967296", domain + "-42949672960500", domain + "-1105x", domain + "-0x451",
         "s" + domain.substr(1) + "-1105", "S-1-5-21-1-2-3-1105", "S-1-5-21-1004336348-1105",
         "S-1-5-32-1105", "S-1-1-0", "S-1-5-18", "S-1", "S-1-", "S-1-five-21", "1105",
         "S-2" + domain.substr(3) + "-1105", "S-1-5-21" + std::string(20 * 2, '-') + "1105"}) {
    CAPTURE(bad);
    CHECK(refused_sid(bad) == "certificate.securityIdentifier");
  }
}

TEST_CASE("a SID in a uri is that of the order", "[actors][policy]") {
  const auto with = [](std::string sid, std::string uri) {
    auto order = usual_order();
    order.security_identifier = std::move(sid);
    order.alternative_names = {{name_type::uri, std::move(uri)}};
    return refused(order);
  };
  const std::string other = "S-1-5-21-1004336348-1177238915-682003330-500";
  CHECK(with(our_sid, sid_tag + our_sid).empty());
  CHECK(with(our_sid, sid_tag + other) == value_field);
  CHECK(with("", sid_tag + our_sid) == value_field);
  CHECK(with("", sid_tag) == value_field);
  CHECK(with(our_sid, sid_tag) == value_field);
  CHECK(with(our_sid, sid_tag + our_sid + "0") == value_field);
  CHECK(with(our_sid, sid_tag + our_sid + "://example.test") == value_field);
  CHECK(with(our_sid, "TAG:microsoft.com,2022-09-14:SID:" + other) == value_field);
  CHECK(with(our_sid, "tag:microsoft.com,2023-01-01:sid:" + other) == value_field);
  CHECK(with(our_sid, "tag:example.test,2022-09-14:x") == value_field);
  CHECK(with(other, sid_tag + other) == "certificate.securityIdentifier");
}

TEST_CASE("a purpose must be named, and every purpose never is", "[actors][policy]") {
  auto policy = usual_policy();
  const std::string field = "certificate.extendedKeyUsages";
  CHECK(refused_usages({client_auth, mail_protection}, policy).empty());
  CHECK(refused_usages({}, policy) == field);
  CHECK(refused_usages({client_auth, "1.3.6.1.5.5.7.3.1"}, policy) == field + "[1]");
  CHECK(refused_usages({smart_card_logon}, policy) == field + "[0]");
  CHECK(refused_usages({enrolment_agent}, policy) == field + "[0]");
  CHECK(refused_usages({""}, policy) == field + "[0]");
  CHECK(refused_usages({"1.3.6.1.5.5.7.3.02"}, policy) == field + "[0]");
  CHECK(refused_usages({" 1.3.6.1.5.5.7.3.2"}, policy) == field + "[0]");
  CHECK(refused_usages(std::vector<std::string>(limits::extended_key_usages_max + 1, client_auth),
                       policy)
        == field);
  policy.extended_key_usages = {smart_card_logon, enrolment_agent, any_purpose, ""};
  CHECK(refused_usages({smart_card_logon, enrolment_agent}, policy).empty());
  CHECK(refused_usages({any_purpose}, policy) == field + "[0]");
  CHECK(refused_usages({smart_card_logon, any_purpose}, policy) == field + "[1]");
  CHECK(refused_usages({""}, policy) == field + "[0]");
}

TEST_CASE("key usages of a CA are never certified, encipherment only for RSA", "[actors][policy]") {
  const auto with = [](key_algorithm key, key_usage usage) {
    auto order = usual_order();
    order.key = key;
    order.usages = static_cast<key_usages>(usage);
    return refused(order);
  };
  for (const auto key : {key_algorithm::rsa2048, key_algorithm::ec_p256}) {
    CHECK(with(key, key_usage::digital_signature).empty());
    CHECK(with(key, key_usage::key_cert_sign) == "certificate.keyUsages");
    CHECK(with(key, key_usage::crl_sign) == "certificate.keyUsages");
  }
  CHECK(with(key_algorithm::rsa4096, key_usage::key_encipherment).empty());
  for (const auto key : {key_algorithm::ec_p256, key_algorithm::ec_p384, key_algorithm::ec_p521}) {
    CHECK(with(key, key_usage::key_agreement).empty());
    CHECK(with(key, key_usage::key_encipherment) == "certificate.keyUsages");
    CHECK(with(key, key_usage::data_encipherment) == "certificate.keyUsages");
  }
}

TEST_CASE("key algorithms are those named, or all if none is", "[actors][policy]") {
  auto order = usual_order();
  order.usages = static_cast<key_usages>(key_usage::digital_signature);
  auto policy = usual_policy();
  order.key = key_algorithm::ec_p521;
  CHECK(refused(order, policy).empty());
  policy.key_algorithms = {key_algorithm::rsa3072, key_algorithm::ec_p256};
  CHECK(refused(order, policy) == "certificate.keyAlgorithm");
  order.key = key_algorithm::rsa3072;
  CHECK(refused(order, policy).empty());
}

TEST_CASE("a validity is reckoned at the longest it can be", "[actors][policy]") {
  const auto with = [](std::uint32_t value, validity_unit unit, std::int64_t days_max = 397) {
    auto order = usual_order();
    order.validity = {value, unit};
    auto policy = usual_policy();
    policy.validity_days_max = days_max;
    return refused(order, policy);
  };
  CHECK(with(397, validity_unit::days).empty());
  CHECK(with(398, validity_unit::days) == "certificate.validity");
  CHECK(with(12, validity_unit::months).empty());
  CHECK(with(13, validity_unit::months) == "certificate.validity");
  CHECK(with(1, validity_unit::years).empty());
  CHECK(with(1, validity_unit::years, 365) == "certificate.validity");
  CHECK(with(2, validity_unit::years) == "certificate.validity");
  CHECK(with(0, validity_unit::days) == "certificate.validity");
  CHECK(with(0xffffffffU, validity_unit::years) == "certificate.validity");
  CHECK(with(0xffffffffU, validity_unit::months) == "certificate.validity");
  CHECK(with(1, static_cast<validity_unit>(9)) == "certificate.validity");
}
