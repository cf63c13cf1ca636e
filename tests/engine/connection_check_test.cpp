// `connection test` against a tenant of our own: every step, and what is said when it fails.
#include "tests/catch.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "crypto/digest.hpp"
#include "engine/connection_check.hpp"
#include "tests/connect/intune_support.hpp"
#include "tests/connect/tunnel_proxy.hpp"
#include "tests/engine/scratch.hpp"

namespace {

using namespace pfx;
using namespace pfx::test;
using engine::connection_report;
using engine::step_outcome;

/// A configuration that leads to a tenant of this process.
struct way {
  tenant there;
  scratch_folder folder;
  engine::configuration settings;

  way() {
    auto& intune = settings.intune.emplace();
    intune.tenant = test_tenant;
    intune.client_id = test_client;
    intune.login_url = there.url();
    intune.graph_url = there.url();
    intune.resource_url = there.url() + "/resource";
    intune.trusted_roots_file = folder.write("roots.pem", world().server_root);
    intune.credentials.push_back({folder.write("secret.txt", "s3cret~value\n"), {}, {}, {}});
    intune.call_timeout_ms = 5'000;
  }
  [[nodiscard]] connection_report go() const { return engine::test_connection(settings); }
};

const engine::connection_step* failed(const connection_report& in) {
  const auto found = std::ranges::find_if(
    in.steps, [](const auto& one) { return one.outcome == step_outcome::failed; });
  return found == in.steps.end() ? nullptr : &*found;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// A token as Entra makes them, as far as we read it.
std::string grant(const std::string& claims) {
  return R"({"token_type":"Bearer","expires_in":3599,"access_token":"eyJhbGciOiJSUzI1NiJ9.)"
    + crypto::to_base64url(as_bytes(claims)) + R"(.c2lnbmF0dXJl"})";
}

} // namespace

TEST_CASE("every step passes, and no challenge and no order was touched", "[engine][connection]") {
  way w;
  const auto report = w.go();
  INFO(engine::to_json(report));
  CHECK(report.passed());
  CHECK(failed(report) == nullptr);
  for (const auto& call : w.there.seen(door::service)) {
    CHECK(call.method == "GET");
    CHECK(call.body.empty());
    CHECK_FALSE(call.headers.contains("authorization"));
  }
  CHECK(w.there.count(door::sign_in) >= 2);
  CHECK(w.there.count(door::graph) >= 1);
}

TEST_CASE("without the section there is nothing to test, and it is said", "[engine][connection]") {
  const auto report = engine::test_connection({});
  CHECK_FALSE(report.passed());
  REQUIRE(report.steps.size() == 1);
  CHECK(report.steps[0].outcome == step_outcome::failed);
}

TEST_CASE("a file that is missing ends it before any call", "[engine][connection]") {
  way w;
  w.settings.intune->credentials[0].secret_file = w.folder.path("none.txt");
  const auto report = w.go();
  REQUIRE(failed(report) != nullptr);
  CHECK(failed(report)->name == "settings");
  CHECK(has(failed(report)->found, "intune.credentials[0].secretFile"));
  CHECK(w.there.count(door::sign_in) == 0);
}

TEST_CASE("a wrong secret is told with what to do, and the secret is not", "[engine][connection]") {
  way w;
  w.there.answer(
    door::sign_in, 401,
    R"({"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret."})");
  const auto report = w.go();
  REQUIRE(failed(report) != nullptr);
  CHECK(failed(report)->name == "sign-in");
  CHECK(has(failed(report)->found, "AADSTS7000215"));
  CHECK(has(failed(report)->advice, "secret is wrong"));
  CHECK(report.first_fault() == errc::unauthorized);
  CHECK_FALSE(has(engine::to_json(report), "s3cret~value"));
}

TEST_CASE("of two credentials one that is refused is told, and the other one will do",
          "[engine][connection]") {
  way w;
  w.settings.intune->credentials.push_back({w.folder.write("old.txt", "old~value"), {}, {}, {}});
  w.there.answer(door::sign_in, [](const server_request& in) -> server_response {
    if (in.body.find("old~value") != std::string::npos
        || in.body.find("old%7Evalue") != std::string::npos)
      return {
        401, {}, R"({"error":"invalid_client","error_description":"AADSTS7000222: has ended"})"};
    return {200, {}, R"({"token_type":"Bearer","expires_in":3599,"access_token":"t"})"};
  });
  const auto report = w.go();
  INFO(engine::to_json(report));
  CHECK(report.passed());
  REQUIRE(failed(report) != nullptr);
  CHECK(has(failed(report)->tried, "credentials[1]"));
  CHECK(has(failed(report)->advice, "has ended"));
}

TEST_CASE("a token without the role is told before anything is asked with it",
          "[engine][connection]") {
  way w;
  w.there.answer(door::sign_in, 200, grant(R"({"aud":"api","roles":["something_else"]})"));
  auto report = w.go();
  REQUIRE(failed(report) != nullptr);
  CHECK(failed(report)->name == "permissions");
  CHECK(has(failed(report)->advice, "scep_challenge_provider"));
  w.there.answer(door::sign_in, 200, grant(R"({"aud":"api","roles":["scep_challenge_provider"]})"));
  report = w.go();
  INFO(engine::to_json(report));
  CHECK(report.passed());
}

TEST_CASE("a missing permission of Graph is named", "[engine][connection]") {
  way w;
  w.there.answer(door::graph, 403, R"({"error":{"code":"Authorization_RequestDenied"}})");
  const auto report = w.go();
  REQUIRE(failed(report) != nullptr);
  CHECK(failed(report)->name == "discovery");
  CHECK(has(failed(report)->advice, "Application.Read.All"));
}

TEST_CASE("a tenant without the services, and services elsewhere, are told apart",
          "[engine][connection]") {
  way w;
  w.there.answer(door::graph, 200, R"({"value":[]})");
  auto report = w.go();
  REQUIRE(failed(report) != nullptr);
  CHECK(has(failed(report)->advice, "licensed"));
  w.there.answer(
    door::graph, 200,
    R"({"value":[{"providerName":"ScepRequestValidationFEService",)"
    R"("uri":"https://evil.example.test/x"},)"
    R"({"providerName":"PkiConnectorFEService","uri":"https://evil.example.test/x"}]})");
  report = w.go();
  REQUIRE(failed(report) != nullptr);
  CHECK(report.first_fault() == errc::policy);
  CHECK(has(failed(report)->advice, "intune.serviceDomains"));
}

TEST_CASE("somebody between is told as such", "[engine][connection]") {
  way w;
  w.folder.write("roots.pem", world().foreign_root);
  const auto report = w.go();
  REQUIRE(failed(report) != nullptr);
  CHECK(failed(report)->name == "sign-in");
  CHECK(has(failed(report)->advice, "TLS"));
  CHECK(w.there.count(door::sign_in) == 0);
}

TEST_CASE("a proxy that is not there is told as the proxy's fault", "[engine][connection]") {
  way w;
  w.settings.intune->proxy = engine::intune_proxy_settings{"http://127.0.0.1:1", {}};
  const auto report = w.go();
  REQUIRE(failed(report) != nullptr);
  CHECK(has(failed(report)->advice, "intune.proxy.url"));
  const auto json = nlohmann::json::parse(engine::to_json(report));
  CHECK(json.at("passed") == false);
  CHECK(json.at("steps").back().at("outcome") == "failed");
}
