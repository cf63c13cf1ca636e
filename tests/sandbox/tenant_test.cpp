// The tenant over HTTPS with our own client: certificates are issued, ordered revoked, revoked and
// reported, under faults too. And the judge of orders, with a lie in each line.
#include "core/revocation.hpp"
#include "tests/sandbox/connector.hpp"
#include "tests/sandbox/pages.hpp"
#include "tests/sandbox/tenant_support.hpp"

using namespace pfx;
using namespace pfx::test;

namespace {

using pfx::sandbox::options;

options with_orders(const std::string& directory) {
  auto out = small(directory);
  out.requests = 30;
  out.seed = 3;
  out.intune.revoke_share = 1;
  out.intune.cool_down_ms = 1;
  out.intune.odd_directory = true;
  return out;
}

/// Carries orders out as an engine would, without its durability.
struct revoker {
  explicit revoker(const pfx::sandbox::sandbox& box, connector& by, bool by_certificate = true)
      : ca(*by.ca),
        tenant(good(intune::connection::make(settings_for(box.intune(), by_certificate)))) {}

  intune::revocation_result carry_out(const intune::revocation_request& order) {
    const auto read = revocation::read_serial(order.serial_number);
    const bool foreign
      = order.issuer_name && *order.issuer_name != "Sandbox-CA" && *order.issuer_name != issuer;
    for (const auto& serial : {read.as_hex, read.as_decimal}) {
      if (serial.empty() || foreign) {
        continue;
      }
      const auto said
        = ca.revoke({issuer, serial, connect::ca::revocation_reason::cessation_of_operation,
                     system_clock().wall()});
      if (said.status == connect::ca::revoke_status::done
          || said.status == connect::ca::revoke_status::already) {
        return {order.request_context, true, service_code::none, ""};
      }
    }
    return {order.request_context, false, service_code::not_supported, "not ours"};
  }

  /// One download and its report; false if nothing came of it.
  bool once(std::size_t most = 100) {
    const auto batch = tenant->revocations().download("t", static_cast<int>(most), {});
    if (!batch || batch->requests.empty()) {
      return false;
    }
    std::vector<intune::revocation_result> results;
    for (const auto& one : batch->requests) {
      if (kept.try_emplace(one.request_context, carry_out(one)).second) {
        ++carried_out;
      }
      results.push_back(kept.at(one.request_context));
    }
    return tenant->revocations().upload("t", results).has_value();
  }

  connect::ca::authority& ca;
  std::string issuer = "CN=Sandbox Issuing CA,O=Sandbox";
  std::unique_ptr<intune::connection> tenant;
  std::map<std::string, intune::revocation_result> kept;
  int carried_out = 0;
};

/// Until the box is content; bounded.
void work_off(const pfx::sandbox::sandbox& box, revoker& by) {
  for (int round = 0; round < 300 && !box.finished(); ++round) {
    (void)by.once(25);
  }
}

line order_line(const std::string& context, const std::string& name, int expected = 0) {
  return line("order_made")
    .text("context", context)
    .text("kind", "plain")
    .text("serial", expected == 0 ? "5e" + name : "")
    .number("expected", expected);
}
line handed_line(const std::string& context) {
  return line("order_handed_out").text("context", context).number("hand_out", 1);
}
line reported_line(const std::string& context, int code = 0, const char* status = "recorded") {
  return line("order_reported")
    .text("context", context)
    .text("status", status)
    .number("code", code);
}

} // namespace

