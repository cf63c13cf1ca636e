// A file of faults: what it may say, and that each of its own faults is named by its path.
#include <algorithm>
#include <fstream>

#include "sandbox/fault_plan.hpp"
#include "sandbox/fault_table.hpp"
#include "tests/catch.hpp"
#include "tests/sandbox/support.hpp"

using namespace pfx;
using namespace pfx::sandbox;

namespace {

fault_plan read(const std::string& text) {
  auto out = read_fault_plan(text);
  if (!out) {
    FAIL(to_string(out.error().faults.front()));
  }
  return std::move(*out);
}

/// The paths of all faults.
std::vector<std::string> fields(const std::string& text) {
  const auto out = read_fault_plan(text);
  REQUIRE_FALSE(out);
  std::vector<std::string> paths;
  for (const auto& one : out.error().faults) {
    CHECK(one.code == errc::bad_input);
    CHECK_FALSE(one.message.empty());
    paths.push_back(one.field);
  }
  return paths;
}

std::vector<std::string> rule_fields(const std::string& rule) {
  return fields("{\"faults\":[" + rule + "]}");
}

using paths = std::vector<std::string>;

} // namespace

TEST_CASE("a file of faults may have comments and says all there is to say", "[faults]") {
  const auto plan = read(R"(// to be read by people
    {"until": {"seconds": 2.5, "calls": 100}, /* both */
     "faults": [
       {"fault": "status", "share": 0.25, "status": 429, "retryAfter": -3, "when": "after"},
       {"fault": "status", "numbers": [7, 3], "retryAfter": {"date": 315360000}, "span": 4},
       {"fault": "status", "share": 1, "retryAfter": "soon"},
       {"fault": "late", "share": 0, "seconds": 0.5, "calls": ["PfxRequests/upload"], "most": 2},
       {"fault": "certificate", "numbers": [1], "which": "wrongName", "handshakes": 9},
       {"fault": "pending", "share": 0.1, "answers": 4}]})");
  CHECK(plan.until_ms == 2'500);
  CHECK(plan.until_calls == 100);
  REQUIRE(plan.rules.size() == 6);
  CHECK(plan.rules[0].retry_after == std::optional<std::string>("-3"));
  CHECK(plan.rules[0].handled);
  CHECK(plan.rules[1].numbers == std::vector<std::uint64_t>{3, 7});
  CHECK(plan.rules[1].retry_after_date_s == std::optional<std::int64_t>(315'360'000));
  CHECK(plan.rules[1].span == 4);
  CHECK_FALSE(plan.rules[1].handled);
  CHECK(plan.rules[2].retry_after == std::optional<std::string>("soon"));
  CHECK(plan.rules[3].ms == 500);
  CHECK(plan.rules[3].handled); // an answer that is late was made in time
  CHECK(plan.rules[4].which == bad_certificate::wrong_name);
  CHECK(plan.rules[5].answers == 4);
  CHECK(read("{\"faults\":[]}").rules.empty());
}

TEST_CASE("every fault of a file of faults is named by its path, all at once", "[faults]") {
  CHECK(fields("{\"until\":{\"seconds\":0,\"hours\":1},\"fault\":[]}")
        == paths{"fault", "until.hours", "until.seconds", "faults"});
  CHECK(rule_fields(R"({"fault":"wrongKey","share":2},{"fault":"close","share":0.1,"status":500})")
        == paths{"faults[0].share", "faults[1].status"});
  CHECK(rule_fields(R"({"fault":"cut"})") == paths{"faults[0]"});
  CHECK(rule_fields(R"({"fault":"cut","share":0.1,"numbers":[1]})") == paths{"faults[0]"});
  CHECK(rule_fields(R"({"share":0.1})") == paths{"faults[0].fault"});
  CHECK(rule_fields(R"({"fault":"cutt","share":0.1})") == paths{"faults[0].fault"});
  CHECK(rule_fields(R"(7)") == paths{"faults[0]"});
  CHECK(rule_fields(R"({"fault":"twice","share":0.1,"calls":["PfxRequests/upload","nothing"]})")
        == paths{"faults[0].calls[0]", "faults[0].calls[1]"});
  CHECK(rule_fields(R"({"fault":"status","share":0.1,"share":0.2})") == paths{"share"});
}

TEST_CASE("values that mean nothing are refused", "[faults]") {
  for (const auto* value : {R"("status","share":-0.1)",
                            R"("status","share":"much")",
                            R"("status","numbers":[])",
                            R"("status","numbers":[0])",
                            R"("status","numbers":[1.5])",
                            R"("status","numbers":3)",
                            R"("status","share":1,"status":200)",
                            R"("status","share":1,"status":600)",
                            R"("status","share":1,"retryAfter":1.5)",
                            R"("status","share":1,"retryAfter":"a\r\nb: c")",
                            R"("status","share":1,"retryAfter":{"date":1,"x":2})",
                            R"("status","share":1,"span":0)",
                            R"("status","share":1,"when":"while")",
                            R"("status","share":1,"calls":[])",
                            R"("status","share":1,"calls":"PfxRequests/upload")",
                            R"("late","share":1,"seconds":121)",
                            R"("late","share":1,"seconds":0)",
                            R"("drip","share":1,"seconds":-1)",
                            R"("length","share":1,"by":0)",
                            R"("twice","share":1,"count":501)",
                            R"("certificate","share":1,"which":"good")",
                            R"("certificate","share":1,"handshakes":0)",
                            R"("pending","share":1,"answers":0)",
                            R"("refuse","share":1,"most":0)"}) {
    CAPTURE(value);
    CHECK(rule_fields("{\"fault\":" + std::string(value) + "}").size() == 1);
  }
}

TEST_CASE("what is no file of faults is refused as a whole", "[faults]") {
  for (const auto* text : {"", "{", "[]", "null", "{\"faults\":{}}", "{\"faults\":[]}x",
                           "{\"faults\":[[[[[[[[[]]]]]]]]]}", "{}", "\xff"}) {
    CAPTURE(text);
    CHECK(fields(text).size() == 1);
  }
  std::string many = "{\"faults\":[";
  for (int n = 0; n < 201; ++n) {
    many += std::string(n > 0 ? "," : "") + R"({"fault":"cut","share":0})";
  }
  CHECK(fields(many + "]}") == paths{"faults"});
  const test::scratch folder;
  CHECK(load_fault_plan(folder.path("none")).error().faults.front().code == errc::not_found);
  CHECK(load_fault_plan(folder.folder()).error().faults.front().code == errc::not_found);
  std::ofstream(folder.path("large")) << std::string((1u << 20) + 1, ' ');
  CHECK(load_fault_plan(folder.path("large")).error().faults.front().code == errc::too_large);
  std::ofstream(folder.path("good")) << "{\"faults\":[{\"fault\":\"cut\",\"share\":1}]}";
  CHECK(load_fault_plan(folder.path("good"))->rules.size() == 1);
}

TEST_CASE("each fault has one name and at least one call", "[faults]") {
  std::vector<std::string> names;
  for (const auto& [name, calls] : fault_names()) {
    CAPTURE(name);
    CHECK_FALSE(calls.empty());
    CHECK(row_named(name) != nullptr);
    CHECK(name_of(row_named(name)->kind) == name);
    names.push_back(name);
  }
  CHECK(names.size() == 26);
  std::ranges::sort(names);
  CHECK(std::ranges::adjacent_find(names) == names.end());
}
