// SCEP calls: what Microsoft's own tests assert of its validator, and what they do not.
#include "tests/catch.hpp"

#include <nlohmann/json.hpp>

#include "connect/intune/codec.hpp"
#include "connect/intune/text.hpp"
#include "crypto/digest.hpp"
#include "tests/connect/intune_support.hpp"

using namespace pfx;
using namespace pfx::test;
using nlohmann::json;

namespace {

struct office {
  office() : over(open(where.settings())) {}
  intune::scep_service& scep() { return over->scep(); }
  [[nodiscard]] json sent() const { return json::parse(where.last(door::service).body); }
  [[nodiscard]] std::string suffix() const {
    const auto target = where.last(door::service).target;
    return target.substr(target.rfind('/') + 1);
  }

  tenant where;
  std::unique_ptr<intune::connection> over;
};

const bytes csr = {0x30, 0x03, 0xfb, 0xff, 0xfe};
const intune::scep_request request{"tx-1", csr};

intune::scep_success success() {
  return {request,
          "0123456789ABCDEF0123456789abcdef01234567",
          "0A1B2C",
          1'793'534'400'000,
          "CN=B\xc3\xbcro CA",
          "ca-1",
          "ca.example\\CA"};
}

intune::scep_failure failure_notice() {
  return {request, static_cast<std::int32_t>(0x80070002), "the CA does not answer"};
}

} // namespace

TEST_CASE("a request is validated in the published form", "[intune][scep]") {
  office at;
  auto verdict = at.scep().validate(request);
  REQUIRE(verdict.has_value());
  CHECK(verdict->accepted());
  CHECK(verdict->code == intune::scep_code::success);
  CHECK(verdict->request_id == at.where.last(door::service).headers.at("client-request-id"));
  CHECK(at.suffix() == "validateRequest");
  CHECK(at.sent()
        == json({{"request",
                  {{"transactionId", "tx-1"},
                   {"certificateRequest", "MAP7//4="}, // base64, not base64url
                   {"callerInfo", "pfxengine 0.1.0"}}}}));
}

TEST_CASE("a success is notified with all its fields, in UTF-8", "[intune][scep]") {
  office at;
  REQUIRE(at.scep().notify_success(success())->accepted());
  CHECK(at.suffix() == "successNotification");
  CHECK(at.sent()
        == json({{"notification",
                  {{"transactionId", "tx-1"},
                   {"certificateRequest", "MAP7//4="},
                   {"certificateThumbprint", "0123456789ABCDEF0123456789abcdef01234567"},
                   {"certificateSerialNumber", "0A1B2C"},
                   {"certificateExpirationDateUtc", "2026-11-01T12:00:00.000Z"},
                   {"issuingCertificateAuthority", "CN=B\xc3\xbcro CA"},
                   {"callerInfo", "pfxengine 0.1.0"},
                   {"caConfiguration", "ca-1"},
                   {"certificateAuthority", "ca.example\\CA"}}}}));
  CHECK(at.where.last(door::service).body.find("B\xc3\xbcro") != std::string::npos);
}

