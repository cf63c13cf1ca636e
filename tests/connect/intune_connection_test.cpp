// A connection's settings, clouds, probe and end.
#include "tests/catch.hpp"

#include <chrono>

#include "tests/connect/intune_support.hpp"
#include "tests/connect/tunnel_proxy.hpp"

using namespace pfx;
using namespace pfx::test;
using intune::connection_settings;

namespace {

connection_settings plain() {
  connection_settings out;
  out.where = *intune::cloud_named("public");
  out.tenant = "contoso.onmicrosoft.com";
  out.client_id = test_client;
  out.credentials.push_back(secret_credential("s3cret"));
  out.caller = "pfxengine 0.1.0";
  return out;
}

std::string wrong(const std::function<void(connection_settings&)>& change) {
  auto settings = plain();
  change(settings);
  auto made = intune::connection::make(std::move(settings));
  return made ? "(accepted)" : made.error().field;
}

} // namespace

TEST_CASE("each required setting is missed by name when it is blank", "[intune][settings]") {
  CHECK(wrong([](auto&) {}) == "(accepted)");
  for (const char* blank : {"", "  "}) {
    CHECK(wrong([&](auto& s) { s.tenant = blank; }) == "tenant");
    CHECK(wrong([&](auto& s) { s.client_id = blank; }) == "clientId");
    CHECK(wrong([&](auto& s) { s.caller = blank; }) == "callerInfo");
    CHECK(wrong([&](auto& s) { s.credentials[0] = secret_credential(blank); })
          == "credentials[0].secret");
  }
  CHECK(wrong([](auto& s) { s.credentials.clear(); }) == "credentials");
}

TEST_CASE("each optional setting may be replaced, not broken", "[intune][settings]") {
  CHECK(wrong([](auto& s) { s.intune_app_id = "c161e42e-d4df-4a3d-9b42-e7a3c31f59d4"; })
        == "(accepted)");
  CHECK(wrong([](auto& s) { s.graph_version = "beta"; }) == "(accepted)");
  CHECK(wrong([](auto& s) { s.scep_version = "2019-01-01"; }) == "(accepted)");
  CHECK(wrong([](auto& s) { s.revocation_version = "2019-05-05"; }) == "(accepted)");
  CHECK(wrong([](auto& s) { s.intune_app_id = ""; }) == "intuneAppId");
  CHECK(wrong([](auto& s) { s.intune_app_id = "a/b"; }) == "intuneAppId");
  CHECK(wrong([](auto& s) { s.graph_version = "v1.0/../x"; }) == "graphVersion");
  CHECK(wrong([](auto& s) { s.scep_version = "a\r\nX: y"; }) == "scepVersion");
  CHECK(wrong([](auto& s) { s.revocation_version = ""; }) == "revocationVersion");
  CHECK(wrong([](auto& s) { s.caller = "B\xc3\xbcro 1"; }) == "callerInfo");
  CHECK(wrong([](auto& s) { s.network.trusted_roots_pem = "nonsense"; }) == "trusted_roots_pem");
  CHECK(wrong([](auto& s) {
          s.network.proxy.emplace();
          s.network.proxy->url = "proxy.example:3128";
        })
        == "proxy.url");
}

TEST_CASE("addresses may be replaced by https addresses alone", "[intune][settings]") {
  for (const char* address : {"http://localhost:1", "localhost", "", "https://user@x.example",
                              "https://x.example/?y", "file:///etc/passwd"}) {
    CAPTURE(address);
    CHECK(wrong([&](auto& s) { s.where.login = address; }) == "login");
    CHECK(wrong([&](auto& s) { s.where.graph = address; }) == "graph");
    CHECK(wrong([&](auto& s) { s.where.intune_resource = address; }) == "intuneResource");
  }
  CHECK(wrong([](auto& s) { s.where.domains.clear(); }) == "domains");
  for (const char* domain :
       {"", "*", "*.example", "https://x.example", "x.example/", "x.example:1"})
    CHECK(wrong([&](auto& s) { s.where.domains = {domain}; }) == "domains");
}

TEST_CASE("tenants are single ones", "[intune][settings]") {
  for (const char* tenant : {"common", "Organizations", "consumers", "a/b", "a b", "a?b", "..",
                             "a..b", ".a", "%2e", "\xc3\xa4.example"}) {
    CAPTURE(tenant);
    CHECK(wrong([&](auto& s) { s.tenant = tenant; }) == "tenant");
  }
}

