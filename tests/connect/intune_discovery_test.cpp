// Discovery and the common POST: where a service is, what makes us forget it, what makes us try
// again, and where we do not go.
#include "tests/catch.hpp"

#include <nlohmann/json.hpp>

#include "connect/intune/authorized.hpp"
#include "core/limits.hpp"
#include "tests/connect/intune_support.hpp"

using namespace pfx;
using namespace pfx::test;

namespace {

const intune::scep_request sample{"tx-1", {1, 2, 3}};

/// A tenant and a connection to it.
struct office {
  explicit office(std::function<void(intune::connection_settings&)> change = {}) {
    auto settings = where.settings();
    if (change)
      change(settings);
    over = open(std::move(settings), time);
  }
  intune::answer<intune::scep_verdict> validate() { return over->scep().validate(sample); }
  intune::call_error fails() {
    auto got = validate();
    REQUIRE_FALSE(got.has_value());
    return got.error();
  }

  tenant where;
  still_clock time;
  std::unique_ptr<intune::connection> over;
};

std::string listing(const std::string& name, const std::string& uri) {
  return R"({"value":[{"providerName":")" + name + R"(","uri":")" + uri + "\"}]}";
}

} // namespace

TEST_CASE("a validation is two tokens, one discovery and one call", "[intune][discovery]") {
  office at;
  REQUIRE(at.validate().has_value());
  CHECK(at.where.count(door::sign_in) == 2);
  CHECK(at.where.count(door::graph) == 1);
  CHECK(at.where.count(door::service) == 1);
  const auto asked = at.where.last(door::graph);
  CHECK(asked.method == "GET");
  CHECK(asked.target
        == "/v1.0/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints");
  CHECK(asked.headers.at("authorization") == "Bearer token-0");
  CHECK(asked.headers.at("client-request-id").size() == 36);
  CHECK(form_value(at.where.seen(door::sign_in)[0].body, "scope") == at.where.url() + "/.default");
  CHECK(form_value(at.where.seen(door::sign_in)[1].body, "scope")
        == at.where.url() + "/resource//.default");
  REQUIRE(at.validate().has_value()); // all is kept
  CHECK(at.where.count(door::sign_in) == 2);
  CHECK(at.where.count(door::graph) == 1);
  CHECK(at.where.count(door::service) == 2);
}

TEST_CASE("every call carries what all calls carry, and an id of its own", "[intune][calls]") {
  office at;
  const auto first = at.validate();
  const auto second = at.validate();
  const auto sent = at.where.seen(door::service);
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].method == "POST");
  CHECK(sent[0].target
        == "/RACerts/StatelessScepRequestValidationService/ScepActions/validateRequest");
  CHECK(sent[0].headers.at("authorization") == "Bearer token-1");
  CHECK(sent[0].headers.at("api-version") == "2018-02-20");
  CHECK(sent[0].headers.at("content-type") == "application/json; charset=utf-8");
  CHECK(sent[0].headers.at("client-request-id") == first->request_id);
  CHECK(sent[1].headers.at("client-request-id") == second->request_id);
  CHECK(first->request_id != second->request_id);
}

TEST_CASE("names are compared in any case, and the first of two counts", "[intune][discovery]") {
  office at;
  at.where.answer(door::graph, 200,
                  R"({"value":[7,{"providerName":null,"uri":"x"},)"
                  R"({"providerName":"sceprequestVALIDATIONfeservice","uri":")"
                    + at.where.url()
                    + R"(/first"},{"providerName":"ScepRequestValidationFEService","uri":")"
                    + at.where.url() + R"(/second"},{"uri":"https://no.name"}]})");
  REQUIRE(at.validate().has_value());
  CHECK(at.where.last(door::service).target == "/first/ScepActions/validateRequest");
}

TEST_CASE("a missing service is named, costs no call, and is looked for again",
          "[intune][discovery]") {
  office at;
  at.where.answer(door::graph, 200, listing("SomethingElse", at.where.url()));
  const auto why = at.fails();
  CHECK(why.what.code == errc::not_found);
  CHECK(why.what.message.find("ScepRequestValidationFEService") != std::string::npos);
  CHECK(why.what.message.find("scep_challenge_provider") != std::string::npos);
  CHECK(at.where.count(door::service) == 0);
  CHECK(at.where.count(door::sign_in) == 1); // no Intune token was asked for
  at.where.restore(door::graph);
  CHECK(at.validate().has_value());
}