TEST_CASE("orders are carried out and reported by a client of the public protocol", "[tenant]") {
  const scratch folder;
  const auto box = good(pfx::sandbox::sandbox::start(with_orders(folder.path("box"))));
  connector one(*box);
  one.work();
  const auto before = box->progress().orders;
  CHECK(before.made >= 30);
  CHECK_FALSE(box->finished());
  revoker by(*box, one);
  work_off(*box, by);
  const auto verdict = good(box->verdict());
  CHECK(box->finished());
  CHECK(verdict.faults == std::vector<std::string>{});
  CHECK(verdict.clean());
  const auto& orders = verdict.orders;
  CHECK(orders.made == before.made);
  CHECK(orders.reported == orders.made);
  CHECK(orders.revoked + orders.refused == orders.made);
  CHECK(orders.refused > 0);
  CHECK(orders.redelivered > 0);
  CHECK(orders.acknowledged == orders.redelivered);
  CHECK(orders.repeated == orders.redelivered);
  CHECK(verdict.revoked_certificates > 20);
  CHECK(verdict.surplus_certificates == 0);
  box->stop();
  CHECK(good(pfx::sandbox::judge(folder.path("box"))).to_json() == verdict.to_json());
  const auto described = nlohmann::json::parse(text_of(box->description_path())).at("intune");
  CHECK(described.at("clientId") == box->intune().client_id);
  CHECK(described.at("scepChallenges").size() == 3);
  for (const auto* file : {"secretFile", "certificateFile", "keyFile", "trustedRootsFile"}) {
    CHECK_FALSE(text_of(described.at(file)).empty());
  }
}

TEST_CASE("a secret will do, and a probe spends nothing", "[tenant]") {
  const scratch folder;
  const auto box = good(pfx::sandbox::sandbox::start(small(folder.path("box"))));
  const auto client = good(intune::connection::make(settings_for(box->intune(), false)));
  const auto found = client->probe();
  REQUIRE(found);
  CHECK(found->size() == 2);
  auto wrong = settings_for(box->intune(), false);
  wrong.credentials.front().proof = secret_of("wrong");
  const auto refused = good(intune::connection::make(std::move(wrong)))->probe();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what.code == errc::unauthorized);
  CHECK(refused.error().service_code == "AADSTS7000215");
  CHECK(box->progress().orders.hand_outs == 0);
}

TEST_CASE("faults at the tenant delay orders and change nothing", "[tenant][faults]") {
  const scratch folder;
  auto how = with_orders(folder.path("box"));
  how.faults = *pfx::sandbox::read_fault_plan(R"({"faults": [
    {"fault": "close", "when": "after", "numbers": [1], "calls": ["oauth2/token"]},
    {"fault": "close", "when": "after", "numbers": [1], "calls": ["servicePrincipals/endpoints"]},
    {"fault": "close", "when": "after", "numbers": [4, 5],
     "calls": ["CertificateAuthorityRequests/uploadRevocationResults"]},
    {"fault": "status", "status": 429, "retryAfter": 1, "numbers": [2],
     "calls": ["CertificateAuthorityRequests/downloadRevocationRequests"]},
    {"fault": "cut", "numbers": [3],
     "calls": ["CertificateAuthorityRequests/downloadRevocationRequests"]},
    {"fault": "notRecorded", "numbers": [1]}, {"fault": "oddAnswer", "numbers": [2]},
    {"fault": "twice", "numbers": [1], "count": 2},
    {"fault": "tokensEnd", "numbers": [2],
     "calls": ["CertificateAuthorityRequests/downloadRevocationRequests"]},
    {"fault": "again", "numbers": [4],
     "calls": ["CertificateAuthorityRequests/downloadRevocationRequests"]},
    {"fault": "junk", "numbers": [5, 6],
     "calls": ["CertificateAuthorityRequests/downloadRevocationRequests"]}]})");
  const auto box = good(pfx::sandbox::sandbox::start(how));
  connector one(*box);
  one.work();
  revoker by(*box, one);
  work_off(*box, by);
  const auto verdict = good(box->verdict());
  CHECK(box->finished());
  CHECK(verdict.faults == std::vector<std::string>{});
  CHECK(verdict.orders.reported == verdict.orders.made);
  CHECK(verdict.orders.otherwise == 0);
  for (const auto* name : {"notRecorded", "oddAnswer", "tokensEnd", "twice", "again", "junk",
                           "close", "status", "cut"}) {
    CAPTURE(name);
    CHECK(verdict.injected.contains(name));
  }
}

