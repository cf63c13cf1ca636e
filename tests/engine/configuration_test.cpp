// The configuration file: what is read, and everything that is refused.
#include "tests/catch.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "engine/configuration.hpp"
#include "tests/engine/scratch.hpp"

namespace {

using namespace pfx::engine;
using pfx::error;

constexpr std::string_view small = R"({
  // where things lie
  "dataDirectory": "data",
  "masterKeyFile": "/etc/pfxengine/master.key",
  "service": {"url": "https://service.example.test/pfx/", "tenant": "example"}, /* no slash */
  "authorities": [
    {"name": "Example-CA", "url": "https://ca.example.test/ca", "chainRootsFile": "ca.pem"}
  ],
  "recipients": {"trustFile": "roots/devices.pem"}
})";

nlohmann::json small_json() { return nlohmann::json::parse(small, nullptr, true, true); }

std::vector<error> faults_of(std::string_view text) {
  const auto settings = parse_configuration(text, "/srv/conf");
  return settings ? std::vector<error>{} : settings.error().faults;
}
std::vector<error> faults_in(const nlohmann::json& value) { return faults_of(value.dump()); }

bool names(const std::vector<error>& faults, std::string_view field, std::string_view part = "") {
  return std::ranges::any_of(faults, [&](const error& fault) {
    return fault.field == field && fault.message.find(part) != std::string::npos;
  });
}

std::string all_text(const std::vector<error>& faults) {
  std::string text;
  for (const auto& fault : faults)
    text += to_string(fault) + "\n";
  return text;
}

/// The small file with one value put in or replaced.
nlohmann::json with(const char* pointer, nlohmann::json value) {
  auto file = small_json();
  file[nlohmann::json::json_pointer(pointer)] = std::move(value);
  return file;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

} // namespace

