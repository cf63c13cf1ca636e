// Tokens: what is sent for one, what is believed of the answer, and how long it is kept.
#include "tests/catch.hpp"

#include <nlohmann/json.hpp>

#include "crypto/digest.hpp"
#include "crypto/rsa_signature.hpp"
#include "tests/connect/intune_desk.hpp"

using namespace pfx;
using namespace pfx::test;
using intune::bearer;

namespace {

bytes from_base64url(std::string text) {
  for (char& c : text)
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (text.size() % 4 != 0)
    text += '=';
  return *crypto::from_base64(text);
}

nlohmann::json part_of(const std::string& jwt, int index) {
  std::size_t begin = 0;
  for (int i = 0; i < index; ++i)
    begin = jwt.find('.', begin) + 1;
  return nlohmann::json::parse(
    to_text(from_base64url(jwt.substr(begin, jwt.find('.', begin) - begin))));
}

} // namespace

TEST_CASE("a secret is sent as a form, over POST, with the scope as it is", "[intune][token]") {
  desk at;
  CHECK(at.text() == "token-0");
  const auto sent = at.where.last(door::sign_in);
  CHECK(sent.method == "POST");
  CHECK(sent.target == "/" + std::string(test_tenant) + "/oauth2/v2.0/token");
  CHECK(sent.headers.at("content-type") == "application/x-www-form-urlencoded");
  CHECK(sent.headers.at("client-request-id").size() == 36);
  CHECK(form_value(sent.body, "grant_type") == "client_credentials");
  CHECK(form_value(sent.body, "client_id") == test_client);
  CHECK(form_value(sent.body, "client_secret") == "s3cret~value");
  CHECK(form_value(sent.body, "scope") == scope); // both slashes
  CHECK(sent.body.find("client_assertion") == std::string::npos);
}

TEST_CASE("a secret with every character of a form survives it", "[intune][token]") {
  const std::string odd = "a+b&c=d%20/e?#~\"'\xc3\xa4";
  std::vector<intune::credential> one;
  one.push_back(secret_credential(odd));
  desk at(std::move(one));
  CHECK(at.text() == "token-0");
  CHECK(form_value(at.where.last(door::sign_in).body, "client_secret") == odd);
}

