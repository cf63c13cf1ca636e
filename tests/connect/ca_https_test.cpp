// The CA service over mutual TLS: the embedded CA behind it, and servers that answer badly.
#include <condition_variable>

#include "connect/ca/https_authority.hpp"
#include "connect/ca/wire.hpp"
#include "tests/catch.hpp"
#include "tests/connect/ca_support.hpp"
#include "tests/connect/http_support.hpp"

using namespace pfx;
using namespace pfx::connect;
using namespace pfx::connect::ca;
using namespace pfx::test;

namespace {

struct served {
  std::unique_ptr<http::server> server;
  std::unique_ptr<authority> client;

  explicit served(http::handler handle, const std::string& prefix = "",
                  std::int64_t timeout_ms = 5'000) {
    server = good(http::server::start(tls_server(world().server), std::move(handle)));
    auto options = tls_client(*server, &world().client);
    options.base_url += prefix;
    options.call_timeout_ms = timeout_ms;
    client = good(make_https_authority(std::move(options)));
  }
};

/// Answers everything alike.
http::handler always(int status, std::string body,
                     std::map<std::string, std::string> headers = {}) {
  return [=](const http::server_request&) { return http::server_response{status, headers, body}; };
}

const submission& sample() {
  static const submission what = submission_of("one", make_csr(csr_names("Alice")));
  return what;
}

const revoke_order sample_order{"CN=Test CA", "0a", revocation_reason::superseded, 1'000};

} // namespace

TEST_CASE("the embedded CA behind HTTPS answers as it does without", "[ca][https]") {
  const scratch folder;
  const ca_world world_of_ca;
  const auto direct = good(make_embedded_authority(world_of_ca.options(folder.path("ca"))));
  const served over(make_ca_handler(*direct, "/ca"), "/ca");
  CHECK(over.client->find(sample().transaction_id).status == ca_status::never_seen);
  const auto issued = over.client->submit(sample());
  REQUIRE(issued.status == ca_status::issued);
  CHECK(issued.certificate == direct->find(sample().transaction_id).certificate);
  CHECK(over.client->submit(sample()).certificate == issued.certificate);
  const auto other = submission_of("one", make_csr(csr_names("Mallory")));
  CHECK(over.client->submit(other).status == ca_status::conflict);
  CHECK(over.client->close(txid("two")).status == ca_status::closed);
  CHECK(over.client->submit(submission_of("two", make_csr(csr_names("B")))).status
        == ca_status::closed);
  const auto leaf = good(crypto::certificate::from_der(issued.certificate));
  const revoke_order order{leaf.issuer(), leaf.serial(), revocation_reason::superseded, 1'000};
  CHECK(over.client->revoke(order).status == revoke_status::done);
  CHECK(over.client->revoke(order).status == revoke_status::already);
  CHECK(over.client->revoke(sample_order).status == revoke_status::not_found);
  const auto refused = over.client->submit(submission_of("three", bytes{1, 2}));
  CHECK(refused.status == ca_status::refused);
  CHECK_FALSE(refused.reason.empty());
}

TEST_CASE("a pending answer carries its id and the hash of its key", "[ca][https]") {
  const scratch folder;
  const ca_world world_of_ca;
  auto options = world_of_ca.options(folder.path("ca"));
  options.pending_answers = 2;
  const auto direct = good(make_embedded_authority(std::move(options)));
  const served over(make_ca_handler(*direct, ""));
  CHECK(over.client->submit(sample()).status == ca_status::pending);
  const auto found = over.client->find(sample().transaction_id);
  CHECK(found.status == ca_status::pending);
  CHECK_FALSE(found.pending_id.empty());
  CHECK(found.pending_public_key_hash
        == good(crypto::parse_csr(sample().certificate_request)).public_key_hash);
  CHECK(over.client->find(sample().transaction_id).status == ca_status::issued);
}

TEST_CASE("a refused submit is refused, a refused question is no answer", "[ca][https]") {
  const served over(always(400, wire::encode_error("bad", "the CSR is ugly")));
  const auto refused = over.client->submit(sample());
  CHECK(refused.status == ca_status::refused);
  CHECK(refused.reason.find("the CSR is ugly") != std::string::npos);
  CHECK(over.client->find(sample().transaction_id).status == ca_status::unknown);
  CHECK(over.client->close(sample().transaction_id).status == ca_status::unknown);
  CHECK(over.client->revoke(sample_order).status == revoke_status::refused);
}

TEST_CASE("statuses that say nothing of the request leave it unknown", "[ca][https]") {
  for (const int status : {401, 403, 404, 405, 408, 429, 500, 502, 503, 504, 302, 204}) {
    CAPTURE(status);
    const served over(always(status, "", {{"Retry-After", "7"}}));
    const auto answer = over.client->submit(sample());
    CHECK(answer.status == ca_status::unknown);
    CHECK(answer.maybe_arrived);
    CHECK(answer.retry_after_ms == 7'000);
    CHECK(over.client->find(sample().transaction_id).status == ca_status::unknown);
    CHECK(over.client->revoke(sample_order).status == revoke_status::unknown);
  }
}

TEST_CASE("a CA without close says so by its status", "[ca][https]") {
  for (const int status : {404, 405, 501}) {
    const served over(always(status, ""));
    CHECK(over.client->close(txid("x")).status == ca_status::unsupported);
  }
  const served over(always(501, ""));
  CHECK(over.client->find(txid("x")).status == ca_status::unsupported);
}

TEST_CASE("answers that are not the protocol's are unknown", "[ca][https]") {
  for (const auto* body :
       {"", "null", "[]", "{}", "{\"value\":1}", "{\"value\":{}}",
        "{\"value\":{\"status\":\"fine\"}}", "{\"value\":{\"status\":1}}",
        "{\"value\":{\"status\":\"issued\"}}",
        "{\"value\":{\"status\":\"issued\",\"certificate\":\"\"}}",
        "{\"value\":{\"status\":\"issued\",\"certificate\":\"%%\"}}",
        "{\"value\":{\"status\":\"issued\",\"certificate\":7}}",
        "{\"value\":{\"status\":\"issued\",\"certificate\":\"AQID\",\"chain\":{}}}",
        "{\"value\":{\"status\":\"issued\",\"certificate\":\"AQID\",\"chain\":[1]}}",
        "{\"value\":{\"status\":\"refused\",\"status\":\"issued\",\"certificate\":\"AQID\"}}",
        "{\"value\":{\"status\":\"pending\",\"publicKeyHash\":\"abc\"}}",
        "{\"value\":{\"status\":\"neverSeen\"}}", "{\"value\":{\"status\":\"unknown\"}}"}) {
    CAPTURE(body);
    const served over(always(200, body));
    const auto answer = over.client->submit(sample());
    CHECK(answer.status == ca_status::unknown);
    CHECK(answer.maybe_arrived);
    CHECK(answer.certificate.empty());
  }
}

TEST_CASE("a status of another call is unknown", "[ca][https]") {
  const served conflict(always(200, "{\"value\":{\"status\":\"conflict\"}}"));
  CHECK(conflict.client->find(txid("x")).status == ca_status::unknown);
  const served closed(always(200, "{\"value\":{\"status\":\"neverSeen\"}}"));
  CHECK(closed.client->close(txid("x")).status == ca_status::unknown);
}

TEST_CASE("what was never sent has certainly not arrived", "[ca][https]") {
  http::client_options options;
  {
    const loopback_listener gone; // its port is free again when we call
    options.base_url = "https://127.0.0.1:" + std::to_string(gone.port());
  }
  options.trusted_roots_pem = world().server_root;
  const auto client = good(make_https_authority(std::move(options)));
  const auto answer = client->submit(sample());
  CHECK(answer.status == ca_status::unknown);
  CHECK_FALSE(answer.maybe_arrived);
  CHECK_FALSE(answer.reason.empty());
}

TEST_CASE("what was sent without an answer may have arrived", "[ca][https]") {
  std::mutex mutex;
  std::condition_variable changed;
  bool over_now = false;
  bool arrived = false;
  const served over(
    [&](const http::server_request&) {
      std::unique_lock lock(mutex);
      arrived = true;
      changed.wait_for(lock, std::chrono::seconds(5), [&] { return over_now; });
      return http::server_response{};
    },
    "", 300);
  const auto answer = over.client->submit(sample());
  CHECK(answer.status == ca_status::unknown);
  CHECK(answer.maybe_arrived);
  const std::scoped_lock lock(mutex);
  CHECK(arrived);
  over_now = true;
  changed.notify_all();
}

TEST_CASE("the CA's server refuses bodies that are not the protocol's", "[ca][https]") {
  const scratch folder;
  const ca_world world_of_ca;
  const auto ca = good(make_embedded_authority(world_of_ca.options(folder.path("ca"))));
  const auto handle = make_ca_handler(*ca, "/ca");
  const auto call
    = [&](const std::string& name, const std::string& body, const std::string& method = "POST") {
        http::server_request request;
        request.method = method;
        request.target = "/ca/CertificateAuthority/" + name;
        request.body = body;
        return handle(request).status;
      };
  const auto id = to_hex(txid("one"));
  const auto csr = crypto::to_base64(sample().certificate_request);
  CHECK(call("find", "{\"transactionId\":\"" + id + "\"}") == 200);
  CHECK(call("find", "{\"transactionId\":\"" + id + "\"}", "GET") == 405);
  CHECK(call("erase", "{}") == 404);
  for (const auto& body : std::vector<std::string>{
         "", "[]", "{", "{}", "{\"transactionId\":7}", "{\"transactionId\":\"ab\"}",
         "{\"transactionId\":\"" + std::string(64, 'A') + "\"}",
         "{\"transactionId\":\"" + std::string(64, '0') + "\"}",
         "{\"transactionId\":\"" + id + "\",\"transactionId\":\"" + id + "\"}"}) {
    CAPTURE(body);
    CHECK(call("find", body) == 400);
    CHECK(call("close", body) == 400);
    CHECK(call("submit", body) == 400);
  }
  const auto submit = [&](const std::string& validity, const std::string& rest = "") {
    return call("submit",
                "{\"transactionId\":\"" + id + "\",\"certificateRequest\":\"" + csr
                  + "\",\"template\":\"User\",\"validity\":" + validity + rest + "}");
  };
  CHECK(submit("null") == 400);
  CHECK(submit("{\"value\":0,\"unit\":\"days\"}") == 400);
  CHECK(submit("{\"value\":-1,\"unit\":\"days\"}") == 400);
  CHECK(submit("{\"value\":1.5,\"unit\":\"days\"}") == 400);
  CHECK(submit("{\"value\":1,\"unit\":\"weeks\"}") == 400);
  CHECK(submit("{\"value\":4000000000,\"unit\":\"years\"}") == 400);
  CHECK(submit("{\"value\":1,\"unit\":\"days\"}", ",\"extensions\":[]") == 400);
  CHECK(submit("{\"value\":1,\"unit\":\"days\"}") == 200);
  for (const auto* reason : {"7", "11", "-1", "\"superseded\"", "null"}) {
    CHECK(call("revoke",
               std::string("{\"issuer\":\"CN=x\",\"serialNumber\":\"01\",\"reason\":") + reason
                 + ",\"revocationDateTime\":\"2026-01-01T00:00:00Z\"}")
          == 400);
  }
}
