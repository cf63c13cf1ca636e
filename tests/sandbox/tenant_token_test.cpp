// Sign-in and the list of services of the sandbox's tenant, by the rules that clients of others
// know: what Microsoft Entra refuses is refused here, with its code.
#include "connect/intune/token_request.hpp"
#include "crypto/digest.hpp"
#include "crypto/rsa_signature.hpp"
#include "tests/sandbox/tenant_support.hpp"

using namespace pfx;
using namespace pfx::test;
using nlohmann::json;

namespace {

constexpr const char* url = "https://sandbox.example.test:8443/"
                            "11111111-2222-3333-4444-555555555555/oauth2/v2.0/token";

int code_of(const server_response& got) {
  return json::parse(got.body).at("error_codes").at(0).get<int>();
}

std::string encoded(const std::string& text) {
  std::string out;
  intune::append_encoded(out, text);
  return out;
}

json claims_now() {
  const auto now = system_clock().wall() / 1000;
  return {{"aud", url},
          {"iss", bare_tenant::client_id},
          {"sub", bare_tenant::client_id},
          {"nbf", now},
          {"iat", now},
          {"exp", now + 600},
          {"jti", "one"}};
}

json header_now() {
  return {
    {"alg", "PS256"},
    {"typ", "JWT"},
    {"x5t#S256", crypto::to_base64url(crypto::sha256(bare_tenant::identity().cert.der()).octets)}};
}

std::string signed_by(const crypto::private_key& key, const json& header, const json& claims) {
  const auto input = crypto::to_base64url(as_bytes(header.dump())) + "."
    + crypto::to_base64url(as_bytes(claims.dump()));
  return input + "." + crypto::to_base64url(good(crypto::sign_pss_sha256(key, as_bytes(input))));
}

std::string assertion_form(const std::string& assertion) {
  return std::string("grant_type=client_credentials&client_id=") + bare_tenant::client_id
    + "&scope=" + encoded("https://api.manage.microsoft.com//.default")
    + "&client_assertion_type=" + encoded("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
    + "&client_assertion=" + encoded(assertion);
}

server_response with(bare_tenant& at, const json& header, const json& claims) {
  return at.sign_in(assertion_form(signed_by(bare_tenant::identity().key, header, claims)));
}

std::string changed(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

} // namespace

TEST_CASE("a secret gets a token for the resource with two slashes", "[tenant][token]") {
  bare_tenant at;
  const auto got = at.sign_in(at.form(encoded("https://api.manage.microsoft.com//.default")));
  CHECK(got.status == 200);
  const auto body = json::parse(got.body);
  CHECK(body.at("token_type") == "Bearer");
  CHECK(body.at("expires_in") == 3599);
  CHECK(body.at("access_token").get<std::string>().size() > 100);
  CHECK(got.headers.at("Cache-Control").find("no-store") != std::string::npos);
  CHECK_FALSE(at.journal_has(body.at("access_token").get<std::string>()));
  CHECK_FALSE(at.journal_has(bare_tenant::secret));
}

TEST_CASE("with one slash it is another resource, which is not in the tenant", "[tenant][token]") {
  bare_tenant at;
  const auto got = at.sign_in(at.form(encoded("https://api.manage.microsoft.com/.default")));
  CHECK(got.status == 400);
  CHECK(code_of(got) == 500011);
  CHECK(json::parse(got.body).at("error") == "invalid_resource");
  CHECK(at.journal_has("AADSTS500011"));
}

TEST_CASE("what is wrong with a form is refused with its code", "[tenant][token]") {
  bare_tenant at;
  const auto right = at.form(encoded("https://api.manage.microsoft.com//.default"));
  const auto secret = std::string("client_secret=s3cret%7Evalue");
  struct row {
    std::string form;
    int status;
    int code;
  };
  for (const auto& one : std::vector<row>{
         {changed(right, secret, "client_secret=wrong"), 401, 7000215},
         {changed(right, secret, "nothing=here"), 401, 7000218},
         {right + "&client_assertion=x", 401, 7000218},
         {changed(right, "client_credentials", "password"), 400, 70003},
         {changed(right, "grant_type=client_credentials&", ""), 400, 900144},
         {changed(right, "aaaaaaaa", "bbbbbbbb"), 400, 700016},
         {changed(right, "client_id", "client"), 400, 900144},
         {right + "&scope=twice", 400, 900144},
         {changed(right, "%7E", "%7"), 400, 900144},
         {changed(right, ".default", "User.Read"), 400, 1002012},
         {changed(right, "&scope=", "&scop="), 400, 900144},
         {changed(right, "api.manage", "other.manage"), 400, 500011},
         {"", 400, 900144},
       }) {
    CAPTURE(one.form);
    const auto got = at.sign_in(one.form);
    CHECK(got.status == one.status);
    CHECK(code_of(got) == one.code);
  }
  CHECK(code_of(at.sign_in(right, "99999999-2222-3333-4444-555555555555")) == 90002);
  CHECK(at.send("GET", "/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token", {}, "").status
        == 405);
  CHECK(at.send("POST", "/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token",
                {{"content-type", "application/json"}}, right)
          .status
        == 400);
}

TEST_CASE("an assertion gets a token once", "[tenant][token]") {
  bare_tenant at;
  const auto form = assertion_form(good(intune::make_assertion(
    bare_tenant::identity(), {url, bare_tenant::client_id, system_clock().wall()})));
  CHECK(at.sign_in(form).status == 200);
  const auto again = at.sign_in(form);
  CHECK(again.status == 401);
  CHECK(code_of(again) == 50027);
  CHECK(json::parse(again.body).at("error") == "invalid_client");
  CHECK(at.journal_has("its jti was used before"));
}

TEST_CASE("where it is wanted an assertion is good until it ends", "[tenant][token]") {
  bare_tenant at([](auto& options) { options.sign_in.assertions_again = true; });
  CHECK(with(at, header_now(), claims_now()).status == 200);
  CHECK(with(at, header_now(), claims_now()).status == 200);
  auto nameless = claims_now();
  nameless.erase("jti");
  CHECK(code_of(with(at, header_now(), nameless)) == 50027);
  auto late = claims_now();
  late["exp"] = late["exp"].get<std::int64_t>() - 3600;
  CHECK(code_of(with(at, header_now(), late)) == 700024);
}

TEST_CASE("an assertion is refused for each thing that is wrong with it", "[tenant][token]") {
  bare_tenant at;
  const auto now = system_clock().wall() / 1000;
  const auto refused = [&](const char* name, const json& value, int code, bool of_header = false) {
    CAPTURE(name);
    auto header = header_now();
    auto claims = claims_now();
    auto& where = of_header ? header : claims;
    if (value.is_null()) {
      where.erase(name);
    } else {
      where[name] = value;
    }
    const auto got = with(at, header, claims);
    CHECK(got.status == 401);
    CHECK(code_of(got) == code);
  };
  refused("aud", "https://login.microsoftonline.com/x/oauth2/v2.0/token", 700023);
  refused("aud", json::array({url, "another"}), 700023);
  refused("aud", nullptr, 700023);
  refused("iss", "somebody else", 700021);
  refused("sub", "somebody else", 700021);
  refused("exp", now - 3600, 700024);
  refused("exp", now + 3600, 700024);
  refused("exp", nullptr, 700024);
  refused("nbf", now + 3600, 700024);
  refused("jti", nullptr, 50027);
  refused("alg", "RS256", 700027, true); // the signature is a PS256 one
  refused("alg", "ES256", 700027, true);
  refused("alg", "none", 700027, true);
  refused("x5t#S256", "AAAA", 700027, true);
  refused("x5t#S256", nullptr, 700027, true);
  refused("x5t#S256", 5, 700027, true);
  refused("x5t", "AAAA", 700027, true); // beside a right one
  refused("crit", json::array({"b64"}), 700027, true);
  CHECK(with(at, header_now(), claims_now()).status == 200);
}

TEST_CASE("an assertion's times may have fractions", "[tenant][token]") {
  bare_tenant at;
  auto claims = claims_now();
  for (const char* name : {"nbf", "iat", "exp"}) {
    claims[name] = static_cast<double>(claims[name].get<std::int64_t>()) - 0.5;
  }
  CHECK(with(at, header_now(), claims).status == 200);
  claims["jti"] = "two";
  claims["exp"] = 1e300;
  CHECK(code_of(with(at, header_now(), claims)) == 700024);
}

TEST_CASE("an assertion may name its certificate by SHA-1 alone, padded as MSAL does",
          "[tenant][token]") {
  bare_tenant at;
  auto header = header_now();
  header.erase("x5t#S256");
  header["x5t"] = crypto::to_base64url(crypto::sha1(bare_tenant::identity().cert.der())) + "=";
  CHECK(with(at, header, claims_now()).status == 200);
}

TEST_CASE("an assertion with the signature of another key, or none, is refused",
          "[tenant][token]") {
  bare_tenant at;
  const auto other = good(crypto::private_key::generate(key_algorithm::rsa2048));
  CHECK(code_of(at.sign_in(assertion_form(signed_by(other, header_now(), claims_now()))))
        == 700027);
  const auto right = signed_by(bare_tenant::identity().key, header_now(), claims_now());
  const auto head = right.substr(0, right.rfind('.'));
  for (const auto& text : {head + ".", head, head + ".AAAA", std::string("..")}) {
    CAPTURE(text);
    CHECK(at.sign_in(assertion_form(text)).status == 401);
  }
  CHECK(at.sign_in(assertion_form(right)).status == 200); // none of these used it up
}

TEST_CASE("libraries that ask where the sign-in is are told", "[tenant][discovery]") {
  bare_tenant at;
  const std::string tail = "/v2.0/.well-known/openid-configuration";
  const auto got = at.send("GET", "/" + std::string(bare_tenant::tenant_id) + tail, {}, "");
  REQUIRE(got.status == 200);
  CHECK(json::parse(got.body).at("token_endpoint") == url);
  CHECK(at.send("GET", "/99999999-2222-3333-4444-555555555555" + tail, {}, "").status == 400);
  CHECK(at.send("POST", "/" + std::string(bare_tenant::tenant_id) + tail, {}, "").status == 405);
}

TEST_CASE("the list of services needs a token of Graph", "[tenant][discovery]") {
  bare_tenant at;
  const auto target
    = std::string("/v1.0/servicePrincipals/appId=") + sandbox::intune_app_id + "/endpoints";
  CHECK(at.send("GET", target, {}, "").status == 401);
  CHECK(at.send("GET", target, {{"authorization", "Bearer " + at.token()}}, "").status == 401);
  CHECK(at.send("GET", target, {{"authorization", "Bearer forged"}}, "").status == 401);
  const auto graph = at.token(encoded("https://graph.microsoft.com/.default"));
  const auto got = at.send("GET", target, {{"authorization", "Bearer " + graph}}, "");
  REQUIRE(got.status == 200);
  const auto body = json::parse(got.body);
  CHECK_FALSE(body.contains("@odata.nextLink"));
  std::map<std::string, std::string> uris;
  for (const auto& one : body.at("value")) {
    uris[one.at("providerName")] = one.at("uri");
  }
  CHECK(uris.at("PkiConnectorFEService")
        == std::string(bare_tenant::base) + "/RACerts/StatelessPkiConnectorService/");
  CHECK(uris.contains("ScepRequestValidationFEService"));
  CHECK(at.send("GET",
                std::string("/v1.0/servicePrincipals(appId='") + sandbox::intune_app_id
                  + "')/endpoints",
                {{"authorization", "Bearer " + graph}}, "")
          .status
        == 200);
  CHECK(at.send("GET", "/v1.0/servicePrincipals/appId=another/endpoints",
                {{"authorization", "Bearer " + graph}}, "")
          .status
        == 404);
}

TEST_CASE("an odd list comes in pages, in odd case, with a service twice", "[tenant][discovery]") {
  bare_tenant at([](auto& options) { options.odd_directory = true; });
  const auto graph = at.token(encoded("https://localhost:8443/.default"));
  std::string target
    = std::string("/v1.0/servicePrincipals/appId=") + sandbox::intune_app_id + "/endpoints";
  std::vector<std::string> names;
  for (int page = 0; page < 10 && !target.empty(); ++page) {
    const auto got = at.send("GET", target, {{"authorization", "Bearer " + graph}}, "");
    REQUIRE(got.status == 200);
    const auto body = json::parse(got.body);
    CHECK(body.at("value").size() <= 2);
    for (const auto& one : body.at("value")) {
      names.push_back(one.at("providerName"));
    }
    const auto next = body.value("@odata.nextLink", std::string());
    CHECK((next.empty() || next.starts_with(bare_tenant::base)));
    target = next.empty() ? "" : next.substr(std::string(bare_tenant::base).size());
  }
  CHECK(names
        == std::vector<std::string>{"DeviceEnrollmentFEService", "SCEPREQUESTVALIDATIONFESERVICE",
                                    "StatelessUserFEService", "pkiconnectorfeservice",
                                    "PkiConnectorFEService"});
}