TEST_CASE("a certificate signs an assertion that is used once", "[intune][token]") {
  std::vector<intune::credential> one;
  one.push_back(certificate_credential());
  desk at(std::move(one));
  CHECK(at.text() == "token-0");
  at.source->drop(scope, *at.source->token(scope));
  CHECK(at.text() == "token-1");
  std::vector<std::string> ids;
  for (const auto& sent : at.where.seen(door::sign_in)) {
    CHECK(form_value(sent.body, "client_assertion_type")
          == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    CHECK(sent.body.find("client_secret") == std::string::npos);
    const std::string jwt = form_value(sent.body, "client_assertion");
    const auto dot = jwt.rfind('.');
    CHECK(crypto::verify_pss_sha256(credential_certificate(), as_bytes(jwt.substr(0, dot)),
                                    from_base64url(jwt.substr(dot + 1))));
    const auto header = part_of(jwt, 0);
    CHECK(header.size() == 3);
    CHECK(header.at("typ") == "JWT");
    CHECK(header.at("alg") == "PS256");
    CHECK(from_base64url(header.at("x5t#S256"))
          == to_bytes(byte_view(credential_certificate().thumbprint().octets)));
    const auto claims = part_of(jwt, 1);
    CHECK(claims.at("aud") == at.where.url() + "/" + test_tenant + "/oauth2/v2.0/token");
    CHECK(claims.at("iss") == test_client);
    CHECK(claims.at("sub") == test_client);
    CHECK(claims.at("nbf") == at.time.wall() / 1'000);
    CHECK(claims.at("iat") == at.time.wall() / 1'000);
    CHECK(claims.at("exp").get<std::int64_t>() - claims.at("iat").get<std::int64_t>() == 600);
    ids.push_back(claims.at("jti"));
  }
  REQUIRE(ids.size() == 2);
  CHECK(ids[0] != ids[1]);
  CHECK(ids[0].size() == 36);
}

TEST_CASE("a token is kept per scope and renewed before it ends", "[intune][token]") {
  desk at;
  CHECK(at.text() == "token-0");
  CHECK(at.text() == "token-0");
  CHECK(std::string((*at.source->token("https://graph.microsoft.com/.default"))->text())
        == "token-1");
  CHECK(at.where.count(door::sign_in) == 2);
  at.time.pass(3'599'000 * 9 / 10 - 1'000); // dice 0: a tenth of its life is left
  CHECK(at.text() == "token-0");
  at.time.pass(2'000);
  CHECK(at.text() == "token-2");
}

TEST_CASE("the moment of renewal is a matter of dice", "[intune][token]") {
  desk at;
  at.dice = 359'900; // the most: a fifth is left
  CHECK(at.text() == "token-0");
  at.time.pass(3'599'000 * 8 / 10 - 1'000);
  CHECK(at.text() == "token-0");
  at.time.pass(2'000);
  CHECK(at.text() == "token-1");
}

TEST_CASE("while the old token lives a failed renewal is borne, and not repeated at once",
          "[intune][token]") {
  desk at;
  CHECK(at.text() == "token-0");
  at.where.answer(door::sign_in, 503, "{}");
  at.time.pass(3'300'000);
  CHECK(at.text() == "token-0");
  CHECK(at.text() == "token-0");
  CHECK(at.where.count(door::sign_in) == 2);
  at.time.pass(intune::token_renewal_rest_ms);
  CHECK(at.text() == "token-0");
  CHECK(at.where.count(door::sign_in) == 3);
  at.time.pass(300'000); // its end
  const auto why = at.fails();
  CHECK(why.what.code == errc::unavailable);
  CHECK(why.status == 503);
}

TEST_CASE("only the token that was refused is dropped", "[intune][token]") {
  desk at;
  const bearer first = *at.source->token(scope);
  at.source->drop("https://other/.default", first);
  CHECK(at.text() == "token-0");
  at.source->drop(scope, first);
  CHECK(at.text() == "token-1");
  at.source->drop(scope, first); // somebody else's old news
  CHECK(at.text() == "token-1");
  CHECK(first->text() == "token-0"); // still readable by whom it was given to
}

TEST_CASE("an answer that is no grant is not taken for one", "[intune][token]") {
  for (const std::string& body : std::vector<std::string>{
         "", "null", "[]", "\"token\"", "{}", "<html>", R"({"access_token":"t"})",
         R"({"token_type":"Bearer"})", R"({"token_type":"Bearer","access_token":""})",
         R"({"token_type":"Bearer","access_token":"a b"})",
         R"({"token_type":"Bearer","access_token":"a\r\nX: y"})",
         R"({"token_type":"Bearer","access_token":7})",
         R"({"token_type":"mac","access_token":"t"})",
         R"({"token_type":"Bearer","access_token":"t","expires_in":0})",
         R"({"token_type":"Bearer","access_token":"t","expires_in":-5})",
         R"({"token_type":"Bearer","access_token":"t","expires_in":"soon"})",
         R"({"token_type":"Bearer","access_token":"t","access_token":"u"})",
         R"({"token_type":"Bearer","access_token":")" + std::string(40'000, 'x') + "\"}"}) {
    CAPTURE(body.substr(0, 100));
    desk at;
    at.where.answer(door::sign_in, 200, body);
    CHECK(at.fails().what.code == errc::bad_input);
  }
}

TEST_CASE("a life is read in each form that servers use, and bounded", "[intune][token]") {
  struct line {
    const char* life;
    std::int64_t ms;
  };
  for (const line& one :
       std::vector<line>{{"", 300'000},
                         {",\"expires_in\":null", 300'000},
                         {",\"expires_in\":\"600\"", 600'000},
                         {",\"expires_in\":600.0", 600'000},
                         {",\"expires_in\":99999999999999999999", 86'400'000},
                         {",\"expires_in\":\"99999999999999999999\"", 86'400'000}}) {
    CAPTURE(one.life);
    desk at;
    at.where.answer(door::sign_in, 200,
                    std::string(R"({"token_type":"Bearer","access_token":"t")") + one.life + "}");
    CHECK(at.text() == "t");
    at.time.pass(one.ms * 9 / 10 - 1);
    CHECK(at.text() == "t");
    CHECK(at.where.count(door::sign_in) == 1);
    at.time.pass(1);
    CHECK(at.text() == "t");
    CHECK(at.where.count(door::sign_in) == 2);
  }
}

TEST_CASE("a redirect of the sign-in is refused", "[intune][token]") {
  desk at;
  at.where.answer(door::sign_in, 302, "", {{"Location", at.where.url() + "/elsewhere"}});
  const auto why = at.fails();
  CHECK(why.what.code == errc::bad_input);
  CHECK(why.what.message.find("redirect") != std::string::npos);
  CHECK(at.where.count(door::sign_in) == 1);
}

TEST_CASE("many threads ask the server once, and share its answer", "[intune][token]") {
  desk at;
  std::atomic<int> right{0};
  auto rush = [&] {
    std::vector<std::thread> threads;
    for (int i = 0; i < 12; ++i)
      threads.emplace_back([&] {
        auto got = at.source->token(scope);
        right += got && (*got)->text() == "token-0" ? 1 : 0;
      });
    for (auto& one : threads)
      one.join();
  };
  rush();
  CHECK(right == 12);
  CHECK(at.where.count(door::sign_in) == 1);
}