TEST_CASE("clouds have their addresses and scopes", "[intune][clouds]") {
  const auto common = *intune::checked(*intune::cloud_named("public"));
  CHECK(*intune::token_address(common, "t.example")
        == "https://login.microsoftonline.com/t.example/oauth2/v2.0/token");
  CHECK(intune::intune_scope(common) == "https://api.manage.microsoft.com//.default");
  CHECK(intune::graph_scope(common) == "https://graph.microsoft.com/.default");
  const auto government = *intune::checked(*intune::cloud_named("usGovernment"));
  CHECK(government.login == "https://login.microsoftonline.us");
  CHECK(intune::intune_scope(government) == "https://api.manage.microsoft.us//.default");
  CHECK(intune::graph_scope(government) == "https://graph.microsoft.us/.default");
  CHECK(intune::cloud_named("usGovernmentDod")->graph == "https://dod-graph.microsoft.us");
  CHECK(intune::cloud_names().size() == 4);
  CHECK(intune::cloud_named("mars").error().field == "cloud");
  CHECK(intune::cloud_named("Public").error().field == "cloud");
}

TEST_CASE("the resource in China must be given, nobody published it", "[intune][clouds]") {
  auto china = *intune::cloud_named("china");
  CHECK(intune::checked(china).error().field == "intuneResource");
  for (const char* resource : {"https://api.example.cn", "https://api.example.cn/",
                               "https://api.example.cn//", "HTTPS://API.example.cn"}) {
    china.intune_resource = resource;
    CHECK(intune::intune_scope(*intune::checked(china)) == "https://api.example.cn//.default");
  }
}

TEST_CASE("a probe asks for tokens and addresses and spends nothing", "[intune][probe]") {
  tenant where;
  auto over = open(where.settings());
  auto found = over->probe();
  REQUIRE(found.has_value());
  REQUIRE(found->size() == 2);
  CHECK((*found)[1].uri == where.url() + "/RACerts/StatelessPkiConnectorService");
  CHECK(where.count(door::sign_in) == 2);
  CHECK(where.count(door::graph) == 1);
  CHECK(where.count(door::service) == 0);
  where.answer(door::sign_in, 400,
               R"({"error":"invalid_scope","error_description":"AADSTS70011: x"})");
  auto closed = open(where.settings());
  CHECK(closed->probe().error().what.field == "scope");
}

TEST_CASE("both services go through one proxy, tokens too", "[intune][proxy]") {
  tenant where;
  tunnel_proxy proxy;
  auto settings = where.settings();
  settings.network.proxy.emplace();
  settings.network.proxy->url = proxy.url();
  auto over = open(std::move(settings));
  const auto verdict = over->scep().validate({"tx", {1}});
  if (!verdict)
    FAIL(to_string(verdict.error().what));
  CHECK(verdict->accepted());
  CHECK(proxy.tunnels() == 3); // two tokens on tunnels of their own, and a kept one
}

TEST_CASE("a cancelled connection ends its calls soon, and takes no new ones", "[intune][cancel]") {
  tenant where;
  std::promise<void> asked;
  where.answer(door::service, [&](const server_request&) {
    asked.set_value();
    server_response out{200, {}, R"({"code":"Success"})"};
    out.how.wait_ms = 20'000;
    return out;
  });
  auto over = open(where.settings());
  auto running = std::async(std::launch::async, [&] { return over->scep().validate({"tx", {1}}); });
  REQUIRE(asked.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready);
  const auto before = std::chrono::steady_clock::now();
  over->cancel();
  const auto ended = running.get();
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(3));
  REQUIRE_FALSE(ended.has_value());
  CHECK(ended.error().what.code == errc::stopping);
  const auto later = over->revocations().download("tx", 1, {});
  REQUIRE_FALSE(later.has_value());
  CHECK(later.error().what.code == errc::stopping);
  CHECK(where.count(door::service) == 1);
  CHECK(where.count(door::graph) == 1);
}

TEST_CASE("a server that is not who it must be gets nothing", "[intune][tls]") {
  tenant where;
  auto settings = where.settings();
  settings.network.trusted_roots_pem = world().foreign_root;
  auto over = open(std::move(settings));
  const auto got = over->scep().validate({"tx", {1}});
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().what.code == errc::unauthorized);
  CHECK(got.error().status == 0);
  CHECK(where.count(door::sign_in) == 0);
}

TEST_CASE("many threads share one connection", "[intune][threads]") {
  tenant where;
  auto over = open(where.settings());
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        auto verdict = over->scep().validate({"tx", {1}});
        right += verdict && verdict->accepted() ? 1 : 0;
      }
    });
  for (auto& one : threads)
    one.join();
  CHECK(right == 80);
  CHECK(where.count(door::sign_in) == 2);
  CHECK(where.count(door::graph) == 1);
}
