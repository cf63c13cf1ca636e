// The issuance policy: what is not named in it is refused, and so is all that only looks like it.
#include "tests/actors/policy_support.hpp"
#include "tests/catch.hpp"

using namespace pfx;
using namespace pfx::policy_test;
using actors::tasks::check_issuance;
using actors::tasks::issuance_policy;

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
    for (const auto* good :
         {"ada@example.test", "ada@EXAMPLE.Test", "ada@sales.example.test", "a.b+c@x.below.test"}) {
      CAPTURE(good);
      CHECK(refused_name(type, good).empty());
    }
    for (const auto* bad : {"",
                            "ada",
                            "@example.test",
                            "ada@",
                            "ada@evil.test",
                            "ada@notexample.test",
                            "ada@example.test.evil.test",
                            "ada@below.test",
                            "ada@example.test.",
                            "ada@.example.test",
                            "ada@evil.test@example.test",
                            "ada@example.test@evil.test",
                            "ada@example.test\n",
                            "ada@evil.test\n@example.test",
                            "a\nda@example.test",
                            "ada@example_.test",
                            "ada@-.example.test",
                            "ada@*.example.test",
                            "ada@ example.test",
                            "ada@xn--\xc3\xa4.example.test",
                            "ada@evil.test\\.example.test"}) {
      CAPTURE(bad);
      CHECK(refused_name(type, bad) == value_field);
    }
  }
}

TEST_CASE("dns names are host names at or below an allowed one", "[actors][policy]") {
  const std::string label_63(63, 'a');
  for (const auto& good :
       std::vector<std::string>{"example.test", "pc-1.example.test", "PC.Example.TEST",
                                "a.below.test", label_63 + ".example.test"}) {
    CAPTURE(good);
    CHECK(refused_name(name_type::dns, good).empty());
  }
  std::string long_name;
  while (long_name.size() < 250) {
    long_name += "a.";
  }
  for (const auto& bad : std::vector<std::string>{"",
                                                  ".",
                                                  "test",
                                                  "evil.test",
                                                  "notexample.test",
                                                  "below.test",
                                                  "*.example.test",
                                                  "example.test.",
                                                  ".example.test",
                                                  "a..example.test",
                                                  "a b.example.test",
                                                  "a\n.example.test",
                                                  "-a.example.test",
                                                  "a-.example.test",
                                                  "a_b.example.test",
                                                  "192.0.2.7",
                                                  "example.test/evil.test",
                                                  std::string("evil.test\0.example.test", 23),
                                                  label_63 + "a.example.test",
                                                  long_name + "example.test"}) {
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
  for (const auto* good :
       {"https://example.test", "https://pc.example.test/a?b#c", "HTTPS://PC.EXAMPLE.TEST:8443/",
        "spiffe://example.test/x/evil.test", "IMAP4+x.y-z://a.below.test"}) {
    CAPTURE(good);
    CHECK(refused_name(name_type::uri, good).empty());
  }
  for (const auto* bad : {"",
                          "example.test",
                          "//example.test/",
                          "https:example.test",
                          "https:/example.test",
                          "https:///example.test",
                          "https://",
                          "https://evil.test",
                          "https://evil.test/example.test",
                          "https://evil.test#.example.test",
                          "https://evil.test?.example.test",
                          "https://evil.test\\.example.test",
                          "https://example.test@evil.test",
                          "https://evil.test@example.test",
                          "https://example.test:80@evil.test",
                          "https://evil.test:80.example.test",
                          "https://evil.test:.example.test",
                          "https://evil.test%2f.example.test",
                          "https://[2001:db8:7::1]/",
                          "https://10.1.0.1/",
                          "1s://example.test",
                          "h t://example.test",
                          "mailto:ada@example.test",
                          "urn:x:example.test",
                          "https://example.test.evil.test/",
                          "https://notexample.test/",
                          "://example.test",
                          "evil.test/x://example.test",
                          "https://exa\x01mple.test"}) {
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
  for (const auto* bad :
       {"", "10.2.0.0", "10.0.255.255", "192.0.2.6", "192.0.2.8", "192.0.2.256", "192.0.2",
        "010.1.0.1", "0x0a.1.0.1", "10.1.0.1/32", "10.1.0.1 ", "2001:db8:8::1",
        "2001:db8:6:ffff::", "::ffff:10.1.0.1", "fe80::1%eth0", "::1", "example.test"}) {
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
  for (const auto* malformed :
       {"10.1.0.0/33", "10.1.0.0/", "10.1.0.0/-1", "10.1.0.0/8x", "/8", "", "10.1/16", "::/129"}) {
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
        "CN=Ada,OU=People+L=x,DC=example,DC=test", "CN=\"Ada,OU=People,DC=example,DC=test",
        "CN=Ada,OU=People,,DC=example,DC=test"}) {
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