TEST_CASE("a 403 of Graph is a missing permission, after one more try with a fresh token",
          "[intune][discovery]") {
  office at;
  at.where.answer(door::graph, 403,
                  R"({"error":{"code":"Authorization_RequestDenied","message":"no"}})");
  const auto why = at.fails();
  CHECK(why.what.code == errc::unauthorized);
  CHECK(why.what.field == "discovery");
  CHECK(why.service_code == "Authorization_RequestDenied");
  CHECK(why.what.message.find("Application.Read.All") != std::string::npos);
  CHECK(at.where.count(door::graph) == 2);
  CHECK(at.where.count(door::sign_in) == 2);
  CHECK(at.where.count(door::service) == 0);
}

TEST_CASE("a tenant without Intune, and a Graph that is ill, are told apart",
          "[intune][discovery]") {
  office at;
  at.where.answer(door::graph, 404, R"({"error":{"code":"Request_ResourceNotFound"}})");
  CHECK(at.fails().what.code == errc::not_found);
  at.where.answer(door::graph, 500, "");
  CHECK(at.fails().what.code == errc::unavailable);
  at.where.answer(door::graph, 429, "", {{"Retry-After", "9"}});
  CHECK(at.fails().retry_after_ms == 9'000);
  at.where.answer(door::graph, 200, "<html>");
  CHECK(at.fails().what.code == errc::bad_input);
  at.where.answer(door::graph, 200, R"({"value":{}})");
  CHECK(at.fails().what.code == errc::bad_input);
  at.where.answer(door::graph, 302, "", {{"Location", at.where.url() + "/x"}});
  CHECK(at.fails().what.code == errc::bad_input);
  at.where.restore(door::graph);
  CHECK(at.validate().has_value());
}

TEST_CASE("an answer does not send us anywhere", "[intune][discovery]") {
  office at;
  for (const std::string& uri : std::vector<std::string>{
         "http://localhost:" + std::to_string(at.where.port()) + "/x", "https://evil.example/x",
         "https://127.0.0.1:" + std::to_string(at.where.port()) + "/x",
         "https://localhost.evil.example/x", "https://evillocalhost/x",
         "https://localhost@evil.example/x", "https://evil.example\\\\@localhost/x",
         "https://localhost/x?y=z", "https://localhost/#x", "", "localhost", "/RACerts"}) {
    CAPTURE(uri);
    at.where.answer(door::graph, 200, listing("ScepRequestValidationFEService", uri));
    const auto why = at.fails();
    CHECK(why.what.code == errc::policy);
    CHECK(why.what.message.find("ScepRequestValidationFEService") != std::string::npos);
  }
  CHECK(at.where.count(door::service) == 0);
  CHECK(at.where.count(door::sign_in) == 1);
}

TEST_CASE("a bad address of another service is nobody's trouble", "[intune][discovery]") {
  office at;
  std::string body = at.where.directory();
  body.insert(body.find("{\"providerName"), R"({"providerName":"X","uri":"http://evil.example"},)");
  at.where.answer(door::graph, 200, body);
  CHECK(at.validate().has_value());
}

TEST_CASE("a long list is read to its end, but only at Graph", "[intune][discovery]") {
  office at;
  at.where.answer(door::graph, [&](const server_request& in) {
    if (in.target.find("skiptoken") != std::string::npos)
      return server_response{200, {}, at.where.directory()};
    return server_response{200,
                           {},
                           R"({"value":[],"@odata.nextLink":")" + at.where.url()
                             + "/v1.0/servicePrincipals/x/endpoints?$skiptoken=1\"}"};
  });
  CHECK(at.validate().has_value());
  CHECK(at.where.count(door::graph) == 2);

  office astray;
  astray.where.answer(door::graph, 200,
                      R"({"value":[],"@odata.nextLink":"https://evil.example/"})");
  CHECK(astray.fails().what.code == errc::policy);
  astray.where.answer(door::graph, 200,
                      R"({"value":[],"@odata.nextLink":")" + astray.where.url()
                        + "/v1.0/servicePrincipals/x\"}");
  CHECK(astray.fails().what.code == errc::too_large);
  CHECK(astray.where.count(door::graph) == 1 + intune::directory_pages_max);
}

TEST_CASE("any failure at a service makes us look it up again, once", "[intune][calls]") {
  for (const int status : {400, 404, 409, 413, 429, 500, 503}) {
    CAPTURE(status);
    office at;
    at.where.answer(door::service, status, "");
    static_cast<void>(at.fails());
    CHECK(at.where.count(door::graph) == 1);
    at.where.restore(door::service);
    CHECK(at.validate().has_value());
    CHECK(at.where.count(door::graph) == 2);
    CHECK(at.validate().has_value());
    CHECK(at.where.count(door::graph) == 2);
    CHECK(at.where.count(door::sign_in) == 2); // tokens stay
  }
}

TEST_CASE("a host that is gone makes us look it up again, too", "[intune][calls]") {
  office at;
  std::uint16_t closed = 0;
  {
    loopback_listener door;
    closed = door.port();
  }
  at.where.answer(
    door::graph, 200,
    listing("ScepRequestValidationFEService", "https://localhost:" + std::to_string(closed)));
  CHECK(at.fails().what.code == errc::unavailable);
  at.where.restore(door::graph);
  CHECK(at.validate().has_value());
  CHECK(at.where.count(door::graph) == 2);
}

TEST_CASE("the list is not kept for ever", "[intune][discovery]") {
  office at;
  CHECK(at.validate().has_value());
  at.time.pass(intune::directory_age_ms_max);
  CHECK(at.validate().has_value());
  CHECK(at.where.count(door::graph) == 2);
}

TEST_CASE("a token that is refused is replaced, and the call made once more", "[intune][calls]") {
  for (const int status : {401, 403}) {
    CAPTURE(status);
    office at;
    at.where.answer(door::service, [status](const server_request& in) {
      if (in.headers.at("authorization") == "Bearer token-1")
        return server_response{status, {}, "{}"};
      return server_response{200, {}, R"({"code":"Success"})"};
    });
    const auto got = at.validate();
    REQUIRE(got.has_value());
    const auto sent = at.where.seen(door::service);
    REQUIRE(sent.size() == 2);
    CHECK(sent[1].headers.at("authorization") == "Bearer token-2");
    CHECK(sent[0].body == sent[1].body);
    CHECK(sent[0].headers.at("client-request-id") != sent[1].headers.at("client-request-id"));
    CHECK(got->request_id == sent[1].headers.at("client-request-id"));
    CHECK(at.where.count(door::graph) == 1);
  }
}

TEST_CASE("a refusal that stays is an error after the second time", "[intune][calls]") {
  office at;
  at.where.answer(door::service, 401, "");
  const auto why = at.fails();
  CHECK(why.what.code == errc::unauthorized);
  CHECK(why.status == 401);
  CHECK(at.where.count(door::service) == 2);
  CHECK(at.where.count(door::sign_in) == 3); // Graph, Intune, Intune anew
  // The second one is not kept either.
  static_cast<void>(at.fails());
  CHECK(at.where.count(door::sign_in) >= 4);
}

TEST_CASE("without a token nothing is called", "[intune][calls]") {
  office at;
  at.where.answer(door::sign_in, 401,
                  R"({"error":"invalid_client","error_description":"AADSTS7000215: x"})");
  const auto why = at.fails();
  CHECK(why.what.code == errc::unauthorized);
  CHECK(why.what.field == "credentials[0].secret");
  CHECK(at.where.count(door::sign_in) == 1);
  CHECK(at.where.count(door::graph) == 0);
  CHECK(at.where.count(door::service) == 0);
}

TEST_CASE("a sign-in that fails says nothing about the address of a service", "[intune][calls]") {
  office at;
  REQUIRE(at.validate().has_value());
  const std::string scope = at.where.url() + "/resource//.default";
  at.over->tokens().drop(scope, *at.over->tokens().token(scope));
  at.where.answer(door::sign_in, 503, "");
  CHECK(at.fails().what.code == errc::unavailable);
  at.where.restore(door::sign_in);
  CHECK(at.validate().has_value());
  CHECK(at.where.count(door::graph) == 1);
}

TEST_CASE("errors are read in each form in which they come", "[intune][calls]") {
  office at;
  auto said = [&](const std::string& body) {
    at.where.answer(door::service, 400, body);
    return at.fails();
  };
  auto plain = said(R"({"error":{"code":"BadRequest","message":"no such thing"}})");
  CHECK(plain.service_code == "BadRequest");
  CHECK(plain.what.message.find("no such thing") != std::string::npos);
  CHECK(plain.what.message.find(plain.request_id) != std::string::npos);
  const nlohmann::json inner = {{"_version", 3},
                                {"Message", "An error has occurred - Operation ID 0000"},
                                {"CustomApiErrorPhrase", "PhraseOfTheirs"},
                                {"RetryAfter", nullptr}};
  const nlohmann::json outer = {{"error", {{"code", "InternalError"}, {"message", inner.dump()}}}};
  auto nested = said(outer.dump());
  CHECK(nested.service_code == "InternalError");
  CHECK(nested.what.message.find("Operation ID 0000") != std::string::npos);
  CHECK(nested.what.message.find("PhraseOfTheirs") != std::string::npos);
  CHECK(nested.what.message.find("_version") == std::string::npos);
  CHECK(said(R"({"Message":"plain"})").what.message.find("plain") != std::string::npos);
  for (const char* body : {"", "<html>", "[]", "null", R"({"error":null})", R"({"error":"x"})",
                           R"({"error":{"code":7,"message":{}}})",
                           R"({"error":{"code":"\u0007\n","message":"{\"Message\":"}})"}) {
    CAPTURE(body);
    const auto why = said(body);
    CHECK(why.what.code == errc::bad_input);
    CHECK(why.status == 400);
    CHECK(why.what.message.find('\n') == std::string::npos);
  }
}

