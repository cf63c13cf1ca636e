// The revocation queue: what Microsoft's own tests assert of its client, and what they do not.
#include "tests/catch.hpp"

#include <nlohmann/json.hpp>

#include "connect/intune/codec.hpp"
#include "tests/connect/intune_support.hpp"

using namespace pfx;
using namespace pfx::test;
using intune::revocation_result;
using nlohmann::json;

namespace {

struct office {
  office() : over(open(where.settings())) {}
  intune::revocation_service& queue() { return over->revocations(); }
  intune::call_error download_fails(const std::string& body) {
    where.answer(door::service, 200, body);
    auto got = queue().download("tx-1", 100, {});
    REQUIRE_FALSE(got.has_value());
    return got.error();
  }
  intune::call_error upload_fails(const std::string& body) {
    where.answer(door::service, 200, body);
    auto got = queue().upload("tx-1", {{"ctx", true, service_code::none, ""}});
    REQUIRE_FALSE(got.has_value());
    return got.error();
  }
  [[nodiscard]] json sent() const { return json::parse(where.last(door::service).body); }

  tenant where;
  std::unique_ptr<intune::connection> over;
};

} // namespace

TEST_CASE("a download keeps all four fields", "[intune][revocation]") {
  office at;
  at.where.answer(
    door::service, 200,
    R"-({"@odata.context":"https://x/$metadata#Collection(api.caRevocationRequest)",)-"
    R"("value":[{"requestContext":"c1","serialNumber":"0A1B","issuerName":"CN=B\u00fcro",)"
    R"("caConfiguration":"ca-1"},)"
    R"({"requestContext":"c2","serialNumber":"12345","issuerName":null,"caConfiguration":null,)"
    R"("new":{}}]})");
  auto got = at.queue().download("tx-1", 100, {});
  REQUIRE(got.has_value());
  CHECK(got->requests
        == std::vector<intune::revocation_request>{{"c1", "0A1B", "CN=B\xc3\xbcro", "ca-1"},
                                                   {"c2", "12345", {}, {}}});
  CHECK(got->unreadable == 0);
  const auto request = at.where.last(door::service);
  CHECK(got->request_id == request.headers.at("client-request-id"));
  CHECK(request.target
        == "/RACerts/StatelessPkiConnectorService/CertificateAuthorityRequests/"
           "downloadRevocationRequests");
  CHECK(request.headers.at("api-version") == "5019-05-05");
  CHECK(at.sent()
        == json({{"downloadParameters", {{"maxRequests", 100}, {"issuerName", nullptr}}}}));
}

TEST_CASE("an issuer filter is sent in UTF-8", "[intune][revocation]") {
  office at;
  at.where.answer(door::service, 200, R"({"value":[]})");
  auto got = at.queue().download("tx-1", 1, "CN=B\xc3\xbcro \xf0\x9f\x94\x91");
  REQUIRE(got.has_value());
  CHECK(got->requests.empty());
  CHECK(at.where.last(door::service).body.find("CN=B\xc3\xbcro \xf0\x9f\x94\x91")
        != std::string::npos);
}

TEST_CASE("a list that is none is an error, never an empty list", "[intune][revocation]") {
  office at;
  for (const char* body : {"{}", R"({"value":"text"})", R"({"value":null})", R"({"value":{}})",
                           R"({"value":true})", R"({"values":[]})", R"({"value":[],"value":[]})",
                           R"({"value":[)", R"({"code":"Success"})"}) {
    CAPTURE(body);
    const auto why = at.download_fails(body);
    CHECK(why.what.code == errc::bad_input);
    CHECK(why.what.message.find("tx-1") != std::string::npos);
    CHECK(why.what.message.find(why.request_id) != std::string::npos);
  }
  json many = json::array();
  for (int i = 0; i < 501; ++i)
    many.push_back({{"requestContext", "c"}, {"serialNumber", "1"}});
  CHECK(at.download_fails(json({{"value", many}}).dump()).what.code == errc::too_large);
}

