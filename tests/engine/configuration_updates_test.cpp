// The section "updates" of a configuration, and the commands that rest on it.
#include "engine/configuration.hpp"
#include "engine/updates.hpp"
#include "tests/catch.hpp"
#include "tests/engine/scratch.hpp"

using namespace pfx;

namespace {

std::string with(const std::string& updates) {
  return R"({"dataDirectory": "data", "masterKeyFile": "/etc/pfxengine/master.key",
    "service": {"url": "https://service.example.test/pfx", "tenant": "example"},
    "authorities": [{"name": "CA", "url": "https://ca.example.test", "chainRootsFile": "ca.pem"}],
    "recipients": {"trustFile": "devices.pem"})"
    + (updates.empty() ? "" : ", \"updates\": " + updates) + "}";
}

/// The field of the first fault; empty if there is none.
std::string fault_of(const std::string& updates) {
  const auto read = engine::parse_configuration(with(updates), "/srv/conf");
  return read ? "" : read.error().faults.front().field;
}

} // namespace

TEST_CASE("updates are left out, or have a feed and sensible defaults", "[engine][updates]") {
  CHECK_FALSE(engine::parse_configuration(with(""), "/srv/conf")->updates);
  const auto read
    = engine::parse_configuration(with(R"({"feed": "https://x.example.test/feed"})"), "/srv/conf");
  REQUIRE(read);
  REQUIRE(read->updates);
  CHECK(read->updates->directory == "/srv/conf/data-updates");
  CHECK(read->updates->apply == "manual");
  CHECK(read->updates->check_interval_ms == 21'600'000);
  const auto again = engine::parse_configuration(engine::to_json(*read), "/srv/conf");
  REQUIRE(again);
  CHECK(engine::to_json(*again) == engine::to_json(*read));
}

TEST_CASE("settings of updates that cannot work are named", "[engine][updates]") {
  CHECK(fault_of(R"({"feed": "/media/feed"})").empty());
  CHECK(fault_of("{}") == "updates.feed");
  for (const auto* feed : {"http://x.example.test", "feed", "https://", "https://a@b/x", "",
                           "ftp://x", "https://x/feed?a=b"})
    CHECK(fault_of(R"({"feed": ")" + std::string(feed) + "\"}") == "updates.feed");
  const auto more
    = [](const std::string& rest) { return fault_of(R"({"feed": "/media/feed", )" + rest + "}"); };
  CHECK(more(R"("window": "sat,sun 22:00-04:00")").empty());
  CHECK(more(R"("window": "22-04")") == "updates.window");
  CHECK(more(R"("apply": "always")") == "updates.apply");
  CHECK(more(R"("checkIntervalSeconds": 0)") == "updates.checkIntervalSeconds");
  CHECK(more(R"("chekIntervalSeconds": 10)") == "updates.chekIntervalSeconds");
  CHECK(more(R"("directory": "data/updates")") == "updates.directory");
}

TEST_CASE("without the section the commands of updates say so", "[engine][updates]") {
  const auto read = engine::parse_configuration(with(""), "/srv/conf");
  REQUIRE(read);
  CHECK(engine::check_update(*read).error().field == "updates");
  CHECK(engine::apply_update(*read, "").error().field == "updates");
  CHECK(engine::pin_update(*read, "1").error().field == "updates");
  CHECK(engine::update_history(*read).error().field == "updates");
}
