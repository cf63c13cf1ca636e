// Credentials: which is tried when, what refuses one, and what is said about it.
#include "tests/catch.hpp"

#include "crypto/issue.hpp"
#include "tests/connect/intune_desk.hpp"

using namespace pfx;
using namespace pfx::test;

namespace {

constexpr std::int64_t day_ms = 86'400'000;

std::string refusal(const std::string& error, const std::string& description,
                    const std::string& codes = "[]") {
  return R"({"error":")" + error + R"(","error_description":")" + description
    + R"(","error_codes":)" + codes + R"(,"trace_id":"t","correlation_id":"c"})";
}

const std::string expired_secret = refusal(
  "invalid_client", "AADSTS7000222: The provided client secret keys are expired.", "[7000222]");

} // namespace

TEST_CASE("a refused credential makes room for the next, and what worked is remembered",
          "[intune][token]") {
  desk at(both(secret_credential("old"), secret_credential("new")));
  at.where.answer(door::sign_in, [](const server_request& in) {
    if (form_value(in.body, "client_secret") == "old")
      return server_response{401, {}, expired_secret};
    return server_response{
      200, {}, R"({"token_type":"Bearer","access_token":"t","expires_in":60})"};
  });
  CHECK(at.text() == "t");
  CHECK(at.where.count(door::sign_in) == 2);
  CHECK_FALSE(at.source->credentials()[0].working);
  CHECK(at.source->credentials()[1].working);
  at.source->drop(scope, *at.source->token(scope));
  CHECK(at.text() == "t");
  CHECK(at.where.count(door::sign_in) == 3); // the second one first
  CHECK(form_value(at.where.last(door::sign_in).body, "client_secret") == "new");
}

TEST_CASE("a certificate that is not registered makes room for a secret", "[intune][token]") {
  desk at(both(certificate_credential(), secret_credential("good")));
  at.where.answer(door::sign_in, [](const server_request& in) {
    if (in.body.find("client_assertion=") != std::string::npos)
      return server_response{
        401, {}, refusal("invalid_client", "AADSTS700027: The certificate is not registered.")};
    return server_response{200, {}, R"({"token_type":"bearer","access_token":"t"})"};
  });
  CHECK(at.text() == "t");
}

TEST_CASE("the network's failures refuse no credential", "[intune][token]") {
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    CAPTURE(status);
    desk at(both(secret_credential("one"), secret_credential("two")));
    at.where.answer(door::sign_in, status, expired_secret, {{"Retry-After", "7"}});
    const auto why = at.fails();
    CHECK(why.what.code == errc::unavailable);
    CHECK(why.retry_after_ms == 7'000);
    CHECK(at.where.count(door::sign_in) == 1);
  }
  desk at(both(secret_credential("one"), secret_credential("two")));
  at.where.answer(door::sign_in, [](const server_request&) {
    server_response out;
    out.how.silent = true;
    return out;
  });
  CHECK(at.fails().what.code == errc::unavailable);
  CHECK(at.where.count(door::sign_in) == 1); // libcurl did not send it twice either
}

TEST_CASE("words that speak of something else refuse no credential", "[intune][token]") {
  struct line {
    const char* error;
    const char* description;
    const char* field;
  };
  for (const line& one : std::vector<line>{
         {"invalid_resource", "AADSTS500011: The resource principal was not found.", "scope"},
         {"invalid_scope", "AADSTS70011: The scope is not valid.", "scope"},
         {"invalid_scope", "no code at all", "scope"},
         {"invalid_request", "AADSTS90002: Tenant not found.", "tenant"},
         {"invalid_request", "AADSTS900023: not a tenant.", "tenant"},
         {"unauthorized_client", "AADSTS700016: Application not found.", "clientId"},
         {"unauthorized_client", "something new", "clientId"},
         {"invalid_client", "AADSTS7000112: Application is disabled.", "clientId"},
         {"access_denied", "AADSTS53003: blocked", "clientId"},
         {"server_error", "AADSTS12345: something", "token"}}) {
    CAPTURE(one.description);
    desk at(both(secret_credential("one"), secret_credential("two")));
    at.where.answer(door::sign_in, 400, refusal(one.error, one.description));
    const auto why = at.fails();
    CHECK(why.what.field == one.field);
    CHECK(at.where.count(door::sign_in) == 1);
  }
}

TEST_CASE("an error carries its AADSTS code, and advice about the scope", "[intune][token]") {
  desk at;
  at.where.answer(door::sign_in, 400,
                  refusal("invalid_resource", "AADSTS500011: The resource principal named x"));
  const auto why = at.fails();
  CHECK(why.service_code == "AADSTS500011");
  CHECK(why.what.message.find("AADSTS500011") != std::string::npos);
  CHECK(why.what.message.find("//.default") != std::string::npos);
  CHECK(why.request_id == at.where.last(door::sign_in).headers.at("client-request-id"));

  at.where.answer(door::sign_in, 401, refusal("invalid_client", "no text", "[7000222]"));
  const auto coded = at.fails();
  CHECK(coded.service_code == "AADSTS7000222");
  CHECK(coded.what.field == "credentials[0].secret");
  CHECK(coded.what.code == errc::unauthorized);
  CHECK(coded.what.message.find("expired") != std::string::npos);
}