TEST_CASE("a refusal of the wire is in the tenant's words, a wait in two headers",
          "[tenant][faults]") {
  const scratch folder;
  auto how = small(folder.path("box"));
  how.faults = *pfx::sandbox::read_fault_plan(
    R"({"faults": [{"fault": "status", "status": 429, "retryAfter": 7, "numbers": [1],
                    "calls": ["CertificateAuthorityRequests/downloadRevocationRequests"]}]})");
  const auto box = good(pfx::sandbox::sandbox::start(how));
  http::client_options options;
  options.base_url = box->intune().graph_url;
  options.trusted_roots_pem = text_of(box->intune().trusted_roots);
  const auto client = good(http::client::make(std::move(options)));
  const auto got = client->post(
    "/RACerts/StatelessPkiConnectorService/CertificateAuthorityRequests/downloadRevocationRequests",
    "{}");
  REQUIRE(got);
  CHECK(got->status == 429);
  CHECK(got->headers.at("retry-after") == "7");
  CHECK(got->headers.at("x-ms-retry-after-ms") == "7000");
  CHECK(got->body.find("TooManyRequests") != std::string::npos);
  CHECK(client->post("/RACerts/Nobody/call", "{}")->status == 404);
}

TEST_CASE("a run with an order that was carried out is clean", "[tenant][verdict]") {
  pages all;
  all.untroubled("a");
  all.service(order_line("o", "a"));
  all.service(handed_line("o"));
  all.revoked("a");
  all.service(reported_line("o"));
  all.service(reported_line("o", 0, "again"));
  const auto out = good(all.verdict());
  CHECK(out.faults == std::vector<std::string>{});
  CHECK(out.clean());
  CHECK(out.orders.revoked == 1);
  CHECK(out.orders.repeated == 1);
}

TEST_CASE("whatever is wrong with an order is found", "[tenant][verdict]") {
  pages all;
  all.untroubled("a");
  all.service(order_line("o", "a"));
  all.service(handed_line("o"));
  const auto finds = [&](const char* words) {
    const auto out = good(all.verdict());
    CHECK_FALSE(out.clean());
    CHECK(mentions(out.faults, words));
    return out.orders;
  };
  SECTION("handed out and lost") { CHECK(finds("o: was handed out and never reported").lost == 1); }
  SECTION("reported as done, and not done") {
    all.service(reported_line("o"));
    CHECK(finds("the CA did so 0 times").not_once == 1);
  }
  SECTION("revoked twice") {
    all.revoked("a");
    all.revoked("a");
    all.service(reported_line("o"));
    CHECK(finds("the CA did so 2 times").not_once == 1);
  }
  SECTION("reported with another code") {
    all.revoked("a");
    all.service(reported_line("o", 4005));
    CHECK(finds("with 4005 and not 0").wrong == 1);
  }
  SECTION("recorded twice") {
    all.revoked("a");
    all.service(reported_line("o"));
    all.service(reported_line("o"));
    finds("was recorded more than once");
  }
  SECTION("reported otherwise later") {
    all.revoked("a");
    all.service(reported_line("o"));
    all.service(reported_line("o", 4004, "otherwise"));
    CHECK(finds("differ from what was recorded").otherwise == 1);
  }
  SECTION("results that contradict themselves") {
    all.revoked("a");
    all.service(reported_line("o"));
    all.service(line("orders_odd").text("why", "?"));
    finds("contradicted themselves");
  }
  SECTION("results for what was never ordered") {
    all.revoked("a");
    all.service(reported_line("o"));
    all.service(line("orders_unknown"));
    finds("never made");
  }
  SECTION("an order that nobody made") {
    all.revoked("a");
    all.service(reported_line("o"));
    all.service(handed_line("another"));
    finds("another: was never made");
  }
  SECTION("a foreign order that was carried out") {
    all.untroubled("b");
    all.revoked("a");
    all.service(reported_line("o"));
    all.service(order_line("f", "b", 4006));
    all.service(handed_line("f"));
    all.revoked("b");
    all.service(reported_line("f", 0));
    CHECK(finds("recorded and revoked, which nobody ordered").wrong == 1);
  }
}

TEST_CASE("an order that nobody was given waits, and is no fault", "[tenant][verdict]") {
  pages all;
  all.untroubled("a");
  all.service(order_line("o", "a"));
  const auto out = good(all.verdict());
  CHECK(out.clean());
  CHECK(out.orders.waiting == 1);
}
