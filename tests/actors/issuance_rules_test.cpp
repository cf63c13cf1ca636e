// The issuance policy beyond names: SIDs, purposes, key usages, keys and validities.
#include "tests/actors/policy_support.hpp"
#include "tests/catch.hpp"

using namespace pfx;
using namespace pfx::policy_test;
using actors::tasks::check_issuance;
using actors::tasks::issuance_policy;

TEST_CASE("a SID is of exactly an allowed domain and of nobody well-known", "[actors][policy]") {
  const std::string domain = "S-1-5-21-1004336348-1177238915-682003330";
  CHECK(refused_sid("").empty());
  CHECK(refused_sid(our_sid).empty());
  CHECK(refused_sid(domain + "-1000").empty());
  CHECK(refused_sid(domain + "-4294967295").empty());
  for (const auto& bad : std::vector<std::string>{domain,
                                                  domain + "-999",
                                                  domain + "-500",
                                                  domain + "-512",
                                                  domain + "-0",
                                                  domain + "-",
                                                  domain + "-01105",
                                                  domain + "-00000500",
                                                  domain + "-+1105",
                                                  domain + "--1105",
                                                  domain + "-1105 ",
                                                  " " + domain + "-1105",
                                                  domain + "-1105\n",
                                                  domain + "-1105-1105",
                                                  domain + "-4294967296",
                                                  domain + "-42949672960500",
                                                  domain + "-1105x",
                                                  domain + "-0x451",
                                                  "s" + domain.substr(1) + "-1105",
                                                  "S-1-5-21-1-2-3-1105",
                                                  "S-1-5-21-1004336348-1105",
                                                  "S-1-5-32-1105",
                                                  "S-1-1-0",
                                                  "S-1-5-18",
                                                  "S-1",
                                                  "S-1-",
                                                  "S-1-five-21",
                                                  "1105",
                                                  "S-2" + domain.substr(3) + "-1105",
                                                  "S-1-5-21" + std::string(20 * 2, '-') + "1105"}) {
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