TEST_CASE("when all credentials are refused, each is named", "[intune][token]") {
  desk at(both(secret_credential("one"), certificate_credential()));
  at.where.answer(door::sign_in, [](const server_request& in) {
    const bool certificate = in.body.find("client_assertion=") != std::string::npos;
    return server_response{
      401, {}, certificate ? refusal("invalid_client", "AADSTS700027: x") : expired_secret};
  });
  const auto why = at.fails();
  CHECK(why.what.code == errc::unauthorized);
  CHECK(why.what.field == "credentials[0].secret");
  CHECK(why.what.message.find("AADSTS7000222") != std::string::npos);
  CHECK(why.what.message.find("credentials[1].certificate") != std::string::npos);
  CHECK(why.what.message.find("AADSTS700027") != std::string::npos);
}

TEST_CASE("a server that quotes what it was sent is not quoted", "[intune][token]") {
  std::vector<intune::credential> secrets;
  secrets.push_back(secret_credential("Very+S3cret"));
  desk plain(std::move(secrets));
  for (const char* echo : {"Very+S3cret", "Very%2BS3cret"}) {
    plain.where.answer(door::sign_in, 401,
                       refusal("invalid_client", "AADSTS7000215: you sent " + std::string(echo)));
    const auto why = plain.fails();
    CHECK(why.what.message.find(echo) == std::string::npos);
    CHECK(why.what.message.find("AADSTS7000215") != std::string::npos);
  }
  std::vector<intune::credential> certificates;
  certificates.push_back(certificate_credential());
  desk assertion(std::move(certificates));
  assertion.where.answer(door::sign_in, [](const server_request& in) {
    return server_response{
      401, {}, refusal("invalid_client", "bad: " + form_value(in.body, "client_assertion"))};
  });
  CHECK(assertion.fails().what.message.find("eyJ") == std::string::npos);
}

TEST_CASE("the ends of credentials are reported early enough", "[intune][token]") {
  still_clock now;
  std::vector<intune::credential> list;
  list.push_back(secret_credential("unknown"));
  list.push_back(secret_credential("soon", now.wall() + 59 * day_ms));
  list.push_back(secret_credential("later", now.wall() + 61 * day_ms));
  list.push_back(secret_credential("past", now.wall() - day_ms));
  list.push_back(certificate_credential()); // until 1.8e12: 75 days from now
  desk at(std::move(list));
  auto soon = at.source->expiring(60 * day_ms);
  REQUIRE(soon.size() == 2);
  CHECK(soon[0].index == 1);
  CHECK(soon[1].index == 3);
  CHECK(at.source->expiring(90 * day_ms).size() == 4);
  CHECK(at.source->credentials().size() == 5);
  CHECK(at.source->credentials()[4].is_certificate);
  CHECK(at.source->credentials()[4].expires == 1'800'000'000'000);
}

TEST_CASE("a credential that has ended by our clock is tried last, not never", "[intune][token]") {
  still_clock now;
  desk at(both(secret_credential("ended", now.wall() - 1), secret_credential("lives")));
  CHECK(at.text() == "token-0");
  CHECK(form_value(at.where.last(door::sign_in).body, "client_secret") == "lives");
  at.where.answer(door::sign_in, 401, expired_secret);
  at.source->drop(scope, *at.source->token(scope));
  static_cast<void>(at.fails());
  CHECK(form_value(at.where.last(door::sign_in).body, "client_secret") == "ended");
}

TEST_CASE("settings that cannot work are refused by name", "[intune][token]") {
  intune::web_options network;
  auto over = std::move(*intune::make_web(std::move(network)));
  auto fails = [&](const std::string& url, const std::string& id,
                   std::vector<intune::credential> credentials) {
    auto made = intune::make_token_source(*over, {url, id, std::move(credentials)});
    REQUIRE_FALSE(made.has_value());
    return made.error().field;
  };
  auto one = [](intune::credential only) {
    std::vector<intune::credential> out;
    out.push_back(std::move(only));
    return out;
  };
  const std::string url = "https://login.example/t/oauth2/v2.0/token";
  CHECK(fails("http://login.example/t", "id", one(secret_credential("s"))) == "tokenUrl");
  CHECK(fails(url, "", one(secret_credential("s"))) == "clientId");
  CHECK(fails(url, "  ", one(secret_credential("s"))) == "clientId");
  CHECK(fails(url, "a b", one(secret_credential("s"))) == "clientId");
  CHECK(fails(url, "id", {}) == "credentials");
  CHECK(fails(url, "id", one(secret_credential(""))) == "credentials[0].secret");
  CHECK(fails(url, "id", one(secret_credential("secret\n"))) == "credentials[0].secret");
  CHECK(fails(url, "id", both(secret_credential("s"), secret_credential(std::string(2'000, 'x'))))
        == "credentials[1].secret");
  auto foreign = certificate_credential(0);
  std::get<intune::client_certificate>(foreign.proof).cert = credential_certificate(1);
  CHECK(fails(url, "id", one(std::move(foreign))) == "credentials[0].certificate");
  auto elliptic = crypto::make_root({"CN=EC", key_algorithm::ec_p256, 0, 4'000'000'000'000});
  CHECK(fails(url, "id",
              one({"ec", intune::client_certificate{elliptic->cert, std::move(elliptic->key)}, {}}))
        == "credentials[0].certificate");
  std::vector<intune::credential> many;
  for (int i = 0; i < 9; ++i)
    many.push_back(secret_credential("s"));
  CHECK(fails(url, "id", std::move(many)) == "credentials");
}
