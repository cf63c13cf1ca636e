// The validation of SCEP requests by the sandbox's tenant: challenges, codes and notifications.
#include "connect/ca/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/name.hpp"
#include "tests/sandbox/tenant_support.hpp"

using namespace pfx;
using namespace pfx::sandbox;
using namespace pfx::test;
using nlohmann::json;
namespace der = pfx::connect::ca::der;

namespace {

constexpr const char* version = "2018-02-20";

const crypto::private_key& own_key() {
  static const auto made = good(crypto::private_key::generate(key_algorithm::rsa2048));
  return made;
}

bytes joined(std::initializer_list<bytes> pieces) {
  bytes out;
  for (const auto& one : pieces) {
    out.insert(out.end(), one.begin(), one.end());
  }
  return out;
}

bytes challenge_attribute(const std::string& password) {
  const bytes oid = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x07};
  const auto value = der::wrap(0x31, der::wrap(0x0c, as_bytes(password)));
  return der::wrap(0x30, joined({oid, value}));
}

} // namespace

TEST_CASE("a request without its challenge, or none at all, is told apart", "[tenant][scep]") {
  bare_tenant at;
  crypto::csr_options names;
  names.subject = "CN=Device 1";
  const auto plain = crypto::to_base64(good(crypto::build_csr(own_key(), names)));
  const auto validate = [&](const std::string& request) {
    const auto got = at.call(
      scep_validate_call,
      {{"request",
        {{"transactionId", "t"}, {"certificateRequest", request}, {"callerInfo", "tests 1.0"}}}},
      version);
    REQUIRE(got.status == 200);
    return json::parse(got.body).at("code").get<std::string>();
  };
  CHECK(validate(plain) == "ChallengePasswordMissing");
  CHECK(validate("AAAA") == "CertificateRequestDecodingFailed");
  CHECK(validate("?") == "CertificateRequestDecodingFailed");
}

TEST_CASE("the challenge of a request is read out of its attributes", "[tenant][scep]") {
  const bytes number = {0x02, 0x01, 0x00};
  const bytes empty = {0x30, 0x00};
  const auto info = [&](const bytes& attributes) {
    return der::wrap(0x30,
                     der::wrap(0x30, joined({number, empty, empty, der::wrap(0xa0, attributes)})));
  };
  CHECK(challenge_of(info(challenge_attribute("word"))) == "word");
  CHECK(challenge_of(info({})).empty());
  CHECK(challenge_of(info(joined({empty, challenge_attribute("behind")}))) == "behind");
  for (const auto& bad : {bytes{}, bytes{0x30}, bytes{0x30, 0x80}, info({0x30}), empty}) {
    CHECK(challenge_of(bad).empty());
  }
}

TEST_CASE("a field that is missing is a 400, whatever the call", "[tenant][scep]") {
  bare_tenant at;
  const json success = {{"transactionId", "t"},
                        {"certificateRequest", "AAAA"},
                        {"certificateThumbprint", std::string(40, 'A')},
                        {"certificateSerialNumber", "5e"},
                        {"certificateExpirationDateUtc", "2027-01-01T00:00:00.000Z"},
                        {"issuingCertificateAuthority", "CN=CA"},
                        {"callerInfo", "tests"},
                        {"caConfiguration", ""},
                        {"certificateAuthority", ""}};
  const json failure = {{"transactionId", "t"},
                        {"certificateRequest", "AAAA"},
                        {"hResult", -2147024894},
                        {"errorDescription", "no"},
                        {"callerInfo", "tests"}};
  const json request
    = {{"transactionId", "t"}, {"certificateRequest", "AAAA"}, {"callerInfo", "tests"}};
  const auto each_missing = [&](const char* call, const char* outer, const json& whole,
                                const std::set<std::string>& optional) {
    for (const auto& [name, value] : whole.items()) {
      CAPTURE(call, name);
      auto without = whole;
      without.erase(name);
      auto blank = whole;
      blank[name] = " ";
      const int wanted = optional.contains(name) ? 200 : 400;
      CHECK(at.call(call, {{outer, without}}, version).status == wanted);
      CHECK(at.call(call, {{outer, blank}}, version).status == wanted);
    }
    CHECK(at.call(call, {{outer, whole}}, version).status == 200);
    CHECK(at.call(call, {{outer, whole}}, "2018-02-21").status == 400);
    CHECK(at.call(call, {{"other", whole}}, version).status == 400);
  };
  each_missing(scep_validate_call, "request", request, {});
  each_missing(scep_success_call, "notification", success,
               {"caConfiguration", "certificateAuthority"});
  each_missing(scep_failure_call, "notification", failure, {});
  auto wide = failure;
  wide["hResult"] = 4'294'967'296;
  CHECK(at.call(scep_failure_call, {{"notification", wide}}, version).status == 400);
}