TEST_CASE("a failure is notified with its HRESULT as a number of 32 bits", "[intune][scep]") {
  office at;
  REQUIRE(at.scep().notify_failure(failure_notice())->accepted());
  CHECK(at.suffix() == "failureNotification");
  const auto fields = at.sent().at("notification");
  CHECK(fields.size() == 5);
  CHECK(fields.at("hResult").is_number_integer());
  CHECK(fields.at("hResult") == -2'147'024'894);
  CHECK(fields.at("errorDescription") == "the CA does not answer");
  CHECK(fields.at("callerInfo") == "pfxengine 0.1.0");
}

TEST_CASE("a rejection comes with HTTP 200 and is no acceptance, of any of the calls",
          "[intune][scep]") {
  office at;
  at.where.answer(door::service, 200,
                  R"({"code":"ChallengeDecryptionError","errorDescription":"cannot be read"})");
  for (const auto& verdict : {at.scep().validate(request), at.scep().notify_success(success()),
                              at.scep().notify_failure(failure_notice())}) {
    REQUIRE(verdict.has_value());
    CHECK_FALSE(verdict->accepted());
    CHECK(verdict->code == intune::scep_code::challenge_decryption_error);
    CHECK(verdict->code_text == "ChallengeDecryptionError");
    CHECK(verdict->description == "cannot be read");
  }
  CHECK(at.where.count(door::graph) == 1); // a rejection is an answer: the address stays known
}

TEST_CASE("every published rejection surfaces under its own name", "[intune][scep]") {
  office at;
  for (int i = 0; i <= static_cast<int>(intune::scep_code::bad_user_id_in_challenge); ++i) {
    const auto code = static_cast<intune::scep_code>(i);
    const auto word = std::string(intune::name_of(code));
    CAPTURE(word);
    at.where.answer(door::service, 200, R"({"code":")" + word + R"(","errorDescription":null})");
    const auto verdict = at.scep().validate(request);
    REQUIRE(verdict.has_value());
    CHECK(verdict->code == code);
    CHECK(verdict->code_text == word);
    CHECK(verdict->accepted() == (code == intune::scep_code::success));
  }
}

TEST_CASE("all published result codes are known, and no others", "[intune][scep]") {
  for (int i = 0; i <= static_cast<int>(intune::scep_code::bad_user_id_in_challenge); ++i) {
    const auto code = static_cast<intune::scep_code>(i);
    CHECK(intune::scep_code_of(intune::name_of(code)) == code);
  }
  CHECK(intune::name_of(intune::scep_code::bad_user_id_in_challenge) == "BadUserIdInChallenge");
  CHECK(intune::name_of(intune::scep_code::challenge_expired) == "ChallengeExpired");
  CHECK(intune::name_of(intune::scep_code::signature_validation_failed)
        == "SignatureValidationFailed");
  CHECK(intune::name_of(static_cast<intune::scep_code>(200)) == "Unknown");
  for (const char* text : {"", "success", "SUCCESS", "Success ", "1", "0", "SomethingNew"})
    CHECK(intune::scep_code_of(text) == intune::scep_code::unknown);
}

TEST_CASE("a code that came later is kept as text, and accepts nothing", "[intune][scep]") {
  office at;
  at.where.answer(door::service, 200, R"({"code":"DeviceIsOnFire","errorDescription":null})");
  auto verdict = at.scep().validate(request);
  REQUIRE(verdict.has_value());
  CHECK_FALSE(verdict->accepted());
  CHECK(verdict->code == intune::scep_code::unknown);
  CHECK(verdict->code_text == "DeviceIsOnFire");
  CHECK(verdict->description.empty());
}

TEST_CASE("a description may be missing, null or of another kind", "[intune][scep]") {
  office at;
  for (const char* body : {R"({"code":"Success"})", R"({"code":"Success","errorDescription":null})",
                           R"({"code":"Success","errorDescription":7})"}) {
    CAPTURE(body);
    at.where.answer(door::service, 200, body);
    CHECK(at.scep().validate(request)->accepted());
  }
}

TEST_CASE("an answer without a code is an error, never a yes", "[intune][scep]") {
  office at;
  for (const char* body : {"{}", R"({"code":null})", R"({"code":""})", R"({"code":1})",
                           R"({"code":true})", R"({"code":["Success"]})", R"({"Code":"Success"})",
                           R"({"value":true})", R"({"code":"ChallengeExpired","code":"Success"})",
                           R"({"code":"Success")", R"({"errorDescription":"Success"})"}) {
    CAPTURE(body);
    at.where.answer(door::service, 200, body);
    auto verdict = at.scep().validate(request);
    REQUIRE_FALSE(verdict.has_value());
    CHECK(verdict.error().what.code == errc::bad_input);
    CHECK_FALSE(verdict.error().request_id.empty());
  }
}

TEST_CASE("a server that fails accepts nothing and is asked once", "[intune][scep]") {
  office at;
  at.where.answer(door::service, 500, R"({"code":"Success"})");
  auto verdict = at.scep().notify_success(success());
  REQUIRE_FALSE(verdict.has_value());
  CHECK(verdict.error().what.code == errc::unknown_outcome);
  CHECK(at.where.count(door::service) == 1);
  at.where.answer(door::service, [](const server_request&) {
    server_response out{200, {}, R"({"code":"Success"})"};
    out.how.cut_at = 5;
    return out;
  });
  CHECK(at.scep().notify_success(success()).error().what.code == errc::unknown_outcome);
}

TEST_CASE("each field is looked at before anything is sent", "[intune][scep]") {
  office at;
  auto validate
    = [&](intune::scep_request order) { return at.scep().validate(order).error().what.field; };
  CHECK(validate({"", csr}) == "transactionId");
  CHECK(validate({" \t\n", csr}) == "transactionId");
  CHECK(validate({std::string(1'025, 'x'), csr}) == "transactionId");
  CHECK(validate({"\xff", csr}) == "transactionId");
  CHECK(validate({"tx", {}}) == "certificateRequest");
  CHECK(validate({"tx", bytes(65'537)}) == "certificateRequest");

  auto wrong = [&](auto change) {
    auto notice = success();
    change(notice);
    return at.scep().notify_success(notice).error().what.field;
  };
  using notice_type = intune::scep_success;
  CHECK(wrong([](notice_type& n) { n.request.transaction_id = " "; }) == "transactionId");
  CHECK(wrong([](notice_type& n) { n.request.certificate_request.clear(); })
        == "certificateRequest");
  for (const char* thumbprint : {"", "0123", "zz23456789ABCDEF0123456789abcdef01234567", "01:23:45",
                                 "0123456789ABCDEF0123456789abcdef0123456789"})
    CHECK(wrong([&](notice_type& n) { n.thumbprint = thumbprint; }) == "certificateThumbprint");
  CHECK(wrong([](notice_type& n) { n.serial_number = " "; }) == "certificateSerialNumber");
  CHECK(wrong([](notice_type& n) { n.expires = 0; }) == "certificateExpirationDateUtc");
  CHECK(wrong([](notice_type& n) { n.issuing_authority = ""; }) == "issuingCertificateAuthority");
  CHECK(wrong([](notice_type& n) { n.ca_configuration = std::string(1'025, 'x'); })
        == "caConfiguration");
  CHECK(wrong([](notice_type& n) { n.certificate_authority = "\xc3"; }) == "certificateAuthority");

  auto bad = [&](std::int32_t hresult, const std::string& text) {
    return at.scep().notify_failure({request, hresult, text}).error().what.field;
  };
  CHECK(bad(0, "text") == "hResult");
  CHECK(bad(-1, "") == "errorDescription");
  CHECK(bad(-1, "  ") == "errorDescription");
  CHECK(bad(-1, std::string(256, 'x')) == "errorDescription");
  CHECK(bad(-1, "\x80") == "errorDescription");
  CHECK(at.where.count(door::sign_in) == 0);
}

TEST_CASE("what may be empty may be empty, and what fits just fits", "[intune][scep]") {
  office at;
  auto notice = success();
  notice.ca_configuration.clear();
  notice.certificate_authority.clear();
  CHECK(at.scep().notify_success(notice)->accepted());
  CHECK(at.sent().at("notification").at("caConfiguration") == "");
  std::string longest;
  for (int i = 0; i < 127; ++i)
    longest += "\xf0\x9f\x94\x91"; // two UTF-16 units each
  CHECK(at.scep().notify_failure({request, -1, longest + "x"})->accepted());
  CHECK(at.scep().notify_failure({request, -1, longest + "xy"}).error().what.field
        == "errorDescription");
}

TEST_CASE("texts are measured and shortened between characters", "[intune][text]") {
  CHECK(intune::utf16_units("") == 0);
  CHECK(intune::utf16_units("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91") == 5);
  for (const char* bad : {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "a\xffz", "\xf0\x9f\x94"})
    CHECK_FALSE(intune::utf16_units(bad).has_value());
  CHECK(intune::shortened("a\xc3\xa4\xf0\x9f\x94\x91z", 3) == "a\xc3\xa4");
  CHECK(intune::shortened("a\xc3\xa4\xf0\x9f\x94\x91z", 4) == "a\xc3\xa4\xf0\x9f\x94\x91");
  CHECK(intune::shortened("a\xff\xfez", 9) == "az");
  CHECK(intune::blank(" \t\r\n"));
  CHECK_FALSE(intune::blank(" x"));
}

TEST_CASE("an expiry always has its milliseconds", "[intune][scep]") {
  CHECK(intune::scep_time(1'793'534'400'000) == "2026-11-01T12:00:00.000Z");
  CHECK(intune::scep_time(1'793'534'400'250) == "2026-11-01T12:00:00.250Z");
}