TEST_CASE("each status means something to the caller", "[intune][calls]") {
  struct line {
    int status;
    errc code;
  };
  for (const line& one : std::vector<line>{{301, errc::bad_input},
                                           {400, errc::bad_input},
                                           {404, errc::unavailable},
                                           {408, errc::unavailable},
                                           {409, errc::conflict},
                                           {413, errc::too_large},
                                           {429, errc::unavailable},
                                           {500, errc::unknown_outcome},
                                           {502, errc::unknown_outcome},
                                           {503, errc::unavailable}}) {
    CAPTURE(one.status);
    office at;
    at.where.answer(door::service, one.status, "{}");
    const auto why = at.fails();
    CHECK(why.what.code == one.code);
    CHECK(why.status == one.status);
    CHECK(at.where.count(door::service) == 1);
  }
}

TEST_CASE("an answer that is no JSON object is none, and its address forgotten",
          "[intune][calls]") {
  for (const char* body : {"", "[]", "true", "<html>{}</html>"}) {
    CAPTURE(body);
    office at;
    at.where.answer(door::service, 200, body);
    CHECK(at.fails().what.code == errc::bad_input);
    at.where.restore(door::service);
    CHECK(at.validate().has_value());
    CHECK(at.where.count(door::graph) == 2);
  }
}