TEST_CASE("an entry that cannot be read is counted and stops no other", "[intune][revocation]") {
  office at;
  json list = {{{"requestContext", "good"}, {"serialNumber", "1"}},
               {{"requestContext", "c"}},
               {{"serialNumber", "1"}},
               {{"requestContext", ""}, {"serialNumber", "1"}},
               {{"requestContext", " \t"}, {"serialNumber", "1"}}, // no upload takes it
               {{"requestContext", nullptr}, {"serialNumber", "1"}},
               {{"requestContext", "c"}, {"serialNumber", 5}},
               {{"requestContext", "c"}, {"serialNumber", std::string(300, '1')}},
               {{"requestContext", std::string(9'000, 'c')}, {"serialNumber", "1"}},
               {{"requestContext", "c"}, {"serialNumber", "1"}, {"issuerName", 5}},
               "text",
               nullptr};
  at.where.answer(door::service, 200, json({{"value", list}}).dump());
  auto got = at.queue().download("tx-1", 100, {});
  REQUIRE(got.has_value());
  REQUIRE(got->requests.size() == 1);
  CHECK(got->requests[0].request_context == "good");
  CHECK(got->unreadable == 11);
}

TEST_CASE("a download's arguments are looked at before anything is sent", "[intune][revocation]") {
  office at;
  auto field
    = [&](const std::string& transaction, int max, std::optional<std::string> issuer = {}) {
        auto got = at.queue().download(transaction, max, issuer);
        REQUIRE_FALSE(got.has_value());
        return got.error().what.field;
      };
  for (const int max : {-1, 0, 501, INT32_MAX, INT32_MIN})
    CHECK(field("tx-1", max) == "maxRequests");
  CHECK(field("", 1) == "transactionId");
  CHECK(field(" \t", 1) == "transactionId");
  CHECK(field(std::string(513, 'x'), 1) == "transactionId");
  CHECK(field("tx-1", 1, "") == "issuerName");
  CHECK(field("tx-1", 1, "  ") == "issuerName");
  CHECK(field("tx-1", 1, std::string(257, 'x')) == "issuerName");
  CHECK(field("tx-1", 1, "\xff") == "issuerName");
  CHECK(at.where.count(door::sign_in) == 0);
  at.where.answer(door::service, 200, R"({"value":[]})");
  CHECK(at.queue().download("tx-1", 500, std::string(256, 'x')).has_value());
  CHECK(at.queue().download("tx-1", 1, {}).has_value());
}

TEST_CASE("an upload sends names of codes and null for no message", "[intune][revocation]") {
  office at;
  at.where.answer(door::service, 200, R"({"@odata.context":"x","value":true})");
  auto got = at.queue().upload("tx-1",
                               {{"c1", true, service_code::none, ""},
                                {"c2", false, service_code::authentication, "not let in"},
                                {"c3", false, service_code::certificate_not_found, ""}});
  REQUIRE(got.has_value());
  CHECK(*got == at.where.last(door::service).headers.at("client-request-id"));
  CHECK(at.where.last(door::service).target.ends_with("/uploadRevocationResults"));
  const json one = {{"requestContext", "c1"},
                    {"succeeded", true},
                    {"errorCode", "None"},
                    {"errorMessage", nullptr}};
  const json two = {{"requestContext", "c2"},
                    {"succeeded", false},
                    {"errorCode", "AuthenticationException"},
                    {"errorMessage", "not let in"}};
  const json three = {{"requestContext", "c3"},
                      {"succeeded", false},
                      {"errorCode", "CertificateNotFoundError"},
                      {"errorMessage", nullptr}};
  CHECK(at.sent() == json({{"results", {one, two, three}}}));
}

TEST_CASE("every code has its published name", "[intune][revocation]") {
  struct line {
    service_code code;
    const char* name;
  };
  for (const line& one :
       std::vector<line>{{service_code::none, "None"},
                         {service_code::non_retryable, "NonRetryableServiceException"},
                         {service_code::data_serialization, "DataSerializationError"},
                         {service_code::parameter_invalid, "ParameterDataInvalidError"},
                         {service_code::cryptography, "CryptographyError"},
                         {service_code::certificate_not_found, "CertificateNotFoundError"},
                         {service_code::conflict, "ConflictError"},
                         {service_code::not_supported, "NotSupportedError"},
                         {service_code::payload_too_large, "PayloadTooLargeError"},
                         {service_code::retryable, "RetryableServiceException"},
                         {service_code::service_unavailable, "ServiceUnavailableException"},
                         {service_code::service_too_busy, "ServiceTooBusyException"},
                         {service_code::authentication, "AuthenticationException"}})
    CHECK(intune::name_of(one.code) == one.name);
  CHECK(intune::name_of(static_cast<service_code>(4999)) == "NonRetryableServiceException");
}

TEST_CASE("only a plain yes is recorded", "[intune][revocation]") {
  office at;
  for (const char* body : {R"({"value":true})", R"({"value":"true"})", R"({"value":"True"})"}) {
    CAPTURE(body);
    at.where.answer(door::service, 200, body);
    CHECK(at.queue().upload("tx-1", {{"c", true, service_code::none, ""}}).has_value());
  }
  for (const char* body :
       {R"({"value":false})", R"({"value":"false"})", R"({"value":"test"})", "{}",
        R"({"value":null})", R"({"value":1})", R"({"value":[true]})", R"({"value":{"value":true}})",
        R"({"value":false,"value":true})", R"({"value":"true "})", R"({"Value":true})",
        R"({"value":true)", R"({"code":"Success"})"}) {
    CAPTURE(body);
    const auto why = at.upload_fails(body);
    CHECK(why.what.code == errc::bad_input);
    CHECK(why.status == 200);
    CHECK_FALSE(why.request_id.empty());
  }
  CHECK(at.upload_fails(R"({"value":"test"})").what.message.find("nothing was recorded")
        != std::string::npos);
}

TEST_CASE("an upload's arguments are looked at before anything is sent", "[intune][revocation]") {
  office at;
  auto field = [&](const std::string& transaction, const std::vector<revocation_result>& results) {
    auto got = at.queue().upload(transaction, results);
    REQUIRE_FALSE(got.has_value());
    return got.error().what.field;
  };
  const revocation_result good{"c", true, service_code::none, ""};
  CHECK(field("tx-1", {}) == "results");
  CHECK(field("", {good}) == "transactionId");
  CHECK(field("tx-1", std::vector<revocation_result>(501, good)) == "results");
  CHECK(field("tx-1", {good, {"", true, service_code::none, ""}}) == "results[1].requestContext");
  CHECK(field("tx-1", {{" ", true, service_code::none, ""}}) == "results[0].requestContext");
  CHECK(field("tx-1", {{"c", true, service_code::conflict, ""}}) == "results[0].errorCode");
  CHECK(field("tx-1", {{"c", true, service_code::none, "but"}}) == "results[0].errorCode");
  CHECK(field("tx-1", {{"c", false, service_code::none, "why"}}) == "results[0].errorCode");
  CHECK(field("tx-1", {{"c", false, service_code::conflict, std::string(1'025, 'x')}})
        == "results[0].errorMessage");
  CHECK(field("tx-1", {{"c", false, service_code::conflict, "\xff"}}) == "results[0].errorMessage");
  CHECK(at.where.count(door::sign_in) == 0);
}

TEST_CASE("the caller's transaction is told in errors, its request's id is new each time",
          "[intune][revocation]") {
  office at;
  at.where.answer(door::service, 503, "");
  const auto first = at.queue().download("tx-777", 1, {});
  const auto second = at.queue().upload("tx-777", {{"c", true, service_code::none, ""}});
  CHECK(first.error().what.message.find("tx-777") != std::string::npos);
  CHECK(second.error().what.message.find("tx-777") != std::string::npos);
  CHECK(first.error().request_id != second.error().request_id);
}
