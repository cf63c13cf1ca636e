// The revocation queue of the sandbox's tenant: every manner of the real one is asserted, those
// that clients suffer from too.
#include "connect/http/client.hpp"
#include "sandbox/intune/order_plan.hpp"
#include "tests/sandbox/tenant_support.hpp"

using namespace pfx;
using namespace pfx::sandbox;
using namespace pfx::test;
using nlohmann::json;

namespace {

queued_order plain(const std::string& context, std::optional<std::string> configuration = {}) {
  return {context, "5e", std::string("CN=CA"), std::move(configuration)};
}

std::vector<std::string> contexts(const std::vector<handed_order>& given) {
  std::vector<std::string> out;
  for (const auto& one : given) {
    out.push_back(one.order->context);
  }
  return out;
}

using texts = std::vector<std::string>;
constexpr boot_ms hour = 3'600'000;

} // namespace

TEST_CASE("what was handed out is kept back for the cool-down, and comes again",
          "[tenant][queue]") {
  revocation_queue queue({hour});
  for (const auto* name : {"a", "b", "c"}) {
    REQUIRE(queue.add(plain(name)));
  }
  CHECK_FALSE(queue.add(plain("a")));
  CHECK(contexts(queue.download(2, {}, 1'000)) == texts{"a", "b"});
  CHECK(contexts(queue.download(2, {}, 2'000)) == texts{"c"}); // at once: it was not handed out
  CHECK(queue.download(2, {}, 1'000 + hour - 1).empty());
  CHECK(contexts(queue.download(9, {}, 1'000 + hour)) == texts{"a", "b"});
  REQUIRE(queue.upload({{"a", true}}, 1'000 + hour));
  const auto last = queue.download(9, {}, 9 * hour);
  CHECK(contexts(last) == texts{"b", "c"});
  CHECK(last.front().hand_out == 3);
  CHECK_FALSE(last.front().redelivery);
}

TEST_CASE("the whole queue can cool instead", "[tenant][queue]") {
  queue_options options{hour};
  options.whole_queue_cools = true;
  revocation_queue queue(options);
  REQUIRE(queue.add(plain("a")));
  REQUIRE(queue.add(plain("b")));
  CHECK(contexts(queue.download(1, {}, 1'000)) == texts{"a"});
  CHECK(queue.download(1, {}, 2'000).empty());
  CHECK(contexts(queue.download(9, {}, 1'000 + hour)) == texts{"a", "b"});
}

TEST_CASE("the filter comes after the batch was cut, and means the configuration",
          "[tenant][queue]") {
  revocation_queue queue({hour});
  REQUIRE(queue.add(plain("a", "other")));
  REQUIRE(queue.add(plain("b", "other")));
  REQUIRE(queue.add(plain("c", "mine")));
  REQUIRE(queue.add(plain("d")));
  CHECK(queue.download(2, std::string("mine"), 1'000).empty()); // although work waits
  CHECK(queue.download(2, std::string("mine"), 2'000).empty()); // for ever
  CHECK(contexts(queue.download(3, std::string("mine"), 3'000)) == texts{"c"});
  CHECK(contexts(queue.download(9, std::string("CN=CA"), 4'000)) == texts{"d"});
  CHECK(contexts(queue.download(9, {}, 5'000)) == texts{"a", "b"});
}

TEST_CASE("a report is recorded once; later ones are compared with it", "[tenant][queue]") {
  revocation_queue queue({hour});
  REQUIRE(queue.add(plain("a")));
  REQUIRE(queue.add(plain("b")));
  CHECK(queue.upload({{"a", true}, {"a", true}}, 1)
        == std::vector{report_end::recorded, report_end::again});
  CHECK(queue.upload({{"a", false, service_code::conflict, "?"}}, 1)
        == std::vector{report_end::otherwise});
  CHECK_FALSE(queue.upload({{"b", true}, {"never ordered", true}}, 1)); // nothing of it
  CHECK(queue.counts().recorded == 1);
  CHECK(queue.upload({{"b", false, service_code::service_unavailable, "later"}}, 1)
        == std::vector{report_end::sent_back});
  CHECK(queue.counts().open == 1);
  CHECK(contexts(queue.download(9, {}, 2)) == texts{"b"});
  CHECK(queue.upload({{"b", true}}, 3) == std::vector{report_end::recorded});
  CHECK(queue.counts().open == 0);
}

TEST_CASE("recorded orders are handed out once more, until they are answered", "[tenant][queue]") {
  queue_options options{hour};
  options.redeliver_share = 1;
  revocation_queue queue(options);
  REQUIRE(queue.add(plain("a")));
  REQUIRE(queue.download(9, {}, 1'000).size() == 1);
  REQUIRE(queue.upload({{"a", true}}, 2'000));
  CHECK(queue.counts().redelivery_open == 1);
  CHECK(queue.download(9, {}, 2'000).empty());
  const auto again = queue.download(9, {}, 2 * hour);
  REQUIRE(again.size() == 1);
  CHECK(again.front().redelivery);
  CHECK(queue.upload({{"a", true}}, 2 * hour) == std::vector{report_end::again});
  CHECK(queue.counts().acknowledged == 1);
  CHECK(queue.counts().redelivery_open == 0);
  CHECK(queue.download(9, {}, 9 * hour).empty());
}

TEST_CASE("serial numbers are written in decimal as others write them", "[tenant][plan]") {
  CHECK(decimal_of("0") == "0");
  CHECK(decimal_of("a") == "10");
  CHECK(decimal_of("ff") == "255");
  CHECK(decimal_of("010000") == "65536");
  CHECK(decimal_of("7fffffffffffffffffffffffffffffff")
        == "170141183460469231731687303715884105727");
}

TEST_CASE("orders are as many as were asked for, of every kind", "[tenant][plan]") {
  order_plan plan({500, 1.0, 7, "Sandbox-CA", "CN=Issuing CA,O=Sandbox"});
  std::map<std::string, int> kinds;
  std::set<std::string> all;
  int spelled_otherwise = 0, without_issuer = 0;
  for (int n = 0; n < 1'000; ++n) {
    const auto serial = "5e" + std::to_string(1'000'000 + n) + "abcdef";
    for (const auto& one : plan.recorded(serial)) {
      ++kinds[one.kind];
      CHECK(all.insert(one.order.context).second);
      CHECK(one.serial == (one.expected == service_code::none ? serial : ""));
      CHECK(one.expected
            == (one.kind == "unknown" || one.kind == "foreign" ? service_code::not_supported
                                                               : service_code::none));
      spelled_otherwise += one.order.serial_number == serial ? 0 : 1;
      without_issuer += one.order.issuer_name ? 0 : 1;
    }
  }
  CHECK(all.size() == 500);
  CHECK(kinds.size() == 4);
  CHECK(kinds["plain"] > 400);
  CHECK(spelled_otherwise > 200);
  CHECK(without_issuer > 50);
  order_plan none({500, 0, 7, "Sandbox-CA", "CN=Issuing CA"});
  CHECK(none.recorded("5e").empty());
}

TEST_CASE("an order is downloaded with all four fields, some of them null", "[tenant][calls]") {
  bare_tenant at;
  for (int n = 0; n < 40; ++n) {
    at.desk->recorded("5e" + std::to_string(100'000 + n));
  }
  const auto all = at.download(500);
  CHECK(all.size() >= 40);
  int nulls = 0;
  for (const auto& one : all) {
    CHECK(one.size() == 4);
    CHECK(one.at("requestContext").get<std::string>().size() == 80);
    CHECK_FALSE(one.at("serialNumber").get<std::string>().empty());
    nulls += one.at("issuerName").is_null() ? 1 : 0;
    CHECK((one.at("caConfiguration").is_null() || one.at("caConfiguration") == "Sandbox-CA"));
  }
  CHECK(nulls > 0);
  CHECK(at.download(500).empty());
  CHECK(at.journal_has("\"what\":\"order_handed_out\""));
  CHECK(at.journal_has("\"what\":\"order_made\""));
}

TEST_CASE("results are taken with a code's name, its number, or its number as a text",
          "[tenant][calls]") {
  bare_tenant at;
  for (int n = 0; n < 8; ++n) {
    at.desk->recorded("5e" + std::to_string(100'000 + n));
  }
  const auto all = at.download();
  REQUIRE(all.size() >= 6);
  const auto context = [&](std::size_t n) { return all.at(n).at("requestContext"); };
  const auto recorded = [](const server_response& got) {
    return got.status == 200 && json::parse(got.body).at("value") == true;
  };
  CHECK(recorded(at.report(context(0))));
  CHECK(recorded(at.report(context(1), true, 0)));
  CHECK(recorded(at.report(context(2), true, "0")));
  CHECK(recorded(at.report(context(3), false, "CertificateNotFoundError", "gone")));
  CHECK(recorded(at.report(context(4), false, "4004", "gone")));
  CHECK(recorded(at.report(context(5), false, 4006, "not ours")));
  CHECK(at.desk->counts().recorded == 6);
  const auto unknown = at.report("bmV2ZXI=");
  CHECK(unknown.status == 200);
  CHECK(json::parse(unknown.body).at("value") == false);
}

TEST_CASE("what is wrong with a call is a 400 that does not say what", "[tenant][calls]") {
  bare_tenant at;
  at.desk->recorded("5e1234");
  const auto context = at.download().at(0).at("requestContext").get<std::string>();
  const auto wish = [](const json& most, const json& issuer) {
    return json{{"downloadParameters", {{"maxRequests", most}, {"issuerName", issuer}}}};
  };
  std::vector<server_response> refused;
  for (const auto& body :
       {wish(0, nullptr), wish(501, nullptr), wish(-1, nullptr), wish("5", nullptr),
        wish(1.5, nullptr), wish(5, 7), wish(5, std::string(257, 'x')), json::object(),
        json("no JSON"), json::array()}) {
    refused.push_back(at.call(download_call, body));
  }
  refused.push_back(at.call(download_call, wish(5, nullptr), ""));
  refused.push_back(at.call(download_call, wish(5, nullptr), "2018-02-20"));
  refused.push_back(at.call(upload_call, {{"results", json::array()}}));
  refused.push_back(at.call(upload_call, {{"results", nullptr}}));
  refused.push_back(at.report(context, true, "CertificateNotFoundError"));
  refused.push_back(at.report(context, false, "None", "?"));
  refused.push_back(at.report(context, true, "None", "with a message"));
  refused.push_back(at.report(context, false, "NobodyKnowsThis", "?"));
  refused.push_back(at.report(context, false, 9999, "?"));
  for (const auto& got : refused) {
    CHECK(got.status == 400);
    const auto said = json::parse(got.body).at("error");
    CHECK(said.at("code") == "BadRequest");
    const auto inner = json::parse(said.at("message").get<std::string>());
    CHECK(inner.at("Message").get<std::string>().starts_with("An error has occurred"));
    CHECK(inner.at("Message").get<std::string>().find("0d1cf0a4-0000") != std::string::npos);
    CHECK(got.body.find("maxRequests") == std::string::npos);
  }
  CHECK(at.journal_has("maxRequests is not between 1 and 500")); // the journal does
  CHECK(at.desk->counts().recorded == 0);
  CHECK(at.call(download_call, wish(5, nullptr), "2019-05-05").status == 200); // a fork's
}

TEST_CASE("a call needs a living token of the right resource", "[tenant][calls]") {
  bare_tenant at([](auto& options) { options.sign_in.life_ms = 1'000; });
  const json body = {{"downloadParameters", {{"maxRequests", 5}}}};
  for (const auto& bearer :
       {std::string("forged"), at.token("https%3A%2F%2Fgraph.microsoft.com%2F.default")}) {
    at.bearer = bearer;
    const auto got = at.call(download_call, body);
    CHECK(got.status == 401);
    CHECK(got.headers.at("WWW-Authenticate").find("invalid_token") != std::string::npos);
  }
  at.bearer.clear();
  CHECK(at.call(download_call, body).status == 200);
}

TEST_CASE("a token ends when its life is over, and when all of them do", "[tenant][token]") {
  token_desk desk({bare_tenant::tenant_id, bare_tenant::client_id, bare_tenant::secret,
                   bare_tenant::certificate()});
  const auto form = bare_tenant::form("https%3A%2F%2Fapi.manage.microsoft.com%2F%2F.default");
  const server_request ask{
    "POST", "/", {{"content-type", "application/x-www-form-urlencoded"}}, form, {}};
  const unix_ms now = 1'700'000'000'000;
  const auto given = desk.grant(bare_tenant::tenant_id, ask, now);
  REQUIRE(given.why.empty());
  const auto token = json::parse(given.answer.body).at("access_token").get<std::string>();
  const server_request call{"POST", "/", {{"authorization", "Bearer " + token}}, "", {}};
  const auto life = 3'599'000;
  CHECK(desk.wrong_with(call, token_resource::intune, now + life - 1).empty());
  CHECK(desk.wrong_with(call, token_resource::graph, now) == "a token for another resource");
  CHECK(desk.wrong_with(call, token_resource::intune, now + life) == "a token that has ended");
  desk.end_all();
  CHECK(desk.wrong_with(call, token_resource::intune, now) == "an unknown token");
  const server_request nobody{"POST", "/", {}, "", {}};
  CHECK(desk.wrong_with(nobody, token_resource::intune, now) == "no bearer token");
}