TEST_CASE("a wait that is asked for is read in its unit and bounded", "[intune][calls]") {
  auto wait = [](std::optional<std::int64_t> retry_after, const std::string& ms) {
    connect::http::response got;
    got.retry_after_ms = retry_after;
    if (!ms.empty())
      got.headers["x-ms-retry-after-ms"] = ms;
    return intune::asked_wait_ms(got);
  };
  CHECK(wait({}, "") == 0);
  CHECK(wait(7'000, "") == 7'000);
  CHECK(wait({}, "1500") == 1'500); // milliseconds, not seconds
  CHECK(wait(1'000, "60000") == 60'000);
  CHECK(wait(7'000, "1500") == 7'000);
  CHECK(wait({}, " 1500 ") == 1'500);
  CHECK(wait({}, "99999999999") == limits::asked_wait_ms_max);
  CHECK(wait({}, "99999999999999999999999") == limits::asked_wait_ms_max);
  for (const char* bad : {"-5", "1.5", "1500ms", "soon", "+5", "0x10"}) {
    CAPTURE(bad);
    CHECK(wait({}, bad) == 0);
    CHECK(wait(7'000, bad) == 7'000);
  }
  office at;
  at.where.answer(door::service, 429, "", {{"Retry-After", "2"}, {"x-ms-retry-after-ms", "2500"}});
  CHECK(at.fails().retry_after_ms == 2'500);
}
