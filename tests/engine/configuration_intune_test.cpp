// The section "intune" of the configuration: what is read, refused, and looked at in depth.
#include "tests/catch.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "engine/intune.hpp"
#include "tests/connect/intune_support.hpp"
#include "tests/engine/scratch.hpp"

namespace {

using namespace pfx;
using engine::configuration;
using nlohmann::json;

json file_with(json intune) {
  json file{{"dataDirectory", "data"},
            {"masterKeyFile", "/etc/pfxengine/master.key"},
            {"service", {{"url", "https://service.example.test"}, {"tenant", "example"}}},
            {"authorities", json::array()},
            {"recipients", {{"trustFile", "devices.pem"}}}};
  if (!intune.is_null())
    file["intune"] = std::move(intune);
  return file;
}

json small() {
  return {{"tenant", "contoso.onmicrosoft.com"},
          {"clientId", "7c7c7c7c-0000-4000-8000-000000000001"},
          {"credentials", {{{"secretFile", "secret.txt"}, {"expires", "2027-01-31"}}}}};
}

tl::expected<configuration, engine::configuration_faults> read(json intune,
                                                               const std::string& folder = "/srv") {
  return engine::parse_configuration(file_with(std::move(intune)).dump(), folder);
}

std::string faults_of(json intune) {
  const auto got = read(std::move(intune));
  std::string text;
  if (!got)
    for (const auto& one : got.error().faults)
      text += to_string(one) + "\n";
  return text;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string all_of(const std::vector<error>& faults) {
  std::string text;
  for (const auto& one : faults)
    text += to_string(one) + "\n";
  return text;
}

} // namespace

TEST_CASE("without a section there is no connection, and none is written",
          "[engine][configuration][intune]") {
  const auto got = read(nullptr);
  REQUIRE(got);
  CHECK_FALSE(got->intune);
  CHECK_FALSE(json::parse(engine::to_json(*got)).contains("intune"));
}

TEST_CASE("a small section has the defaults of the rest", "[engine][configuration][intune]") {
  const auto got = read(small());
  INFO(faults_of(small()));
  REQUIRE(got);
  REQUIRE(got->intune);
  CHECK(got->intune->cloud == "public");
  CHECK(got->intune->credentials.at(0).secret_file == "/srv/secret.txt");
  CHECK(got->intune->revocations_enabled);
  CHECK(got->intune->poll_interval_ms == 3'600'000);
  CHECK(got->intune->orders_max == 100);
  CHECK(got->intune->orders_per_hour == 500);
  CHECK(got->intune->retry_ms == 5'000);
  CHECK_FALSE(got->intune->proxy);
}

TEST_CASE("every setting of the section reads back as it was written",
          "[engine][configuration][intune]") {
  auto value = small();
  value["cloud"] = "usGovernment";
  value["loginUrl"] = "https://127.0.0.1:8443";
  value["graphUrl"] = "https://127.0.0.1:8443/graph";
  value["resourceUrl"] = "https://api.example.test/";
  value["serviceDomains"] = {"example.test"};
  value["trustedRootsFile"] = "roots.pem";
  value["proxy"] = {{"url", "http://proxy.example.test:3128"}, {"userFile", "proxy.txt"}};
  value["callTimeoutSeconds"] = 1.5;
  value["credentials"].push_back({{"certificateFile", "app.pem"}, {"keyFile", "app.key"}});
  value["revocations"] = {{"enabled", false},
                          {"pollIntervalSeconds", 0.5},
                          {"ordersMax", 7},
                          {"perHour", 9},
                          {"retrySeconds", 0.2}};
  const auto got = read(value);
  INFO(faults_of(value));
  REQUIRE(got);
  CHECK_FALSE(got->intune->revocations_enabled);
  CHECK(got->intune->proxy->user_file == "/srv/proxy.txt");
  const auto text = engine::to_json(*got);
  const auto again = engine::parse_configuration(text, "/elsewhere");
  REQUIRE(again);
  CHECK(engine::to_json(*again) == text);
}

TEST_CASE("addresses left empty are the cloud's; a Graph of one's own is believed about its host",
          "[engine][configuration][intune]") {
  auto value = small();
  value["loginUrl"] = "";
  value["graphUrl"] = "";
  auto where = engine::detail::cloud_of(*read(value)->intune);
  REQUIRE(where);
  CHECK(where->login == "https://login.microsoftonline.com");
  CHECK(where->domains == std::vector<std::string>{"manage.microsoft.com"});
  value["graphUrl"] = "https://sandbox.example.test:8443";
  where = engine::detail::cloud_of(*read(value)->intune);
  REQUIRE(where);
  CHECK(where->graph == "https://sandbox.example.test:8443");
  CHECK(std::ranges::count(where->domains, "sandbox.example.test") == 1);
}

TEST_CASE("what is missing or wrong in the section is refused by name",
          "[engine][configuration][intune]") {
  const auto with = [](const char* pointer, json value) {
    auto file = small();
    file[json::json_pointer(pointer)] = std::move(value);
    return faults_of(std::move(file));
  };
  CHECK(has(faults_of(json::object()), "intune.tenant"));
  CHECK(has(faults_of(json::object()), "intune.clientId"));
  CHECK(has(faults_of(json::object()), "intune.credentials"));
  CHECK(has(with("/cloud", "moon"), "intune.cloud"));
  CHECK(has(with("/cloud", "china"), "intune.resourceUrl"));
  CHECK(has(with("/tenant", "common"), "intune.tenant"));
  CHECK(has(with("/tenant", "a/b"), "intune.tenant"));
  CHECK(has(with("/loginUrl", "http://login.example.test"), "intune.loginUrl"));
  CHECK(has(with("/graphUrl", "https://user@graph.example.test"), "intune.graphUrl"));
  CHECK_FALSE(has(with("/graphUrl", "https://user:pa55@graph.example.test"), "pa55"));
  CHECK(has(with("/credentials", json::array()), "intune.credentials"));
  CHECK(has(with("/credentials/0", json::object()), "intune.credentials[0]"));
  CHECK(has(with("/credentials/0/certificateFile", "c.pem"), "intune.credentials[0]"));
  CHECK(has(with("/credentials/0", json{{"certificateFile", "c.pem"}}), "keyFile"));
  CHECK(has(with("/credentials/0/expires", "31.1.2027"), "intune.credentials[0].expires"));
  CHECK(has(with("/credentials/0/expires", "2027-02-30"), "intune.credentials[0].expires"));
  CHECK(has(with("/credentials/0/secret", "s3cret"), "intune.credentials[0].secret"));
  CHECK_FALSE(has(with("/credentials/0/secret", "s3cret"), "s3cret\""));
  CHECK(has(with("/proxy", json::object()), "intune.proxy.url"));
  CHECK(has(with("/proxy", json{{"url", "proxy.example.test:3128"}}), "intune.proxy.url"));
  CHECK(has(with("/proxy", json{{"url", "http://u:pa55@p.test:3128"}}), "intune.proxy.url"));
  CHECK_FALSE(has(with("/proxy", json{{"url", "http://u:pa55@p.test:3128"}}), "pa55"));
  CHECK(has(with("/revocations/enabled", "yes"), "intune.revocations.enabled"));
  CHECK(has(with("/revocations/ordersMax", 501), "intune.revocations.ordersMax"));
  CHECK(has(with("/revocations/perHour", 0), "intune.revocations.perHour"));
  CHECK(has(with("/revocation", json::object()), "did you mean \"revocations\""));
  CHECK(has(faults_of(json::array()), "intune"));
  auto many = small();
  for (int i = 0; i < 8; ++i)
    many["credentials"].push_back({{"secretFile", "more.txt"}});
  CHECK(has(faults_of(many), "intune.credentials"));
}

TEST_CASE("a deep check reads every file of the section", "[engine][configuration][intune]") {
  const pfx::test::scratch_folder folder;
  auto value = small();
  value["trustedRootsFile"] = "roots.pem";
  value["proxy"] = {{"url", "http://127.0.0.1:3128"}, {"userFile", "proxy.txt"}};
  value["credentials"].push_back({{"certificateFile", "app.pem"}, {"keyFile", "app.key"}});
  const auto settings = read(value, folder.path("."));
  REQUIRE(settings);
  auto text = all_of(engine::check_configuration(*settings));
  CHECK(has(text, "intune.trustedRootsFile"));
  CHECK(has(text, "intune.proxy.userFile"));
  CHECK(has(text, "intune.credentials[0].secretFile"));
  CHECK(has(text, "intune.credentials[1].certificateFile"));

  const auto client = pfx::test::certificate_credential();
  const auto& pair = std::get<pfx::connect::intune::client_certificate>(client.proof);
  const auto key = pair.key.to_pem();
  folder.write("app.pem", pair.cert.pem());
  folder.write("app.key", key->text(), 0644);
  folder.write("secret.txt", "s3cret value\n");
  folder.write("proxy.txt", "no colon");
  folder.write("roots.pem", pfx::test::world().server_root);
  text = all_of(engine::check_configuration(*settings));
  CHECK_FALSE(has(text, "intune.trustedRootsFile"));
  CHECK(has(text, "intune.credentials[0].secretFile: has a space"));
  CHECK_FALSE(has(text, "s3cret"));
  CHECK(has(text, "0600"));
  CHECK(has(text, "must hold user:password"));

  folder.write("app.key", key->text());
  folder.write("secret.txt", "s3cret~value\n");
  folder.write("proxy.txt", "user:pass:word\n");
  text = all_of(engine::check_configuration(*settings));
  INFO(text);
  CHECK_FALSE(has(text, "intune."));
  const auto proxy = engine::detail::read_proxy(*settings->intune);
  REQUIRE(proxy);
  CHECK((*proxy)->user == "user");
  CHECK((*proxy)->password.text() == "pass:word");
  CHECK(engine::detail::connection_settings_of(*settings->intune));
}

TEST_CASE("what soon ends is noted, what has ended is a fault once nothing is left",
          "[engine][configuration][intune]") {
  const pfx::test::scratch_folder folder;
  folder.write("secret.txt", "s3cret~value\n");
  const auto day = [](std::int64_t days) {
    return to_rfc3339(system_clock().wall() + days * 86'400'000).substr(0, 10);
  };
  auto value = small();
  value["credentials"][0]["expires"] = day(59);
  auto notes = engine::configuration_notes(*read(value, folder.path(".")));
  REQUIRE(notes.size() == 1);
  CHECK(has(notes[0], "intune.credentials[0]: ends at"));
  value["credentials"][0]["expires"] = day(70);
  CHECK(engine::configuration_notes(*read(value, folder.path("."))).empty());
  value["credentials"][0]["expires"] = day(-1);
  CHECK(has(all_of(engine::check_configuration(*read(value, folder.path(".")))),
            "intune.credentials: each of them has ended"));
}