TEST_CASE("a small file with comments is read, and the rest has its defaults",
          "[engine][configuration]") {
  const auto settings = parse_configuration(small, "/srv/conf");
  REQUIRE(settings);
  CHECK(settings->data_directory == "/srv/conf/data");
  CHECK(settings->anchor_file == "/srv/conf/data-anchor/anchor"); // not in a backup of the former
  CHECK(settings->master_key_file == "/etc/pfxengine/master.key");
  CHECK(settings->identity_file == "/srv/conf/data/identity.json");
  CHECK(settings->control_socket == "/srv/conf/data/control.sock");
  CHECK(settings->service.url == "https://service.example.test/pfx");
  CHECK(settings->service.poll_interval_ms == 30'000);
  REQUIRE(settings->authorities.size() == 1);
  CHECK(settings->authorities[0].chain_roots_file == "/srv/conf/ca.pem");
  CHECK(settings->authorities[0].settle_ms == 120'000);
  CHECK(settings->recipients.trust_file == "/srv/conf/roots/devices.pem");
  CHECK(settings->limits.free_bytes_floor == 256u << 20);
}

TEST_CASE("issuance is closed unless the file opens it", "[engine][configuration]") {
  const auto settings = parse_configuration(small, "/srv/conf");
  REQUIRE(settings);
  CHECK(settings->issuance.authorities.empty());
  CHECK(settings->issuance.name_types.empty());
  CHECK(settings->issuance.extended_key_usages.empty());
}

TEST_CASE("units of the file become units of the program", "[engine][configuration]") {
  auto file = small_json();
  file["service"]["pollIntervalSeconds"] = 0.25;
  file["service"]["trustedRootsFile"] = "tls.pem";
  file["limits"] = {{"quarantineHours", 1.5}, {"freeSpaceFloorMebibytes", 64}, {"attemptsMax", 7}};
  file["authorities"][0]["settleSeconds"] = 3;
  const auto settings = parse_configuration(file.dump(), "/srv/conf");
  REQUIRE(settings);
  CHECK(settings->service.poll_interval_ms == 250);
  CHECK(settings->limits.quarantine_ms == 5'400'000);
  CHECK(settings->limits.free_bytes_floor == 64u << 20);
  CHECK(settings->limits.attempts_max == 7);
  CHECK(settings->authorities[0].settle_ms == 3'000);
  // An authority without roots of its own is verified by the service's.
  CHECK(settings->authorities[0].trusted_roots_file == "/srv/conf/tls.pem");
}

TEST_CASE("a key that is not known is refused with the nearest known one",
          "[engine][configuration]") {
  CHECK(names(faults_in(with("/service/pollIntervalSecond", 5)), "service.pollIntervalSecond",
              "\"pollIntervalSeconds\""));
  CHECK(names(faults_in(with("/service/pollintervalseconds", 5)), "service.pollintervalseconds",
              "\"pollIntervalSeconds\""));
  CHECK(
    names(faults_in(with("/recipient", nlohmann::json::object())), "recipient", "\"recipients\""));
  CHECK(names(faults_in(with("/authorities/0/uri", "x")), "authorities[0].uri", "\"url\""));
  // A setting at the wrong place is told its right one.
  CHECK(names(faults_in(with("/pollIntervalSeconds", 5)), "pollIntervalSeconds",
              "\"service.pollIntervalSeconds\""));
  const auto far = faults_in(with("/colourOfTheBikeShed", "green"));
  CHECK(names(far, "colourOfTheBikeShed", "is not a setting"));
  CHECK_FALSE(names(far, "colourOfTheBikeShed", "did you mean"));
}

TEST_CASE("a key that stands twice in one object is refused", "[engine][configuration]") {
  std::string text(small);
  text.replace(text.find("\"tenant\""), 8, "\"tenant\": \"other\", \"tenant\"");
  CHECK(names(faults_of(text), "service.tenant", "twice"));
  text = small;
  text.replace(text.find("\"name\""), 6, "\"name\": \"A\", \"name\"");
  CHECK(names(faults_of(text), "authorities[0].name", "twice"));
  // The same name in two objects is no fault.
  CHECK(faults_of(small).empty());
}

TEST_CASE("all faults are told at once", "[engine][configuration]") {
  auto file = small_json();
  file.erase("recipients");
  file["service"]["url"] = "http://service.example.test/pfx";
  file["service"]["pollIntervalSeconds"] = -1;
  file["limits"] = {{"attemptsMax", 2.5}, {"stopDedlineSeconds", 5}};
  file["issuance"] = {{"nameTypes", {"rfc822", "postcard"}}};
  const auto faults = faults_in(file);
  CHECK(faults.size() == 6);
  CHECK(names(faults, "recipients.trustFile", "is missing"));
  CHECK(names(faults, "service.url", "https://"));
  CHECK(names(faults, "service.pollIntervalSeconds", "between 0.1 and 3600"));
  CHECK(names(faults, "limits.attemptsMax", "whole number"));
  CHECK(names(faults, "limits.stopDedlineSeconds", "\"stopDeadlineSeconds\""));
  CHECK(names(faults, "issuance.nameTypes[1]", "directoryName"));
}

TEST_CASE("what must be there is missed by name", "[engine][configuration]") {
  const auto faults = faults_of(std::string_view("{}"));
  for (const auto* field :
       {"dataDirectory", "masterKeyFile", "service.url", "service.tenant", "recipients.trustFile"})
    CHECK(names(faults, field, "is missing"));
  CHECK(faults.size() == 5);
  CHECK(names(faults_in(with("/authorities/0", {{"name", "A"}})), "authorities[0].chainRootsFile",
              "is missing"));
  CHECK(names(faults_in(with("/recipients/trustFile", "")), "recipients.trustFile", "is empty"));
}

TEST_CASE("text that is no JSON is refused with line and column", "[engine][configuration]") {
  const auto faults = faults_of(std::string_view("{\n  \"dataDirectory\": \"x\",\n}\n"));
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].message.find("line 3, column 1") != std::string::npos);
  for (const auto* text :
       {"", "{", "[]", "null", "7", "{} {}", "{/* no end", "{\"a\":}", "\xff\xfe",
        "{\"a\":\"\xc3\"}", "{'dataDirectory': 1}", "{\"dataDirectory\": \"\x01\"}"})
    CHECK_FALSE(faults_of(std::string_view(text)).empty());
  // A million brackets are refused as quickly as seventeen.
  CHECK(faults_of(std::string(1'000'000, '[')).at(0).code == pfx::errc::too_large);
  CHECK(names(faults_in(with("/service/tenant", std::string("a\nb"))), "service.tenant",
              "control character"));
}

TEST_CASE("values of another kind or shape are refused by name", "[engine][configuration]") {
  const std::vector<std::pair<const char*, nlohmann::json>> bad = {
    {"/dataDirectory", 7},
    {"/dataDirectory", nullptr},
    {"/service", "https://service.example.test"},
    {"/authorities", {{"name", "A"}}},
    {"/authorities/0", "Example-CA"},
    {"/service/url", "https://"},
    {"/service/url", "https://user:word@service.example.test/"},
    {"/service/url", "https://service.example.test/?tenant=1"},
    {"/service/tenant", ""},
    {"/service/tenant", std::string(129, 't')},
    {"/service/requestsMax", 501},
    {"/service/requestsMax", "500"},
    {"/log", {{"level", "verbose"}}},
    {"/recipients/match", "sometimes"},
    {"/issuance", {{"nameTypes", "rfc822"}}},
    {"/issuance", {{"nameSuffixes", {"exa mple.test"}}}},
    {"/issuance", {{"nameSuffixes", {"."}}}},
    {"/issuance", {{"nameSuffixes", {""}}}},
    {"/issuance", {{"ipRanges", {"10.0.0.0/33"}}}},
    {"/issuance", {{"ipRanges", {"10.0.0.0"}}}},
    {"/issuance", {{"ipRanges", {"2001:db8::/129"}}}},
    {"/issuance", {{"securityIdentifierDomains", {"S-1-5-21-1-2"}}}},
    {"/issuance", {{"securityIdentifierDomains", {"S-1-5-32-1-2-3"}}}},
    {"/issuance", {{"extendedKeyUsages", {"2.5.29.37.0"}}}},
    {"/issuance", {{"extendedKeyUsages", {"clientAuth"}}}},
    {"/issuance", {{"extendedKeyUsages", {"1.3..6"}}}},
    {"/issuance", {{"keyAlgorithms", {"rsa1024"}}}},
    {"/issuance", {{"validityDaysMax", 0}}},
    {"/issuance", {{"authorities", {{{"name", "Other-CA"}, {"templates", {"User"}}}}}}},
    {"/issuance", {{"authorities", {{{"name", "Example-CA"}}}}}},
    {"/limits", {{"ioThreads", 1e300}}},
    {"/limits", {{"cryptoThreads", -1}}},
    {"/masterKeyFile", "data/master.key"},
    {"/controlSocket", "/" + std::string(107, 's')},
    {"/dataDirectory", std::string(5'000, 'd')},
  };
  for (const auto& [pointer, value] : bad) {
    CAPTURE(pointer, value.dump().substr(0, 80));
    CHECK_FALSE(faults_in(with(pointer, value)).empty());
  }
}

TEST_CASE("a password in an address by mistake is not repeated in the complaint",
          "[engine][configuration]") {
  const auto faults = faults_in(with("/service/url", "https://user:hunter2@service.example.test/"));
  CHECK(names(faults, "service.url"));
  CHECK(all_text(faults).find("hunter2") == std::string::npos);
}

TEST_CASE("complaints show no control character of the file", "[engine][configuration]") {
  const auto faults = faults_in(with("/\033[2Jkey", 1));
  REQUIRE(faults.size() == 1);
  CHECK(all_text(faults).find('\033') == std::string::npos);
}

TEST_CASE("two authorities may not share a name", "[engine][configuration]") {
  auto file = small_json();
  file["authorities"].push_back(file["authorities"][0]);
  CHECK(names(faults_in(file), "authorities[1].name", "earlier"));
}

TEST_CASE("a written configuration reads back the same", "[engine][configuration]") {
  auto file = small_json();
  file["issuance"]
    = {{"authorities", {{{"name", "Example-CA"}, {"templates", {"User", "Device"}}}}},
       {"nameTypes", {"rfc822"}},
       {"ipRanges", {"2001:db8::/32"}}};
  file["service"]["callTimeoutSeconds"] = 1.5;
  const auto first = parse_configuration(file.dump(), "/srv/conf");
  REQUIRE(first);
  const auto text = to_json(*first);
  const auto second = parse_configuration(text, "/elsewhere");
  REQUIRE(second);
  CHECK(to_json(*second) == text);
  CHECK(second->service.call_timeout_ms == 1'500);
  CHECK(second->issuance.authorities[0].templates == std::vector<std::string>{"User", "Device"});
}

TEST_CASE("the schema knows every setting and closes every object", "[engine][configuration]") {
  const auto schema = nlohmann::json::parse(configuration_schema());
  CHECK(schema.at("additionalProperties") == false);
  const auto& service = schema.at("properties").at("service");
  CHECK(service.at("additionalProperties") == false);
  CHECK(service.at("required") == nlohmann::json({"url", "tenant"}));
  CHECK(service.at("properties").at("pollIntervalSeconds").at("default") == 30);
  const auto written = nlohmann::json::parse(to_json(*parse_configuration(small, "/srv/conf")));
  for (const auto& [key, value] : written.items())
    CHECK(schema.at("properties").contains(key));
  CHECK(schema.at("required").size() == 4);
}

TEST_CASE("docs/configuration.md is what the table says", "[engine][configuration]") {
  CHECK(read_text(std::string(PFX_SOURCE_DIR) + "/docs/configuration.md")
        == configuration_document());
}

TEST_CASE("the example in the documentation is a configuration", "[engine][configuration]") {
  const auto document = configuration_document();
  const auto begin = document.find("```json\n") + 8;
  const auto example = document.substr(begin, document.find("```", begin) - begin);
  INFO(all_text(faults_of(std::string_view(example))));
  CHECK(parse_configuration(example, "/etc/pfxengine"));
}

TEST_CASE("a file is read with its own folder as the anchor", "[engine][configuration]") {
  const pfx::test::scratch_folder folder;
  const auto path = folder.write("conf/pfxengine.json", small);
  const auto settings = load_configuration(path);
  REQUIRE(settings);
  CHECK(settings->path == path);
  CHECK(settings->data_directory == folder.path("conf/data"));
  CHECK_FALSE(load_configuration(folder.path("none.json")));
  CHECK_FALSE(load_configuration(folder.path("conf")));
  CHECK_FALSE(load_configuration(folder.write("huge.json", std::string((1u << 20) + 1, ' '))));
}

TEST_CASE("a deep check complains about each thing that is not there", "[engine][configuration]") {
  const pfx::test::scratch_folder folder;
  const auto settings = load_configuration(folder.write("pfxengine.json", small));
  REQUIRE(settings);
  auto moved = *settings;
  moved.master_key_file = folder.path("master.key");
  const auto faults = check_configuration(moved);
  for (const auto* field :
       {"dataDirectory", "masterKeyFile", "authorities[0].chainRootsFile", "recipients.trustFile"})
    CHECK(names(faults, field));
  CHECK(names(faults, "recipients.trustFile", "devices.pem"));
}

TEST_CASE("a deep check complains about files of the wrong content or rights",
          "[engine][configuration]") {
  const pfx::test::scratch_folder folder;
  auto settings = *load_configuration(folder.write("pfxengine.json", small));
  settings.master_key_file = folder.write("master.key", std::string(64, 'a'), 0644);
  settings.recipients.trust_file = folder.write("roots.pem", "no certificate at all\n");
  std::filesystem::create_directory(settings.data_directory);
  std::filesystem::permissions(settings.data_directory, std::filesystem::perms(0755));
  settings.limits.free_bytes_floor = UINT64_MAX;
  const auto faults = check_configuration(settings);
  INFO(all_text(faults));
  CHECK(names(faults, "masterKeyFile"));
  CHECK(names(faults, "recipients.trustFile"));
  CHECK(names(faults, "dataDirectory", "0700"));
  CHECK(names(faults, "limits.freeSpaceFloorMebibytes"));
}