TEST_CASE("a request is validated against the challenge that was made for it", "[tenant][scep]") {
  const unix_ms now = system_clock().wall();
  const auto with = [](scep_challenge one) {
    return [one](tenant_options& options) { options.scep.challenges = {one}; };
  };
  const scep_challenge right{"c2FuZGJveC1jaGFsbGVuZ2U=", "CN=Device 1,O=Example Test", now + 60'000,
                             2048};
  const auto validate = [](bare_tenant& at, const std::string& file) {
    const auto octets = text_of(std::string(PFX_TEST_DATA) + "/scep-requests/" + file + ".der");
    const auto got = at.call(scep_validate_call,
                             {{"request",
                               {{"transactionId", "t"},
                                {"certificateRequest", crypto::to_base64(as_bytes(octets))},
                                {"callerInfo", "tests 1.0"}}}},
                             version);
    REQUIRE(got.status == 200);
    return json::parse(got.body).at("code").get<std::string>();
  };
  bare_tenant at(with(right));
  CHECK(validate(at, "good") == "Success");
  CHECK(validate(at, "good") == "Success");
  CHECK(validate(at, "ec-key") == "KeyLengthMismatch");
  CHECK(validate(at, "other-subject") == "SubjectNameMismatch");
  CHECK(validate(at, "unknown-challenge") == "ChallengeDecryptionError");
  CHECK(validate(at, "no-base64") == "ChallengeDecodingError");
  CHECK(validate(at, "wish") == "ScepProfileNoLongerTargetedToTheClient");
  auto changed = right;
  changed.expires = now;
  bare_tenant late(with(changed));
  CHECK(validate(late, "good") == "ChallengeExpired");
  changed = right;
  changed.key_bits_min = 4096;
  bare_tenant strict(with(changed));
  CHECK(validate(strict, "good") == "KeyLengthMismatch");
  CHECK(at.journal_has("\"code\":\"SubjectNameMismatch\""));
  CHECK_FALSE(at.journal_has(right.password));
}

TEST_CASE("an end is told of what was validated, and only one", "[tenant][scep]") {
  bare_tenant at([](tenant_options& options) {
    options.scep.challenges = {{"c2FuZGJveC1jaGFsbGVuZ2U=", "CN=Device 1,O=Example Test",
                                system_clock().wall() + 60'000, 2048}};
  });
  const auto request
    = crypto::to_base64(as_bytes(text_of(std::string(PFX_TEST_DATA) + "/scep-requests/good.der")));
  const auto code = [](const server_response& got) {
    REQUIRE(got.status == 200);
    return json::parse(got.body).at("code").get<std::string>();
  };
  const auto success = [&](const std::string& id) {
    return code(at.call(scep_success_call,
                        {{"notification",
                          {{"transactionId", id},
                           {"certificateRequest", request},
                           {"certificateThumbprint", std::string(40, 'a')},
                           {"certificateSerialNumber", "5e"},
                           {"certificateExpirationDateUtc", "2027-01-01T00:00:00.000Z"},
                           {"issuingCertificateAuthority", "CN=CA"},
                           {"callerInfo", "tests"}}}},
                        version));
  };
  const auto failed = [&](const std::string& id) {
    return code(at.call(scep_failure_call,
                        {{"notification",
                          {{"transactionId", id},
                           {"certificateRequest", request},
                           {"hResult", -2147024894},
                           {"errorDescription", "no"},
                           {"callerInfo", "tests"}}}},
                        version));
  };
  CHECK(success("t") == "Unknown"); // nobody asked
  CHECK(failed("early") == "Success");
  REQUIRE(code(at.call(
            scep_validate_call,
            {{"request",
              {{"transactionId", "t"}, {"certificateRequest", request}, {"callerInfo", "tests"}}}},
            version))
          == "Success");
  CHECK(success("another") == "Unknown");
  CHECK(success("t") == "Success");
  CHECK(success("t") == "Success"); // its answer may have been lost
  CHECK(failed("t") == "Unknown");
  CHECK(at.journal_has("successNotification"));
}
